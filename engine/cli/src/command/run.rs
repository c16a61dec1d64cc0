//! `sandbook run`: a plan is confirmed, run, watched and reported.

mod signals;
mod watch;

use std::collections::HashMap;
use std::time::Duration;

use sandbook_executor::{Begun, Engine, Finished, Options, Prepared};
use sandbook_journal::{Reader, RunId, RunState, RunStatus, StateDir};
use sandbook_runbook::{Action, parse_duration};
use tokio::sync::watch as channel;

use self::watch::{Watch, watch};
use super::given::{self, runtime};
use super::show::held;
use crate::arguments::Run;
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render;
use crate::screen::{Output, Paper, complain};

pub(crate) fn run(arguments: &Run, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    let (project, prepared) = given::prepare(&arguments.runbook, &arguments.given, places)?;
    confirm(&prepared, arguments)?;
    let engine = Engine::open(&places.state_of(Some(&project))?, arguments.jobs.get())?;
    let json = arguments.output.is_json();
    let runtime = runtime()?;
    let ended = runtime.block_on(conduct(&engine, prepared, arguments.dry_run, json, output));
    // What still hangs in a worker has no effect any more: the run is over and on record.
    runtime.shutdown_background();
    let (id, state, finished) = ended?;
    if !json {
        output.text(&final_report(
            engine.state(),
            id,
            &state,
            &finished,
            output.paper,
        )?);
    }
    Ok(exit(finished.status))
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

/// Runs the plan and shows what happens.
async fn conduct(
    engine: &Engine,
    prepared: Prepared,
    dry_run: bool,
    json: bool,
    output: &mut Output,
) -> Result<(RunId, RunState, Finished), Problem> {
    let (stop, stopped) = channel::channel(None);
    let waits = waits(&prepared);
    signals::listen(stop)?;
    let options = Options {
        dry_run,
        operator: operator(),
        stop: stopped.clone(),
    };
    let Begun { run, events, live } = engine.start(prepared, options).await?;
    let id = run.id;
    // The run goes on by itself: whoever watches can be slow, or gone.
    let completing = tokio::spawn(run.complete());
    let state = watch(
        Watch {
            events,
            live,
            stopped,
            waits,
            json,
            completing: &completing,
        },
        output,
    )
    .await;
    let finished = completing.await.map_err(|error| {
        Problem::engine("the engine has a bug; please report it").caused_by(&error)
    })??;
    Ok((id, state, finished))
}

/// How long the built-in waits take, where that is known before the run.
fn waits(prepared: &Prepared) -> HashMap<sandbook_journal::StepId, Duration> {
    let plan = &prepared.plan;
    let scope = plan.scope();
    let waits = plan
        .all_steps()
        .filter_map(|planned| match &planned.step.action {
            Action::Wait(template) => {
                let text = template.render(&scope).ok()?;
                let wait = parse_duration(text.as_str()?).ok()?;
                Some((planned.step.id.as_str().into(), wait))
            }
            Action::Plugin(_) | Action::Assert(_) => None,
        });
    waits.collect()
}

fn final_report(
    state_dir: &StateDir,
    id: RunId,
    state: &RunState,
    finished: &Finished,
    paper: Paper,
) -> Result<String, Problem> {
    let held = match state.facts() {
        Some(facts) if facts.dry_run => {
            let record = Reader::open(state_dir)?;
            held(&record, id, state, &record.events(id, 0)?)?
        }
        _ => Vec::new(),
    };
    Ok(format!(
        "\n{}",
        render::report(&id.to_string(), state, finished.status, &held, paper)
    ))
}

fn exit(status: RunStatus) -> Exit {
    match status {
        RunStatus::Succeeded => Exit::Succeeded,
        RunStatus::Failed | RunStatus::Cancelled => Exit::Failed,
        RunStatus::Waiting => Exit::Waiting,
        RunStatus::Interrupted => Exit::Interrupted,
        // A run that was completed is at none of its steps any more.
        RunStatus::Running => Exit::Broken,
    }
}
