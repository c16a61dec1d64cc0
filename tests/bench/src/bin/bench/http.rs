//! Steps with one HTTP request each.

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::process::seconds;
use crate::runbook::{asking, input};
use crate::server;
use crate::workshop::{Plugin, Workshop};

const STEPS: usize = 300;

pub(crate) fn http(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let server = server::start()?;
    let url = format!("http://{server}/health");
    let project = workshop.project("http")?;
    project.reach(server)?;
    project.write("asking", &asking(STEPS, &url))?;
    let input = input(&url);
    let errors = workshop.errors();
    let floor = || project.floor(Plugin::HttpRequest, STEPS, &input);
    let pairs = Pairs::take(
        31,
        || seconds(project.run_asking("asking"), &errors),
        || seconds(floor(), &errors),
    )?;
    Ok(vec![Finding::Ratio(Comparison {
        what: "300 steps in sequence with one GET to loopback each, durable, whole process"
            .to_owned(),
        sides: [
            "sandbook run",
            "floor (one shared reqwest client, the same commits)",
        ],
        unit: Unit::Seconds,
        pairs,
        bound: Bound::AtMost(1.5),
    })])
}
