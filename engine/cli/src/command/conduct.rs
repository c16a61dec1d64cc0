//! A run that goes on in this process: it is watched, and reported when it is through.

mod signals;
mod watch;

use std::collections::HashMap;
use std::time::Duration;

use sandbook_executor::{Begun, Engine, Finished, Options, StartError};
use sandbook_journal::{Reader, RunId, RunState, RunStatus, StepId};
use sandbook_runbook::{Action, Plan, parse_duration};
use tokio::sync::watch as channel;

use self::watch::Watch;
use super::given::runtime;
use super::show::held;
use crate::arguments;
use crate::exit::Exit;
use crate::operator::operator;
use crate::problem::Problem;
use crate::render::{self, Standing};
use crate::screen::{Output, Paper, complain, safe};

/// How long nothing is to be seen before it is said why.
const LONG: Duration = Duration::from_millis(400);

/// Begins a run or takes one up with `begin`, and shows what happens until it is through.
pub(super) fn conduct(
    engine: &Engine,
    begin: impl AsyncFnOnce(Options) -> Result<Begun, StartError>,
    format: arguments::Output,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let runtime = runtime()?;
    let ended = runtime.block_on(watched(begin, format, output));
    // What still hangs in a worker has no effect any more: the run is over and on record.
    runtime.shutdown_background();
    let (id, state, finished) = ended?;
    if !format.is_json() {
        let held = if state.facts().is_some_and(|facts| facts.dry_run) {
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

async fn watched(
    begin: impl AsyncFnOnce(Options) -> Result<Begun, StartError>,
    format: arguments::Output,
    output: &mut Output,
) -> Result<(RunId, RunState, Finished), Problem> {
    let (stop, stopped) = channel::channel(None);
    signals::listen(stop)?;
    let options = Options {
        operator: operator(),
        stop: stopped.clone(),
    };
    let notice = tokio::spawn(say_why_it_takes_long());
    let begun = begin(options).await;
    notice.abort();
    let Begun {
        run,
        events,
        live,
        before,
        difference,
    } = begun?;
    if let Some(difference) = difference {
        complain("The environment was changed:");
        difference.lines().for_each(|line| complain(&safe(line)));
    }
    let id = run.id;
    // The run goes on by itself: whoever watches can be slow, or gone.
    let watch = Watch {
        events,
        live,
        stopped,
        waits: waits(run.plan()),
        json: format.is_json(),
        before,
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
fn waits(plan: &Plan) -> HashMap<StepId, Duration> {
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
