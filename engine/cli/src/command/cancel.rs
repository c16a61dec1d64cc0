//! `sandbook cancel` and `sandbook undo`: a run is ended, or what it did is undone.

use sandbook_journal::{RunId, RunState};

use super::carry_out::carry_out;
use super::given::runtime;
use crate::arguments::{Cancel, Undo};
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render;
use crate::screen::{Output, Paper, complain};

pub(crate) fn cancel(
    arguments: &Cancel,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let record = places.record()?;
    let run = record.resolve(&arguments.run)?;
    if arguments.rollback {
        confirm(run, &record.state(run)?, arguments.yes)?;
    }
    let project = places.project()?;
    let engine = places.engine(&project, arguments.jobs)?;
    let reason = reason(arguments.reason.as_deref(), "no reason given")?;
    runtime()?.block_on(engine.cancel(run, reason, arguments.rollback, operator()))?;
    complain(&format!("On record: run {run} is cancelled."));
    let exit = carry_out(&engine, &project, run, arguments.output, output)?;
    Ok(as_asked(exit))
}

pub(crate) fn undo(
    arguments: &Undo,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let record = places.record()?;
    let run = record.resolve(&arguments.run)?;
    confirm(run, &record.state(run)?, arguments.yes)?;
    let project = places.project()?;
    let engine = places.engine(&project, arguments.jobs)?;
    let reason = reason(arguments.reason.as_deref(), "no reason given")?;
    runtime()?.block_on(engine.undo(run, reason, operator()))?;
    let exit = carry_out(&engine, &project, run, arguments.output, output)?;
    Ok(as_asked(exit))
}

/// That the run is cancelled is what was asked for.
fn as_asked(exit: Exit) -> Exit {
    match exit {
        Exit::Cancelled => Exit::Succeeded,
        other => other,
    }
}

fn reason(given: Option<&str>, none: &str) -> Result<String, Problem> {
    match given.map(str::trim) {
        Some("") => Err(Problem::wrong("the reason is empty")),
        given => Ok(given.unwrap_or(none).to_owned()),
    }
}

/// Shows what is to be undone, and asks whether it is to be.
fn confirm(run: RunId, state: &RunState, yes: bool) -> Result<(), Problem> {
    complain(&render::undoing(run, state, Paper::standard_error()));
    if yes {
        return Ok(());
    }
    if !prompt::somebody_is_there() {
        return Err(
            Problem::wrong("undoing was not confirmed, so nothing was done")
                .help("confirm it on a terminal, or beforehand with `--yes`"),
        );
    }
    if prompt::confirm("Undo this?")? {
        Ok(())
    } else {
        Err(Problem::wrong("not confirmed, so nothing was done"))
    }
}
