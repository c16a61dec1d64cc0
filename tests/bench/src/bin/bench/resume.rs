//! Taking a run of ten thousand finished steps up again, against reading its events.

use std::process::Command;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::{WAITING, seconds, seconds_to};
use crate::runbook::{Order, idle};
use crate::workshop::Workshop;

const STEPS: usize = 10_000;

/// A step that waits, so that the run isn't over: whoever takes it up finds nothing to do, and leaves it again.
const HOLD: &str = "  - id: hold\n    approval: { message: go on? }\n";

pub(crate) fn resume(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let installed = Command::new("sqlite3").arg("--version").output();
    if !installed.is_ok_and(|output| output.status.success()) {
        let why = "there is no `sqlite3` to read the events with".to_owned();
        return Ok(vec![Finding::Skipped { why }]);
    }
    let project = workshop.project("resume")?;
    project.write("long", &(idle(STEPS, Order::Sequence) + HOLD))?;
    let errors = workshop.errors();
    seconds_to(project.run("long"), &errors, WAITING)?;
    let resume = || project.sandbook(&["resume", "@last"]);
    let read = || {
        let mut command = Command::new("sqlite3");
        command
            .arg(project.journal())
            .arg("SELECT * FROM events ORDER BY id");
        command
    };
    let pairs = Pairs::take(
        21,
        || seconds_to(resume(), &errors, WAITING),
        || seconds(read(), &errors),
    )?;
    Ok(vec![Finding::Ratio(Comparison {
        what: "a run of 10,000 finished steps taken up, up to where it waits, whole process"
            .to_owned(),
        sides: ["sandbook resume", "sqlite3 that prints its events"],
        unit: Unit::Seconds,
        pairs,
        bound: Bound::AtMost(5.0),
    })])
}
