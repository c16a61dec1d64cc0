//! `sandbook runs`: the runs on record.

use std::time::Duration;

use sandbook_journal::RunSummary;
use serde_json::json;

use crate::arguments::Runs;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::status;
use crate::screen::{Ink, Output, Paper, Table, Zone, one_line, span};

pub(crate) fn runs(
    arguments: &Runs,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let limit = u32::try_from(arguments.limit).unwrap_or(u32::MAX);
    // A runbook's runs lie anywhere among the others.
    let asked = if arguments.runbook.is_some() {
        None
    } else {
        Some(limit)
    };
    let record = places.record_if_any()?;
    let mut runs = record
        .map(|record| record.runs(asked))
        .transpose()?
        .unwrap_or_default();
    if let Some(runbook) = &arguments.runbook {
        runs.retain(|run| run.facts.runbook.name == *runbook);
        runs.truncate(arguments.limit);
    }
    if arguments.output.is_json() {
        for run in &runs {
            output.line(&to_json(run).to_string());
        }
    } else if runs.is_empty() {
        output.line("No runs on record.");
    } else {
        output.text(&table(&runs, &Zone::local(), output.paper));
    }
    Ok(Exit::Succeeded)
}

fn table(runs: &[RunSummary], zone: &Zone, paper: Paper) -> String {
    let mut table = Table::headed(&[
        "run",
        "status",
        "runbook",
        "environment",
        "started",
        "took",
        "by",
    ]);
    for run in runs {
        let (ink, word) = status(run.status);
        let dry = if run.facts.dry_run { " (dry run)" } else { "" };
        let environment = run
            .facts
            .environment
            .as_ref()
            .map_or_else(String::new, |environment| {
                format!(
                    "{}{}",
                    environment.name,
                    if environment.rehearsal {
                        " (rehearsal)"
                    } else {
                        ""
                    }
                )
            });
        let took = run
            .finished_at
            .map(|at| span(Duration::from_millis(at.saturating_sub(run.started_at))));
        table.row([
            (Ink::Name, run.id.to_string()),
            (ink, word.to_owned()),
            (Ink::Plain, format!("{}{dry}", run.facts.runbook.name)),
            (Ink::Plain, environment),
            (Ink::Plain, zone.stamp(run.started_at)),
            (Ink::Plain, took.unwrap_or_default()),
            (Ink::Plain, one_line(&run.facts.operator.name)),
        ]);
    }
    table.render(paper)
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
