//! What a whole process costs that has next to nothing to do.

use std::process::Command;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::seconds;
use crate::runbook::{Order, idle};
use crate::workshop::{Plugin, Workshop};

pub(crate) fn process(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let project = workshop.project("process")?;
    project.write("one", &idle(1, Order::Sequence))?;
    let errors = workshop.errors();
    let one_step = Pairs::take(
        201,
        || seconds(project.run("one"), &errors),
        || seconds(project.floor(Plugin::Noop, 1, "{}"), &errors),
    )?;
    let version = Pairs::take(
        401,
        || seconds(project.sandbook(&["--version"]), &errors),
        || seconds(Command::new("/bin/true"), &errors),
    )?;
    Ok(vec![
        Finding::Ratio(Comparison {
            what: "one step that does nothing, its code cached, whole process".to_owned(),
            sides: [
                "sandbook run",
                "floor (the same commits to a database that exists)",
            ],
            unit: Unit::Seconds,
            pairs: one_step,
            bound: Bound::AtMost(2.0),
        }),
        Finding::Ratio(Comparison {
            what: "a process that has nothing to do".to_owned(),
            sides: ["sandbook --version", "/bin/true"],
            unit: Unit::Seconds,
            pairs: version,
            bound: Bound::AtMost(4.0),
        }),
    ])
}
