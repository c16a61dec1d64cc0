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
    let brief = render::brief(&prepared, Paper::standard_error());
    confirm(&prepared, arguments.dry_run, arguments.yes, Some(&brief))?;
    let engine = places.engine(&project, arguments.jobs)?;
    let start = async |options| engine.start(prepared, arguments.dry_run, options).await;
    conduct(&engine, &project, start, arguments.output, output)
}

/// Lets a person see what is about to be done, where that isn't seen yet. Only what may change something is asked about.
pub(super) fn confirm(
    prepared: &Prepared,
    dry_run: bool,
    yes: bool,
    unseen: Option<&str>,
) -> Result<(), Problem> {
    if dry_run || !render::may_change_something(&prepared.plan) {
        return Ok(());
    }
    let protected = prepared
        .plan
        .environment
        .as_ref()
        .filter(|environment| environment.protected);
    if !prompt::somebody_is_there() {
        return match protected {
            Some(environment) if !yes => Err(Problem::wrong(format!("environment `{}` is protected", environment.name))
                .help("run it on a terminal, where its name is typed, or confirm the plan beforehand with `--yes`")),
            _ => Ok(()),
        };
    }
    if yes && protected.is_none() {
        return Ok(());
    }
    if let Some(plan) = unseen {
        complain(plan);
    }
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
