"""Takes a pool out of a load balancer: the step of docs/plugin.md."""

from sandbook import Context, Done, Failure, define, http, join, progress, remaining, sleep

# Between two looks, in seconds.
PAUSE = 5


def run(context: Context, input: dict) -> Done:
    pool = input["pool"]
    url = join("https://lb.example.com/v1/pools", pool)
    found = http.get(url).credential("api").send()
    if found.status == 404:
        return Done({"connections": 0}, summary=f"{pool} is gone already")

    state = found.ok().json()
    if state["locked"]:
        raise Failure("conflict", f"{pool} is locked: unlock it first", code="PoolLocked")

    # What is held back in a dry run isn't waited for; what comes after it is asked for, to be listed.
    try:
        drain(context, url)
    except Failure as failure:
        if not failure.is_held_back:
            raise
    http.delete(url).credential("api").checked()
    return Done({"connections": state["connections"]}, changed=True, summary=f"retired {pool}")


def drain(context: Context, url: str) -> None:
    (
        http.post(f"{url}/drain")
        .credential("api")
        .repeatable(True)
        .body_json({"reason": f"run {context.run}"})
        .checked()
    )

    while connections := http.get(url).credential("api").json()["connections"]:
        still_open = f"{connections} connections are still open"
        if remaining(context) < 2 * PAUSE:
            raise Failure("timed-out", still_open, code="StillDraining")
        progress(still_open)
        sleep(PAUSE)


Step = define(run)
