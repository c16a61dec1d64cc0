"""Reads the summary that a status page of Statuspage's kind publishes, and decides whether a component can be relied upon."""

from sandbook import Context, Done, Failure, define, http, log

# From good to bad.
STATES = ["operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"]
IMPACTS = ["critical", "major", "minor", "none"]


def run(_: Context, input: dict) -> Done:
    summary = http.get(f"https://{input['host']}/api/v2/summary.json").json()
    component = find(summary, input["component"])
    status = component["status"]
    incidents = [incident["name"] for incident in concerning(summary, component)]
    degraded = badness(status) > badness(input.get("tolerate", "operational"))
    for title in incidents:
        log.info(f"unresolved: {title}")
    return Done(
        {"degraded": degraded, "status": status, "incidents": incidents},
        summary=f"{component['name']} is {'degraded' if degraded else 'fine'}: {status}",
    )


def find(summary: dict, name: str) -> dict:
    """The component of that name. Groups have names too, and no state of their own."""
    components = [component for component in summary["components"] if not component.get("group")]
    named = [component for component in components if component["name"].casefold() == name.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise Failure("conflict", f"{len(named)} components are called `{name}`", code="ComponentAmbiguous")
    known = ", ".join(sorted(component["name"] for component in components))
    raise Failure("not-found", f"there is no component `{name}`; there are: {known}", code="ComponentUnknown")


def concerning(summary: dict, component: dict) -> list[dict]:
    """The unresolved incidents that name the component, the worst first."""
    incidents = [
        incident
        for incident in summary.get("incidents", [])
        if any(affected["id"] == component["id"] for affected in incident.get("components", []))
    ]
    return sorted(incidents, key=lambda incident: IMPACTS.index(incident["impact"]))


def badness(status: str) -> int:
    if status not in STATES:
        raise Failure("failed", f"the page has a state that is not known: `{status}`", code="StateUnknown")
    return STATES.index(status)


Step = define(run)
