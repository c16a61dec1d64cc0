//! A plan for programs.

use sandbook_executor::Prepared;
use sandbook_runbook::{Action, Needs, OnDoubt, OnFailure, Planned, format_duration};
use serde_json::{Map, Value, json};

use super::plan::{has_wasi_http, is_reveal_withheld, sections};
use super::plugin::signed_by;

/// A plan with what each step may do.
pub(crate) fn plan_json(prepared: &Prepared) -> Value {
    let plan = &prepared.plan;
    let inputs: Map<String, Value> = plan
        .inputs
        .iter()
        .map(|(name, value)| {
            let sensitive = plan.inputs.is_sensitive(name.as_str());
            (
                name.to_string(),
                if sensitive {
                    json!("[sensitive]")
                } else {
                    value.clone()
                },
            )
        })
        .collect();
    let [steps, on_failure, finally] = sections(plan).map(|(_, steps)| {
        steps
            .iter()
            .map(|planned| step(planned, prepared))
            .collect::<Vec<_>>()
    });
    json!({
        "runbook": plan.runbook.name.as_str(),
        "environment": plan.environment.as_ref().map(|environment| json!({
            "name": environment.name.as_str(),
            "rehearsal": environment.is_rehearsal(),
            "protected": environment.protected,
        })),
        "inputs": inputs,
        "group": plan.group().map(|(name, behavior)| json!({ "name": name, "behavior": behavior.as_str() })),
        "steps": steps,
        "on_failure": on_failure,
        "finally": finally,
    })
}

/// A limit as a runbook has it: a number where it counts something, else a text with its unit.
fn limit_value(shown: &str) -> Value {
    match shown.parse::<u64>() {
        Ok(number) => json!(number),
        Err(_) => json!(shown),
    }
}

fn step(planned: &Planned, prepared: &Prepared) -> Value {
    let step = &planned.step;
    let (kind, plugin) = match &step.action {
        Action::Plugin(using) => (
            "plugin",
            prepared
                .plugins()
                .find(|(name, _)| *name == using.plugin.as_str()),
        ),
        Action::Wait(_) => ("wait", None),
        Action::Assert(_) => ("assert", None),
        Action::Approval(_) => ("approval", None),
        Action::Manual(_) => ("manual", None),
    };
    let needs = match &step.needs {
        Needs::AllBefore => json!("all_before"),
        Needs::These(ids) => json!(ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let allow: Vec<Value> = planned
        .permission
        .step
        .iter()
        .map(|grant| json!({ "grant": grant.to_string(), "may_change": grant.may_change() }))
        .collect();
    let credentials: Vec<Value> = planned
        .credentials
        .iter()
        .map(|bound| {
            let origins: Vec<String> = bound.origins.iter().map(ToString::to_string).collect();
            json!({ "slot": bound.slot.to_string(), "credential": bound.credential.to_string(), "origins": origins })
        })
        .collect();
    json!({
        "id": step.id.as_str(),
        "name": step.name,
        "runs": kind,
        "plugin": plugin.map(|(name, digest)| json!({
            "name": name,
            "digest": digest.to_string(),
            "source": prepared.provenance(name).map(|provenance| &provenance.source),
            "outside": prepared.provenance(name).map(|provenance| provenance.outside),
            "signed_by": prepared.provenance(name).map(signed_by),
            "version": planned.plugin.as_ref().map(|facts| &facts.version),
            "not_granted": planned.plugin.iter().flat_map(|facts| &facts.not_granted).map(ToString::to_string).collect::<Vec<_>>(),
            "unbound": planned.plugin.iter().flat_map(|facts| &facts.unbound).map(ToString::to_string).collect::<Vec<_>>(),
            "reveal_withheld": is_reveal_withheld(planned, prepared),
            "wasi_http": has_wasi_http(planned, prepared),
        })),
        "needs": needs,
        "if": step.condition.as_ref().map(ToString::to_string),
        "allow": allow,
        "credentials": credentials,
        "reveal": planned.reveal.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "attempts": step.retry.attempts,
        "timeout": format_duration(step.timeout),
        "limits": planned.limits.unusual().map(|(limit, value)| (limit.key().to_owned(), limit_value(&value))).collect::<Map<_, _>>(),
        "failure_let_pass": step.on_failure == OnFailure::Continue,
        "on_failure": match step.on_failure {
            OnFailure::Abort => "abort",
            OnFailure::Continue => "continue",
            OnFailure::Pause => "pause",
            OnFailure::Rollback => "rollback",
        },
        "on_doubt": match step.on_doubt {
            OnDoubt::Wait => "wait",
            OnDoubt::Continue => "continue",
        },
        "rollback": planned.rollback.as_ref().map(|rollback| self::step(rollback, prepared)),
    })
}
