//! Trials: a plugin runs in the real engine, against services that are written down as cases. Nothing leaves the
//! machine and no time passes; journal, gate, replay, dry run, redaction, limits and schemas are those of any run.

mod difference;
mod outcome;
mod recording;
mod script;
mod surroundings;
mod temporary;
mod told;

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use sandbook_journal::{Operator, Reader, StateDir};
use sandbook_runbook::{Case, Environment, Manifest, Runbook};
use sandbook_sandbox::{Compiler, LeapingTime, Packed, Plugin, Sandbox, Settings};
use tokio::sync::{mpsc, watch};

pub use self::difference::Difference;
use self::outcome::Outcome;
pub use self::recording::{Recorded, Recording, RecordingError};
use self::script::{Halt, Script};
use self::surroundings::{environment, grants};
use self::temporary::Place;
use self::told::{not_run, said, told_secrets};
use crate::alone::{Alone, Written};
use crate::draft::{Draft, Plugins, Prepared};
use crate::engine::{Engine, Machine, Options, cache};
use crate::failed::Failed;
use crate::project::Project;
use crate::refused::Refused;
use crate::run::Begun;
use crate::stage::{Stage, StageClock};
use crate::start_error::StartError;

/// What runs are called where a case doesn't say it.
const RUN: &str = "testtesttest";

/// When they begin: 2026-01-01, 00:00 UTC, in milliseconds.
const BEGINS: u64 = 1_767_225_600_000;

/// A plugin that is made ready for its cases.
pub struct Trials {
    packed: Packed,
    manifest: Manifest,
    plugin: Plugin,
}

/// How a case went.
#[derive(Debug, Clone)]
pub struct Tried {
    /// In what it went otherwise than expected; empty when it went so.
    pub differences: Vec<Difference>,
    /// What the plugin wrote, and which of its requests were refused: a line each.
    pub said: Vec<String>,
    /// How long it took, by the machine's clock.
    pub took: Duration,
}

/// What is known of a case once it was run.
struct Lived {
    outcome: Outcome,
    differences: Vec<Difference>,
    said: Vec<String>,
}

impl Tried {
    /// Whether all went as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Trials {
    /// Makes a plugin ready. It is compiled where it isn't in the cache of this state directory, which is made where it
    /// is missing.
    ///
    /// # Errors
    ///
    /// The plugin can't be run, or the state directory can't be used.
    pub fn new(
        (packed, manifest): (Packed, Manifest),
        state: &Path,
        compiler: Compiler,
    ) -> Result<Trials, StartError> {
        let state = StateDir::open(state).map_err(|error| Failed::State(error.into()))?;
        let settings = Settings {
            slots: None,
            cache: Some(cache(&state)?),
            compiler,
        };
        let sandbox = Sandbox::new(&settings).map_err(|error| Failed::Sandbox(error.into()))?;
        let plugin = sandbox.load(&packed).map_err(|error| {
            Refused::because(format!("plugin `{}` can't be run", manifest.name)).caused_by(error)
        })?;
        Ok(Trials {
            packed,
            manifest,
            plugin,
        })
    }

    /// The plugin's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Tries cases, several at once; how each went, in their order.
    ///
    /// # Errors
    ///
    /// The engine failed.
    pub fn run(&self, cases: &[&Case]) -> Result<Vec<Tried>, Failed> {
        let next = AtomicUsize::new(0);
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        let work = || {
            let mut tried = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = cases.get(index) else {
                    return tried;
                };
                tried.push((index, self.case(case)));
            }
        };
        let mut tried: Vec<(usize, Result<Tried, Failed>)> = thread::scope(|scope| {
            // This thread works too, so that cases are tried where no other one can be made.
            let others = 1..at_once.min(cases.len());
            let workers: Vec<_> = others
                .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
                .collect();
            let mut tried = work();
            let joined = workers.into_iter().map(ScopedJoinHandle::join);
            tried.extend(
                joined.flat_map(|tried| tried.unwrap_or_else(|panicked| resume_unwind(panicked))),
            );
            tried
        });
        tried.sort_by_key(|(index, _)| *index);
        tried.into_iter().map(|(_, tried)| tried).collect()
    }

    /// Tries one case.
    ///
    /// # Errors
    ///
    /// The engine failed.
    pub fn case(&self, case: &Case) -> Result<Tried, Failed> {
        let begun = Instant::now();
        let Lived {
            differences, said, ..
        } = self.lived(case)?;
        Ok(Tried {
            differences,
            said,
            took: begun.elapsed(),
        })
    }

    /// What comes of a case, and in what it differs.
    fn outcome(&self, case: &Case) -> Result<(Outcome, Vec<Difference>), Failed> {
        let lived = self.lived(case)?;
        Ok((lived.outcome, lived.differences))
    }

    fn lived(&self, case: &Case) -> Result<Lived, Failed> {
        match self.lives(case) {
            Ok(lived) => Ok(lived),
            Err(StartError::Refused(refused)) => Ok(Lived {
                outcome: Outcome::Unfinished,
                differences: vec![not_run(refused)],
                said: Vec::new(),
            }),
            Err(StartError::Failed(failed)) => Err(failed),
            Err(other) => Err(Failed::Sandbox(other.into())),
        }
    }

    /// Runs a case through all the lives of its engine.
    fn lives(&self, case: &Case) -> Result<Lived, StartError> {
        let place = Place::new()?;
        let (prepared, project) = self.prepare(case, &place)?;
        let begins_at = case.context.started_at.unwrap_or(BEGINS);
        let time = LeapingTime::from(Duration::from_millis(begins_at));
        let script = Script::new(&case.exchanges, &case.credentials, time.clone());
        let script = Arc::new(script);
        let stage = self.stage(case, time, Arc::clone(&script));
        let run = stage.run;
        let mut begins = Some(prepared);
        // Each death uses up an exchange.
        loop {
            let begin = async |engine: &Engine, options| match begins.take() {
                Some(prepared) => engine.start(prepared, case.dry_run, options).await,
                None => engine.resume(run, &project, None, options).await,
            };
            if life(&place, &stage, &script, begin)? != Some(Halt::Death) {
                break;
            }
        }
        let mut differences = script.differences();
        let reader = read(&place)?;
        let events = reader
            .events(run, 0)
            .map_err(|error| Failed::State(error.into()))?;
        let stopped = differences.iter().any(|it| it.diff.is_some());
        let outcome = Outcome::of(&events, &reader, run)?;
        if !stopped {
            differences.extend(outcome.differs(&case.expect));
        }
        differences.extend(told_secrets(case, &events));
        Ok(Lived {
            outcome,
            differences,
            said: events.iter().filter_map(said).collect(),
        })
    }

    fn stage(&self, case: &Case, time: LeapingTime, script: Arc<Script>) -> Stage {
        let run = case.context.run.as_deref().unwrap_or(RUN);
        Stage {
            wire: script,
            time,
            plugin: self.plugin.clone(),
            run: run
                .parse()
                .expect("invariant: the language has checked the run's id"),
            seed: case.context.seed.unwrap_or_default(),
            is_resumed: case.exchanges.iter().any(|exchange| exchange.crash),
        }
    }

    /// The case as a run of one step, in a project of its own.
    fn prepare(&self, case: &Case, place: &Place) -> Result<(Prepared, Project), StartError> {
        let name = &self.manifest.name;
        let credentials = case.credentials.keys();
        let alone = Alone {
            plugin: name,
            manifest: &self.manifest,
            input: &case.input,
            credentials: credentials.map(|slot| (slot, slot.as_str())).collect(),
            reveal: &case.reveal,
            allow: case.allow.as_deref(),
            attempts: case.attempts,
            timeout: case.timeout,
            is_made_up: true,
        };
        let Written { source, inputs, .. } = alone.write();
        let (runbook, _) =
            Runbook::parse(&source).map_err(|report| Refused::Invalid(vec![report]))?;
        let grants = grants(&runbook, &inputs)?;
        let environment = environment(case, &grants);
        let project = place.project(&environment)?;
        let environment =
            Environment::parse(&environment).map(|parsed| (parsed, environment.clone()));
        let environment = environment.map_err(|report| Refused::Invalid(vec![report]))?;
        let plugins = Plugins::from([(name.clone(), (self.packed.clone(), self.manifest.clone()))]);
        let draft = Draft::kept(project.root(), source, runbook, Some(environment), plugins)?;
        Ok((draft.prepare(inputs)?, project))
    }
}

/// One life of the engine: from where the run begins, or is taken up, to its end or the engine's.
fn life(
    place: &Place,
    stage: &Stage,
    script: &Script,
    begin: impl AsyncFnOnce(&Engine, Options) -> Result<Begun, StartError>,
) -> Result<Option<Halt>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::Sandbox(error.into()))?;
    let machine = Machine {
        clock: Arc::new(StageClock(stage.time.clone())),
        stage: Some(stage.clone()),
        ..Machine::default()
    };
    let engine = Engine::open_on(&place.state(), 1, machine)?;
    // What is under way when the engine dies ends with its runtime; what was given to the journal gets there.
    runtime.block_on(async {
        let options = Options {
            operator: Operator {
                uid: 0,
                name: "test".to_owned(),
            },
            stop: watch::channel(None).1,
            waits: mpsc::unbounded_channel().0,
        };
        let begun = begin(&engine, options).await?;
        tokio::select! {
            biased;
            halt = script.halted() => Ok(Some(halt)),
            finished = begun.run.complete() => finished.map(|_| None).map_err(StartError::from),
        }
    })
}

fn read(place: &Place) -> Result<Reader, Failed> {
    let state = StateDir::open(&place.state()).map_err(|error| Failed::State(error.into()))?;
    Reader::open(&state).map_err(|error| Failed::State(error.into()))
}
