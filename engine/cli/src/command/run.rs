//! `sandbook run`: a plan is confirmed, run, watched and reported.

mod signals;
mod watch;

use std::collections::HashMap;
use std::time::Duration;

use sandbook_executor::{Begun, Engine, Finished, Options, Prepared};
use sandbook_journal::{Reader, RunId, RunState, RunStatus};
use sandbook_runbook::{Action, parse_duration};
use tokio::sync::watch as channel;

use self::watch::Watch;
use super::given::{self, runtime};
use super::show::held;
use crate::arguments::Run;
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render::{self, Standing};
use crate::screen::{Output, Paper, complain};

/// How long nothing is to be seen before it is said why.
const LONG: Duration = Duration::from_millis(400);

pub(crate) fn run(arguments: &Run, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    let (project, prepared) = given::prepare(&arguments.runbook, &arguments.given, places)?;
    confirm(&prepared, arguments)?;
    let engine = Engine::open(&places.state_of(Some(&project))?, arguments.jobs)?;
    let runtime = runtime()?;
    let ended = runtime.block_on(conduct(&engine, prepared, arguments, output));
    // What still hangs in a worker has no effect any more: the run is over and on record.
    runtime.shutdown_background();
    let (id, state, finished) = ended?;
    if !arguments.output.is_json() {
        let held = if arguments.dry_run {
            let record = Reader::open(engine.state())?;
            held(&record, id, &state, &record.events(id, 0)?)?
        } else {
            Vec::new()
        };
        let run = Standing {
            id,
            state: &state,
            status: finished.status,
            held: &held,
        };
        output.text(&final_report(&run, output.paper));
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
    arguments: &Run,
    output: &mut Output,
) -> Result<(RunId, RunState, Finished), Problem> {
    let (stop, stopped) = channel::channel(None);
    let waits = waits(&prepared);
    signals::listen(stop)?;
    let options = Options {
        dry_run: arguments.dry_run,
        operator: operator(),
        stop: stopped.clone(),
    };
    let notice = tokio::spawn(say_why_it_takes_long());
    let begun = engine.start(prepared, options).await;
    notice.abort();
    let Begun { run, events, live } = begun?;
    let id = run.id;
    // The run goes on by itself: whoever watches can be slow, or gone.
    let watch = Watch {
        events,
        live,
        stopped,
        waits,
        json: arguments.output.is_json(),
        completing: tokio::spawn(run.complete()),
    };
    let (state, completed) = watch::watch(watch, output).await;
    let completed = completed.map_err(|error| {
        Problem::engine("the engine has a bug; please report it").caused_by(&error)
    })?;
    let finished = completed.map_err(|failed| {
        Problem::from(failed).help(format!("`sandbook show {id}` shows what is on record"))
    })?;
    Ok((id, state, finished))
}

/// Before its first event a run obtains its credentials, and compiles what was never run before.
async fn say_why_it_takes_long() {
    tokio::time::sleep(LONG).await;
    if Paper::standard_error().is_terminal() {
        complain(
            "Obtaining credentials and loading plugins. A plugin's first run takes longer: it is compiled.",
        );
    }
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

fn final_report(run: &Standing<'_>, paper: Paper) -> String {
    let facts = run.state.facts();
    let heading = facts.and_then(|facts| render::rehearsal(facts, paper));
    let heading = heading.map(|line| line + "\n").unwrap_or_default();
    format!("\n{heading}{}", render::report(run, paper))
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
