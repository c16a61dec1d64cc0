//! A thousand steps that do nothing: in sequence, in parallel, the first against the last, and their memory.

use std::process::Command;

use serde_json::Value;

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::{peak_memory, printed, seconds};
use crate::runbook::{Order, idle};
use crate::workshop::{Plugin, Project, Workshop};

const STEPS: usize = 1_000;

const FORKS: &str = "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done";

pub(crate) fn sequence(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let project = workshop.project("sequence")?;
    project.write("sequence", &idle(STEPS, Order::Sequence))?;
    let errors = workshop.errors();
    let floor = || project.floor(Plugin::Noop, STEPS, "{}");
    let shell = || {
        let mut command = Command::new("sh");
        command.args(["-c", FORKS]);
        command
    };
    let against_floor = Pairs::take(
        31,
        || seconds(project.run("sequence"), &errors),
        || seconds(floor(), &errors),
    )?;
    let against_shell = Pairs::take(
        11,
        || seconds(project.run("sequence"), &errors),
        || seconds(shell(), &errors),
    )?;
    Ok(vec![
        Finding::Ratio(Comparison {
            what: "1,000 steps in sequence, durable, whole process".to_owned(),
            sides: [
                "sandbook run",
                "floor (bare wasmtime and SQLite, the same commits)",
            ],
            unit: Unit::Seconds,
            pairs: against_floor,
            bound: Bound::AtMost(1.4),
        }),
        Finding::Ratio(Comparison {
            what: "1,000 steps in sequence, durable, whole process".to_owned(),
            sides: ["sandbook run", "sh that forks /bin/true 1,000 times"],
            unit: Unit::Seconds,
            pairs: against_shell,
            bound: Bound::AtMost(0.6),
        }),
    ])
}

pub(crate) fn parallel(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let project = workshop.project("parallel")?;
    project.write("sequence", &idle(STEPS, Order::Sequence))?;
    project.write("parallel", &idle(STEPS, Order::Parallel))?;
    let errors = workshop.errors();
    let pairs = Pairs::take(
        21,
        || seconds(project.run("sequence"), &errors),
        || seconds(project.run("parallel"), &errors),
    )?;
    Ok(vec![Finding::Ratio(Comparison {
        what: "how many times faster 1,000 steps are in parallel, durable, whole process"
            .to_owned(),
        sides: ["sandbook run, in sequence", "sandbook run, `needs: []`"],
        unit: Unit::Seconds,
        pairs,
        bound: Bound::AtLeast(5.0),
    })])
}

/// The journal has milliseconds, and a step takes a fifth of one: so a hundred steps of several runs make a measure.
pub(crate) fn flat(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    const WINDOW: usize = 100;
    const RUNS: usize = 5;
    let project = workshop.project("flat")?;
    project.write("sequence", &idle(STEPS, Order::Sequence))?;
    let errors = workshop.errors();
    let windows = || -> Outcome<(f64, f64)> {
        let (mut last, mut first) = (0.0, 0.0);
        for _ in 0..RUNS {
            seconds(project.run("sequence"), &errors)?;
            let starts = starts(&project)?;
            last += starts[STEPS - 1] - starts[STEPS - 1 - WINDOW];
            first += starts[9 + WINDOW] - starts[9];
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let steps = (WINDOW * RUNS) as f64;
        Ok((last / steps, first / steps))
    };
    windows()?;
    let pairs: Outcome<Vec<_>> = (0..11).map(|_| windows()).collect();
    Ok(vec![Finding::Ratio(Comparison {
        what: "what a step costs late and early in a run of 1,000, by the journal's times"
            .to_owned(),
        sides: ["a step of the last 100", "a step of the 100 from the 10th"],
        unit: Unit::Seconds,
        pairs: Pairs::new(pairs?),
        bound: Bound::AtMost(1.1),
    })])
}

pub(crate) fn memory(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let project = workshop.project("memory")?;
    project.write("sequence", &idle(STEPS, Order::Sequence))?;
    let errors = workshop.errors();
    let floor = || project.floor(Plugin::Noop, STEPS, "{}");
    let pairs = Pairs::take(
        5,
        || peak_memory(project.run("sequence"), &errors),
        || peak_memory(floor(), &errors),
    )?;
    Ok(vec![Finding::Ratio(Comparison {
        what: "the most memory that 1,000 steps in sequence need at once (resident set)".to_owned(),
        sides: ["sandbook run", "floor"],
        unit: Unit::Bytes,
        pairs,
        bound: Bound::AtMost(3.0),
    })])
}

/// When each step of the last run began, in seconds.
fn starts(project: &Project<'_>) -> Outcome<Vec<f64>> {
    let log = printed(project.sandbook(&["log", "@last", "--output", "json"]))?;
    let mut starts = Vec::new();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line)?;
        if event["kind"] == "step_started" {
            starts.push(event["time"].as_f64().ok_or("an event has no time")? / 1e3);
        }
    }
    if starts.len() == STEPS {
        Ok(starts)
    } else {
        Err(format!("the log has {} steps", starts.len()).into())
    }
}
