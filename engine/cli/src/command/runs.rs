//! `sandbook runs`: the runs on record.

use std::time::Duration;

use sandbook_journal::{RunStarted, RunSummary, UnreadableRun};
use serde_json::json;

use crate::arguments::Runs;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::{count, status};
use crate::screen::{Ink, Output, Paper, Table, Zone, complain, one_line, safe, span};

pub(crate) fn runs(
    arguments: &Runs,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    // A runbook's runs lie anywhere among the others.
    let asked = arguments.runbook.is_none().then_some(arguments.limit);
    let record = places.record_if_any()?;
    let mut runs = record
        .map(|record| record.list(asked))
        .transpose()?
        .unwrap_or_default();
    if let Some(runbook) = &arguments.runbook {
        // Of one that can't be read it isn't known whose it is.
        let is_asked = |run: &RunSummary| run.facts.runbook.name == *runbook;
        runs.retain(|run| run.as_ref().is_ok_and(is_asked));
        runs.truncate(usize::try_from(arguments.limit).unwrap_or(usize::MAX));
    }
    if arguments.output.is_json() {
        for run in &runs {
            let whole = run.as_ref().map_or_else(unreadable_json, to_json);
            output.line(&whole.to_string());
        }
    } else if runs.is_empty() {
        output.line(&match &arguments.runbook {
            Some(runbook) => format!("No runs of `{}` on record.", safe(runbook)),
            None => "No runs on record.".to_owned(),
        });
    } else {
        output.text(&table(&runs, &Zone::local(), output.paper));
    }
    let unreadable = runs.iter().filter(|run| run.is_err()).count();
    if unreadable > 0 {
        complain(&cant_be_read(unreadable));
    }
    Ok(Exit::Succeeded)
}

/// What to do about runs whose logs aren't ones.
pub(super) fn cant_be_read(runs: usize) -> String {
    let runs = count(runs, "run");
    format!("{runs} can't be read: `sandbook audit verify` says what is wrong")
}

type Listed = Result<RunSummary, UnreadableRun>;

fn table(runs: &[Listed], zone: &Zone, paper: Paper) -> String {
    let mut table = Table::headed(&["run", "status", "started", "took", "runbook"]);
    for run in runs {
        let run = match run {
            Ok(run) => run,
            Err(unreadable) => {
                table.row([
                    (Ink::Name, unreadable.id.to_string()),
                    (Ink::Bad, "unreadable".to_owned()),
                    (Ink::Plain, zone.stamp(unreadable.started_at)),
                    (Ink::Plain, String::new()),
                    (Ink::Plain, String::new()),
                ]);
                continue;
            }
        };
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

fn unreadable_json(run: &UnreadableRun) -> serde_json::Value {
    json!({
        "run": run.id,
        "status": "unreadable",
        "started_at": run.started_at,
        "error": run.fault.to_string(),
    })
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
