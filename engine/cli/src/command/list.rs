//! `sandbook list`: what can be run here.

use std::collections::HashMap;

use sandbook_executor::{Listed, Project, Refused};
use sandbook_journal::{RunStatus, RunSummary};
use serde_json::json;

use crate::arguments;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{Ink, Output, Table, Zone, one_line, safe};

pub(crate) fn list(
    format: arguments::Output,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let runbooks = project.runbooks()?;
    let successes = successes(places, &project)?;
    if format.is_json() {
        for runbook in &runbooks {
            let success = successes.get(&runbook.name);
            output.line(&to_json(&project, runbook, success).to_string());
        }
        return Ok(Exit::Succeeded);
    }
    if runbooks.is_empty() {
        output.line(&format!(
            "No runbooks in `{}`.",
            safe(&project.root().display().to_string())
        ));
        return Ok(Exit::Succeeded);
    }
    let zone = Zone::local();
    let mut table = Table::headed(&["runbook", "last success", "description"]);
    for runbook in &runbooks {
        let (ink, description) = match description(&project, runbook) {
            Ok(description) => (Ink::Plain, description.unwrap_or_default()),
            Err(_) => (
                Ink::Bad,
                "has faults: `sandbook check` shows them".to_owned(),
            ),
        };
        let success = successes.get(&runbook.name).map(|run| last(run, &zone));
        let success = success.unwrap_or_else(|| "–".to_owned());
        table.row([
            (Ink::Name, safe(&runbook.name).into_owned()),
            (Ink::Faint, success),
            (ink, one_line(&description)),
        ]);
    }
    output.text(&table.render(output.paper));
    Ok(Exit::Succeeded)
}

fn description(project: &Project, runbook: &Listed) -> Result<Option<String>, Refused> {
    Ok(project.runbook(runbook)?.description)
}

fn last(run: &RunSummary, zone: &Zone) -> String {
    let environment = run
        .facts
        .environment
        .as_ref()
        .map(|environment| format!(" in {}", environment.name));
    zone.stamp(run.finished_at.unwrap_or(run.started_at)) + &environment.unwrap_or_default()
}

/// The last run of each runbook that succeeded, dry runs aside. Looking makes no state directory.
fn successes(places: &Places, project: &Project) -> Result<HashMap<String, RunSummary>, Problem> {
    let mut successes = HashMap::new();
    let Some(record) = places.record_of_project(project)? else {
        return Ok(successes);
    };
    // Those that can't be read are shown by `runs`.
    for run in record.list(None)?.into_iter().flatten() {
        if run.status == RunStatus::Succeeded && !run.facts.dry_run {
            successes
                .entry(run.facts.runbook.name.clone())
                .or_insert(run);
        }
    }
    Ok(successes)
}

fn to_json(project: &Project, runbook: &Listed, success: Option<&RunSummary>) -> serde_json::Value {
    let description = description(project, runbook);
    json!({
        "name": runbook.name,
        "path": runbook.path,
        "has_faults": description.is_err(),
        "description": description.ok().flatten(),
        "last_success": success.map(|run| json!({
            "run": run.id,
            "finished_at": run.finished_at,
            "environment": run.facts.environment.as_ref().map(|environment| &environment.name),
        })),
    })
}
