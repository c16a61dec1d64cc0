//! A run that goes on in this process: it is watched, and reported when it is through.

mod ask;
mod before;
mod signals;
mod watch;

use std::collections::HashMap;
use std::time::Duration;

use sandbook_executor::{Begun, Engine, Finished, Options, Project, StartError};
use sandbook_journal::{Reader, RunId, RunState, RunStatus, StepId};
use sandbook_runbook::{Action, Plan, parse_duration};
use tokio::sync::{mpsc, watch as channel};

use self::watch::Watch;
use super::given::runtime;
use super::show::held;
use crate::arguments;
use crate::exit::Exit;
use crate::operator::operator;
use crate::problem::Problem;
use crate::render::{self, Standing};
use crate::screen::{Output, Paper, complain, safe};

/// A run that is taken up.
#[derive(Clone, Copy)]
pub(super) struct Taking<'a> {
    pub(super) run: RunId,
    /// Why it is to go on in a changed environment.
    pub(super) accept: Option<&'a str>,
    pub(super) format: arguments::Output,
}

/// Takes up a run, and shows what happens until it is through.
pub(super) fn take_up(
    engine: &Engine,
    project: &Project,
    taking: Taking<'_>,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let Taking {
        run,
        accept,
        format,
    } = taking;
    let resume = async |options| engine.resume(run, project, accept, options).await;
    conduct(engine, project, resume, format, output)
}

/// Begins a run or takes one up with `begin`, and shows what happens until it is through. What it waits for is asked
/// right here where somebody is there, and then it goes on.
pub(super) fn conduct(
    engine: &Engine,
    project: &Project,
    begin: impl AsyncFnOnce(Options) -> Result<Begun, StartError>,
    format: arguments::Output,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let runtime = runtime()?;
    let mut ended = runtime.block_on(watched(begin, format, output));
    while let Ok((run, state, finished)) = &ended {
        let asks = finished.status == RunStatus::Waiting && !format.is_json();
        if !asks || !ask::ask(engine, &runtime, *run, state)? {
            break;
        }
        let resume = async |options| engine.resume(*run, project, None, options).await;
        ended = runtime.block_on(watched(resume, format, output));
    }
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
    if let Some(no_space) = finished.no_space {
        return Err(Problem::no_space(no_space, id));
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
    let (teller, told) = mpsc::unbounded_channel();
    let options = Options {
        operator: operator(),
        stop: stopped.clone(),
        waits: teller,
    };
    let notice = tokio::spawn(before::say_why_it_takes_long(told));
    let begun = begin(options).await;
    // It was told all by now, and has its line taken away.
    let _ = notice.await;
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
    for line in &finished.unanchored {
        complain(&format!(
            "warning: {}; `sandbook audit anchor` sends it, and so does the next run's end",
            safe(line)
        ));
    }
    Ok((id, state, finished))
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
            Action::Plugin(_) | Action::Assert(_) | Action::Approval(_) | Action::Manual(_) => None,
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
        RunStatus::Failed => Exit::Failed,
        RunStatus::Cancelled => Exit::Cancelled,
        RunStatus::Waiting => Exit::Waiting,
        RunStatus::Interrupted => Exit::Interrupted,
        // A run that was completed is at none of its steps any more.
        RunStatus::Running => Exit::Broken,
    }
}
