//! What comes once a person's word is on record: the run goes on with it, here or where it is.

use sandbook_executor::{Engine, Project};
use sandbook_journal::{Reader, RunId};

use super::conduct::{Taking, take_up};
use crate::arguments;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::screen::{Output, complain};

/// Goes on with the run, unless another process has it or has ended it by now.
pub(super) fn carry_out(
    engine: &Engine,
    project: &Project,
    run: RunId,
    format: arguments::Output,
    output: &mut Output,
) -> Result<Exit, Problem> {
    if left_to_another(engine, run)? {
        return Ok(Exit::Succeeded);
    }
    let taking = Taking {
        run,
        accept: None,
        format,
    };
    match take_up(engine, project, taking, output) {
        // Somebody else was quicker.
        Err(problem) if problem.exit == Exit::Held => {
            complain("Another process goes on with the run, and does the rest.");
            Ok(Exit::Succeeded)
        }
        taken_up => taken_up,
    }
}

fn left_to_another(engine: &Engine, run: RunId) -> Result<bool, Problem> {
    let said = if engine.is_carried_on(run)? {
        "goes on in another process, which does the rest"
    } else if Reader::open(engine.state())?.state(run)?.finish().is_some() {
        "was ended by another process meanwhile"
    } else {
        return Ok(false);
    };
    complain(&format!("Run {run} {said}."));
    Ok(true)
}
