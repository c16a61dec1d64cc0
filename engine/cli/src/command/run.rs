//! `sandbook run`: a plan is confirmed, run, watched and reported.

use sandbook_executor::Prepared;

use super::conduct::conduct;
use super::given;
use crate::arguments::Run;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render;
use crate::screen::{Output, Paper, complain};

pub(crate) fn run(arguments: &Run, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    let (project, prepared) = given::prepare(&arguments.runbook, &arguments.given, places)?;
    confirm(&prepared, arguments)?;
    let engine = places.engine(&project, arguments.jobs)?;
    let start = async |options| engine.start(prepared, arguments.dry_run, options).await;
    conduct(&engine, &project, start, arguments.output, output)
}

/// Lets a person see what is about to be done. Only what may change something is asked about.
fn confirm(prepared: &Prepared, arguments: &Run) -> Result<(), Problem> {
    if arguments.dry_run || !render::may_change_something(&prepared.plan) {
        return Ok(());
    }
    let protected = prepared
        .plan
        .environment
        .as_ref()
        .filter(|environment| environment.protected);
    if !prompt::somebody_is_there() {
        return match protected {
            Some(environment) if !arguments.yes => Err(Problem::wrong(format!("environment `{}` is protected", environment.name))
                .help("run it on a terminal, where its name is typed, or confirm the plan beforehand with `--yes`")),
            _ => Ok(()),
        };
    }
    if arguments.yes && protected.is_none() {
        return Ok(());
    }
    complain(&render::brief(prepared, Paper::standard_error()));
    let confirmed = match protected {
        Some(environment) => {
            let name = environment.name.to_string();
            prompt::type_name(
                &format!("This may change things in `{name}`, which is protected. Type its name"),
                &name,
            )?
        }
        None => prompt::confirm("This may change things. Run it?")?,
    };
    if confirmed {
        Ok(())
    } else {
        Err(Problem::wrong("not confirmed, so nothing was done"))
    }
}
