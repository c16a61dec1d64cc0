//! What has to hold at the end of every run, whatever was done to it.

use sandbook_journal::RunState;
use sandbook_journal::audit::Terms;

use crate::course::Course;
use crate::disturbance::Disturbance;
use crate::driver::{End, Report};
use crate::ledger::{arrived, done, recorded};
use crate::stage::Stage;

/// Looks at all of them, and says in words what doesn't hold.
pub(crate) fn violations(
    stage: &Stage,
    report: &Report,
    undisturbed: &End,
    disturbance: &Disturbance,
) -> Vec<String> {
    let mut violations = chain(stage);
    match states(stage) {
        Ok(states) => violations.extend(requests(stage, &states, undisturbed)),
        Err(error) => violations.push(error),
    }
    // An answer may be lost once too often for the flagship, which then says so.
    let same = stage.course != Course::Flagship || disturbance.faults.is_empty();
    violations.extend(end(&report.end, undisturbed, same));
    violations
}

/// The record holds: the chains, the ledger and its signatures.
fn chain(stage: &Stage) -> Vec<String> {
    let terms = Terms {
        key: stage.signing_key(),
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    };
    match stage.reader().audit(&terms) {
        Ok(audit) => audit.findings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("the record can't be audited: {error}")],
    }
}

fn states(stage: &Stage) -> Result<Vec<RunState>, String> {
    let reader = stage.reader();
    let runs = reader.runs(None).map_err(|error| error.to_string())?;
    let states = runs.iter().map(|run| reader.state(run.id));
    states
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

/// No record, no effect; never twice; and what is on record is what happened.
fn requests(stage: &Stage, states: &[RunState], undisturbed: &End) -> Vec<String> {
    let mut violations = Vec::new();
    let log = stage.cloud.requests();
    let (recorded, done) = (recorded(states), done(&log));
    for (place, arrived) in arrived(&log) {
        let known = recorded.get(&place).copied().unwrap_or_default();
        if arrived > known.intents {
            let intents = known.intents;
            violations.push(format!(
                "`{place}` arrived {arrived} times, with {intents} intents on record"
            ));
        }
    }
    for (place, known) in recorded.iter().filter(|(_, known)| known.delicate) {
        let times = done.get(place).copied().unwrap_or(0);
        let once = undisturbed.done.get(place).copied().unwrap_or(1);
        if times > once {
            violations.push(format!("`{place}` was done {times} times, and not {once}"));
        }
        if times < known.done || times > known.done + known.open {
            violations.push(format!(
                "`{place}` was done {times} times; known: {known:?}"
            ));
        }
    }
    violations
}

/// The run comes to the same end as one that nothing disturbed.
fn end(end: &End, undisturbed: &End, has_to: bool) -> Vec<String> {
    let as_well = end.status == undisturbed.status && end.steps == undisturbed.steps;
    let mut violations = Vec::new();
    if has_to && end.status != undisturbed.status {
        let (status, expected) = (&end.status, &undisturbed.status);
        violations.push(format!("it ended as {status}, and not as {expected}"));
    }
    if has_to {
        for (step, stands) in &end.steps {
            let expected = undisturbed.steps.get(step);
            if expected != Some(stands) {
                violations.push(format!("step `{step}` is {stands}, and not {expected:?}"));
            }
        }
    }
    if (has_to || as_well) && end.world != undisturbed.world {
        violations.push(format!(
            "the world is another: {}, and not {}",
            end.world, undisturbed.world
        ));
    }
    let places = |end: &End| end.done.keys().cloned().collect::<Vec<_>>();
    if has_to && places(end) != places(undisturbed) {
        violations.push(format!(
            "the cloud has done something else: {:?}, and not {:?}",
            end.done, undisturbed.done
        ));
    }
    violations
}
