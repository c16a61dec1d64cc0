//! Looking at a plugin compiles nothing, however large it is.

use std::process::Command;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::seconds;
use crate::workshop::Workshop;

const PAIRS: usize = 31;

/// What a look may take, in seconds.
const MOST: f64 = 0.1;

const RUNBOOK: &str = "name: look\nsteps:\n  - id: one\n    uses: idle\n";

pub(crate) fn look(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let Some(idle) = workshop.idle("python") else {
        let why = "the plugin in Python was left out: its toolchain could not be had".to_owned();
        return Ok(vec![Finding::Skipped { why }]);
    };
    let project = workshop.project_with("look", &[("idle", &*idle.component)])?;
    project.write("look", RUNBOOK)?;
    let errors = workshop.errors();
    let mut findings = Vec::new();
    for arguments in [
        ["check", "look"].as_slice(),
        &["plan", "look"],
        &["plugin", "inspect", "idle"],
    ] {
        let pairs = Pairs::take(
            PAIRS,
            || seconds(project.sandbook(arguments), &errors),
            || {
                let mut digest = Command::new("sha256sum");
                digest.arg(&idle.component);
                seconds(digest, &errors)
            },
        )?;
        let command = format!("sandbook {}", arguments.join(" "));
        findings.push(Finding::Fact {
            what: format!("`{command}` of a Python plugin takes less than 0.1 s"),
            holds: pairs.medians().0 < MOST,
        });
        findings.push(Finding::Ratio(Comparison {
            what: format!("`{command}` of a Python plugin, never compiled"),
            sides: ["sandbook", "sha256sum of the component"],
            unit: Unit::Seconds,
            pairs,
            bound: Bound::None,
        }));
    }
    findings.push(Finding::Fact {
        what: "and nothing was compiled".to_owned(),
        holds: !project.cache().exists(),
    });
    Ok(findings)
}
