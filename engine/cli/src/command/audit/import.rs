//! `sandbook audit import`: the runs of another state directory.

use std::path::{Path, PathBuf};

use sandbook_journal::{
    Added, Behind, Clock as _, ImportError, Imported, RunId, StateDir, SystemClock,
    import as take_over,
};
use serde_json::json;

use crate::arguments::AuditImport;
use crate::command::anchor::send_head;
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::count;
use crate::screen::Output;

pub(crate) fn import(
    arguments: &AuditImport,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let from = StateDir::open_existing(&folder(&arguments.from)?)?;
    let state = places.state()?;
    let all = take_over(&state, &from, &operator(), SystemClock.now()).map_err(problem)?;
    for (run, imported) in &all {
        if arguments.output.is_json() {
            let (outcome, events) = word(imported);
            let behind = match imported {
                Imported::New(added) | Imported::Extended(added) => added.behind.as_ref(),
                _ => None,
            };
            let behind =
                behind.map(|behind| json!({ "group": behind.group, "run": behind.holder }));
            let whole =
                json!({ "run": run, "outcome": outcome, "events": events, "behind": behind });
            output.line(&whole.to_string());
        } else {
            output.line(&sentence(*run, imported));
        }
    }
    if !arguments.output.is_json() && all.is_empty() {
        output.line("There are no runs.");
    }
    if !all.is_empty() {
        send_head(places, &state)?;
    }
    let all_well = all.iter().all(|(_, imported)| imported.is_well());
    Ok(if all_well {
        Exit::Succeeded
    } else {
        Exit::Failed
    })
}

/// The state directory that is meant; nothing is made where there is none.
fn folder(from: &Path) -> Result<PathBuf, Problem> {
    let folder = match from.file_name() {
        Some(name) if name == "journal.db" => from.parent().unwrap_or(Path::new(".")),
        _ => from,
    };
    if folder.join("journal.db").is_file() {
        return Ok(folder.to_owned());
    }
    Err(Problem::wrong(format!(
        "`{}` is not a state directory: there is no journal in it",
        from.display()
    ))
    .help("name the folder that was given to `--state`"))
}

fn sentence(run: RunId, imported: &Imported) -> String {
    match imported {
        Imported::New(added) => {
            let events = count_events(added.events);
            format!("{run}: taken over, {events}{}", behind(added))
        }
        Imported::Extended(added) => {
            let events = count_events(added.events);
            format!("{run}: {events} added to those here{}", behind(added))
        }
        Imported::AlreadyHere => format!("{run}: here already"),
        Imported::Pruned => format!("{run}: not taken over: it was pruned here"),
        Imported::Live => format!("{run}: refused: a live process has it"),
        Imported::Other => format!("{run}: refused: there is another log of that run here"),
        Imported::Unsound(finding) => {
            format!("{run}: refused: it is not as it was written: {finding}")
        }
    }
}

/// What keeps the run from going on here.
fn behind(added: &Added) -> String {
    let told = added.behind.as_ref().map(|Behind { group, holder }| {
        format!("; run {holder} holds its group `{group}`, and has to end before it can be resumed")
    });
    told.unwrap_or_default()
}

fn count_events(events: u64) -> String {
    count(usize::try_from(events).unwrap_or(usize::MAX), "event")
}

fn word(imported: &Imported) -> (&'static str, u64) {
    match imported {
        Imported::New(added) => ("new", added.events),
        Imported::Extended(added) => ("extended", added.events),
        Imported::AlreadyHere => ("already_here", 0),
        Imported::Pruned => ("pruned", 0),
        Imported::Live => ("live", 0),
        Imported::Other => ("other", 0),
        Imported::Unsound(_) => ("unsound", 0),
    }
}

fn problem(error: ImportError) -> Problem {
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::StateDir(error) => error.into(),
        ImportError::Read(error) => error.into(),
        ImportError::Log(error) => Problem::engine("a run there can't be read").caused_by(&error),
        error @ (ImportError::Itself | ImportError::Unsound(_)) => {
            Problem::wrong(error.to_string())
        }
    }
}
