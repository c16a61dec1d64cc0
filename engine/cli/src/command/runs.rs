//! `sandbook runs`: the runs on record.

use std::time::Duration;

use sandbook_journal::{RunStarted, RunSummary};
use serde_json::json;

use crate::arguments::Runs;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::status;
use crate::screen::{Ink, Output, Paper, Table, Zone, one_line, safe, span};

pub(crate) fn runs(
    arguments: &Runs,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    // A runbook's runs lie anywhere among the others.
    let asked = arguments.runbook.is_none().then_some(arguments.limit);
    let record = places.record_if_any()?;
    let mut runs = record
        .map(|record| record.runs(asked))
        .transpose()?
        .unwrap_or_default();
    if let Some(runbook) = &arguments.runbook {
        runs.retain(|run| run.facts.runbook.name == *runbook);
        runs.truncate(usize::try_from(arguments.limit).unwrap_or(usize::MAX));
    }
    if arguments.output.is_json() {
        for run in &runs {
            output.line(&to_json(run).to_string());
        }
    } else if runs.is_empty() {
        output.line(&match &arguments.runbook {
            Some(runbook) => format!("No runs of `{}` on record.", safe(runbook)),
            None => "No runs on record.".to_owned(),
        });
    } else {
        output.text(&table(&runs, &Zone::local(), output.paper));
    }
    Ok(Exit::Succeeded)
}

fn table(runs: &[RunSummary], zone: &Zone, paper: Paper) -> String {
    let mut table = Table::headed(&["run", "status", "started", "took", "runbook"]);
    for run in runs {
        let (ink, word) = status(run.status);
        let took = run
            .finished_at
            .map(|at| span(Duration::from_millis(at.saturating_sub(run.started_at))));
        table.row([
            (Ink::Name, run.id.to_string()),
            (ink, word.to_owned()),
            (Ink::Plain, zone.stamp(run.started_at)),
            (Ink::Plain, took.unwrap_or_default()),
            (Ink::Plain, what(&run.facts)),
        ]);
    }
    table.render(paper)
}

/// What was run, where and by whom: `restore-site (dry run) in demo (rehearsal) by ana`.
fn what(facts: &RunStarted) -> String {
    let dry = if facts.dry_run { " (dry run)" } else { "" };
    let place = match &facts.environment {
        None => String::new(),
        Some(environment) if environment.rehearsal => {
            format!(" in {} (rehearsal)", environment.name)
        }
        Some(environment) => format!(" in {}", environment.name),
    };
    let who = one_line(&facts.operator.name);
    format!("{}{dry}{place} by {who}", facts.runbook.name)
}

fn to_json(run: &RunSummary) -> serde_json::Value {
    json!({
        "run": run.id,
        "status": run.status,
        "runbook": run.facts.runbook,
        "environment": run.facts.environment,
        "dry_run": run.facts.dry_run,
        "operator": run.facts.operator,
        "host": run.facts.host,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "failed_step": run.failed_step,
    })
}
