//! The engine: a state directory, its journal, and the sandbox; and what begins a run.

mod loading;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use sandbook_journal::{
    self as journal, Clock, EnvironmentFacts, Event, Journal, JournalError, Operator, Reader,
    RunId, RunLock, RunStarted, RunState, RunbookFacts, Sections, StateDir, StateKey, Stored,
    SystemClock,
};
use sandbook_runbook::PluginName;
use sandbook_sandbox::network::Network;
use sandbook_sandbox::{Compiler, Time};
use tokio::sync::{broadcast, mpsc, watch};

pub use self::loading::Compiling;
pub(crate) use self::loading::cache;
use crate::anchoring::Anchoring;
use crate::attempt::{Bench, Ready};
use crate::conductor::Setting;
use crate::credentials::Keys;
use crate::draft::Prepared;
use crate::facts::{self, Opening};
use crate::failed::Failed;
use crate::failpoint;
use crate::git;
use crate::order::rollback_id;
use crate::past::Past;
use crate::recorder::Desk;
use crate::run::{Begun, Run};
use crate::space::{Disk, Room, Space};
use crate::stage::Stage;
use crate::start_error::{NoSpaceFor, StartError};
use crate::turn::{Queued, Turn, look_later};

/// How a run is to be run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who starts it, or goes on with it.
    pub operator: Operator,
    /// Becomes a signal when the run is to be interrupted.
    pub stop: watch::Receiver<Option<journal::Signal>>,
    /// Told what the run waits for before it begins, and again when that changes.
    pub waits: mpsc::UnboundedSender<Waits>,
}

/// What a run waits for before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waits {
    /// Its turn in its group.
    Queued(Queued),
    /// Plugins that were never run before.
    Compiling(Compiling),
}

/// What a run goes on with: what was obtained and loaded for it, and its past.
pub(crate) struct Opened {
    pub(crate) run: RunId,
    pub(crate) lock: RunLock,
    pub(crate) prepared: Prepared,
    pub(crate) keys: Keys,
    pub(crate) plugins: BTreeMap<PluginName, Ready>,
    /// What is on record of it, with its first event in this process.
    pub(crate) past: Past,
    /// What its log came to before that.
    pub(crate) before: RunState,
    /// What its contents' digests are keyed with.
    pub(crate) key: StateKey,
    /// What its steps' random numbers are drawn from.
    pub(crate) seed: [u8; 32],
}

/// Runs plans, and keeps the record of it.
pub struct Engine {
    state: StateDir,
    journal: Journal,
    clock: Arc<dyn Clock>,
    jobs: u32,
    room: Room,
    compiler: Compiler,
    stage: Option<Stage>,
}

/// What an engine asks of its machine.
pub(crate) struct Machine {
    /// Says how much room is left; without one, the state directory's own does.
    pub(crate) disk: Option<Arc<dyn Disk>>,
    /// Says what time it is: what is recorded, and when waits, retries and approvals are over, is all by it.
    pub(crate) clock: Arc<dyn Clock>,
    /// What stands in for all else, where a plugin is tested.
    pub(crate) stage: Option<Stage>,
}

impl Default for Machine {
    fn default() -> Machine {
        Machine {
            disk: None,
            clock: Arc::new(SystemClock),
            stage: None,
        }
    }
}

/// A run that is about to be put on record.
struct Upcoming {
    run: RunId,
    lock: RunLock,
    plugins: BTreeMap<PluginName, Ready>,
    line: journal::Entry,
    seed: [u8; 32],
}

/// A run's first event in this process, and all that follow.
pub(crate) struct First {
    pub(crate) stored: Vec<Arc<Stored>>,
    events: mpsc::UnboundedReceiver<Arc<Stored>>,
    /// What people say about it.
    news: mpsc::UnboundedReceiver<Arc<Stored>>,
}

impl First {
    /// The number of the first event.
    pub(crate) fn seq(&self) -> Option<u64> {
        self.stored.first().map(|stored| stored.seq)
    }
}

impl Engine {
    /// How many attempts run at once where nobody says so.
    pub const JOBS: u32 = 16;

    /// The engine over a state directory, which is made where it is missing. `jobs` bounds the attempts
    /// that run at once.
    ///
    /// # Errors
    ///
    /// The directory can't be used, or its journal can't.
    pub fn open(state: &Path, jobs: u32) -> Result<Engine, Failed> {
        Engine::open_on(state, jobs, Machine::default())
    }

    /// The same, with other surroundings than the machine's own.
    pub(crate) fn open_on(state: &Path, jobs: u32, machine: Machine) -> Result<Engine, Failed> {
        failpoint::set();
        let Machine { disk, clock, stage } = machine;
        let state = StateDir::open(state)
            .and_then(|state| state.refuse_read_only().map(|()| state))
            .map_err(|error| Failed::State(error.into()))?;
        let room = Room::new(state.clone(), disk);
        // What a test has on record is gone with it.
        if stage.is_none() {
            room.keep_reserve()?;
        }
        let journal = Journal::open(&state, Arc::clone(&clock))
            .map_err(|error| Failed::State(error.into()))?;
        Ok(Engine {
            state,
            journal,
            clock,
            jobs,
            room,
            compiler: Compiler::default(),
            stage,
        })
    }

    /// The same engine, whose components are compiled by this.
    #[must_use]
    pub fn compiled_by(self, compiler: Compiler) -> Engine {
        Engine { compiler, ..self }
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The state directory.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// Reads what is on record.
    pub(crate) fn reader(&self) -> Result<Reader, Failed> {
        Reader::open(&self.state).map_err(|error| Failed::State(error.into()))
    }

    /// Begins a run: waits for its turn where its runbook says so, obtains every credential that it may use, makes its
    /// components ready, and puts its start on record. In a dry run reads are real; whatever could change something is
    /// held back and listed.
    ///
    /// # Errors
    ///
    /// Another run holds its group, a credential can't be had or a component can't be run: nothing was sent and
    /// nothing recorded. Or the engine failed.
    pub async fn start(
        &self,
        mut prepared: Prepared,
        dry_run: bool,
        mut options: Options,
    ) -> Result<Begun, StartError> {
        self.refuse_without_space()?;
        let mut git = git::look(&prepared.root);
        // A dry run changes nothing, and takes no group.
        let mut turn = match prepared.plan.group() {
            Some((group, behavior)) if !dry_run => Some(Turn::new(self, group, behavior)?),
            _ => None,
        };
        let mut ready = None;
        let (keys, upcoming, first) = loop {
            if let Some(turn) = &mut turn {
                turn.come(&mut options).await?;
            }
            // Only now, so that what was waited for doesn't make them old.
            let keys = Keys::obtain(
                prepared.plan.environment.as_ref(),
                prepared.plan.credentials_used(),
                prepared.sensitive_texts(),
                &prepared.root,
            )
            .await?;
            let upcoming = match ready.take() {
                Some(upcoming) => upcoming,
                None => self.make_upcoming(&mut prepared, git.take(), dry_run, &options)?,
            };
            let line = upcoming.line.clone();
            match self.put_first(upcoming.run, line).await {
                // Somebody was quicker: it wasn't its turn after all.
                Err(JournalError::GroupHeld { .. }) if turn.is_some() => {
                    ready = Some(upcoming);
                    look_later(&mut options).await?;
                }
                first => break (keys, upcoming, first.map_err(Failed::from)?),
            }
        };
        let mut past = Past::default();
        for stored in &first.stored {
            let applied = past.state.apply(&stored.event, stored.time);
            applied.expect("the journal stores only what may follow");
        }
        let opened = Opened {
            run: upcoming.run,
            lock: upcoming.lock,
            prepared,
            keys,
            plugins: upcoming.plugins,
            past,
            before: RunState::default(),
            key: self.state.key().clone(),
            seed: upcoming.seed,
        };
        Ok(self.make_run(opened, first, options))
    }

    /// Refuses to begin anything while there is too little room on the disk.
    pub(crate) fn refuse_without_space(&self) -> Result<(), Failed> {
        Ok(self.room.suffices()?)
    }

    /// Refuses to go on with a run that is on record while there is too little room on the disk.
    pub(crate) fn refuse_without_space_for(&self, run: RunId) -> Result<(), StartError> {
        let suffices = self.room.suffices();
        Ok(suffices.map_err(|no_space| Box::new(NoSpaceFor { no_space, run }))?)
    }

    /// All that a new run needs but its credentials, and its first event.
    fn make_upcoming(
        &self,
        prepared: &mut Prepared,
        git: Option<git::Looking>,
        dry_run: bool,
        options: &Options,
    ) -> Result<Upcoming, StartError> {
        let run = match &self.stage {
            Some(stage) => stage.run,
            None => RunId::random().map_err(|error| Failed::State(error.into()))?,
        };
        let lock = self
            .state
            .lock_run(run)
            .map_err(|error| Failed::State(error.into()))?;
        let lock = lock.expect("nobody else has a run whose id was just drawn");
        let (mut started, contents) = self.started(prepared, dry_run, options)?;
        let seed = started.seed.map_or([0; 32], |seed| seed.0);
        let plugins = self.load(prepared, options)?;
        started.runbook.git = git.and_then(git::Looking::facts);
        let event = Event::RunStarted(Box::new(started));
        Ok(Upcoming {
            run,
            lock,
            plugins,
            line: journal::Entry { event, contents },
            seed,
        })
    }

    /// Puts a run's first event in this process on record. From then on nothing is missed of what people say about it.
    pub(crate) async fn put_first(
        &self,
        run: RunId,
        line: journal::Entry,
    ) -> Result<First, JournalError> {
        let (events, news) = (self.journal.subscribe(run), self.journal.listen(run));
        let stored = self.journal.append(run, vec![line]).await?;
        Ok(First {
            stored,
            events,
            news,
        })
    }

    /// Makes ready what conducts a run whose first event in this process is on record.
    pub(crate) fn make_run(&self, opened: Opened, first: First, options: Options) -> Begun {
        let Opened {
            run,
            mut lock,
            prepared,
            keys,
            plugins,
            past,
            before,
            key,
            seed,
        } = opened;
        let First { events, news, .. } = first;
        lock.is_recorded();
        let facts = past
            .state
            .facts()
            .expect("a run's first event is its start");
        let opening = Opening {
            run,
            user: facts.operator.name.clone(),
            started_at: facts::rfc3339(past.state.started_at().unwrap_or_default()),
            dry_run: facts.dry_run,
        };
        if let Some(tape) = &prepared.tape {
            tape.begin(run, &keys.redactor);
        }
        let mut scope = prepared.plan.scope();
        scope.set_run(&opening.running());
        let anchoring = Anchoring {
            state: self.state.clone(),
            anchors: prepared.anchors.clone(),
            with_webhooks: !(prepared.rehearsal() || opening.dry_run),
        };
        let stop = options.stop.clone();
        let (time, jitter): (Time, fn() -> f64) = match &self.stage {
            Some(stage) => (Time::Leaping(stage.time.clone()), || 0.0),
            None => (Time::Real, facts::jitter),
        };
        let (progress, live) = broadcast::channel(256);
        let setting = Setting {
            desk: Desk {
                run,
                journal: self.journal.clone(),
                key,
                stop: options.stop,
                cut: watch::Sender::new(false).subscribe(),
                progress,
                tape: prepared.tape.clone(),
            },
            state: self.state.clone(),
            clock: Arc::clone(&self.clock),
            bench: Arc::new(Bench {
                plugins,
                credentials: keys.credentials,
                network: match &self.stage {
                    Some(stage) => Arc::new(Network::of_wire(Arc::clone(&stage.wire))),
                    None => keys.network,
                },
                redactor: keys.redactor,
                clock: Arc::clone(&self.clock),
                time: time.clone(),
                seed,
            }),
            time,
            jobs: usize::try_from(self.jobs).unwrap_or(usize::MAX).max(1),
            dry_run: opening.dry_run,
            opening,
            jitter,
            space: Space::watch(self.room.clone()),
        };
        let run = Run {
            id: run,
            prepared,
            past,
            scope,
            setting,
            news,
            lock,
            anchoring,
            stop,
        };
        Begun {
            run,
            events,
            live,
            before,
            difference: None,
        }
    }

    /// The first event: everything that is fixed from now on.
    fn started(
        &self,
        prepared: &Prepared,
        dry_run: bool,
        options: &Options,
    ) -> Result<(RunStarted, Vec<journal::Content>), Failed> {
        let state = |error: Box<dyn Error + Send + Sync>| Failed::State(error);
        let plan = &prepared.plan;
        let put = |text: &str| {
            self.state
                .put_blob(text.as_bytes())
                .map_err(|error| state(error.into()))
        };
        let environment = match (&plan.environment, &prepared.environment_text) {
            (Some(environment), Some(text)) => Some(EnvironmentFacts {
                name: environment.name.to_string(),
                digest: put(text)?,
                rehearsal: environment.is_rehearsal(),
            }),
            _ => None,
        };
        let (inputs, contents) = facts::recorded(
            plan.inputs.values(),
            |name| plan.inputs.is_sensitive(name),
            self.state.key(),
        );
        let ids = |planned: &[sandbook_runbook::Planned]| {
            planned
                .iter()
                .map(|planned| facts::id(&planned.step.id))
                .collect()
        };
        let mut seed = [0; 32];
        match &self.stage {
            Some(stage) => seed = stage.seed,
            None => getrandom::fill(&mut seed).map_err(|error| state(error.into()))?,
        }
        let started = RunStarted {
            runbook: RunbookFacts {
                name: plan.runbook.name.to_string(),
                digest: put(&prepared.source.text)?,
                file: prepared.source.name.clone(),
                git: None,
            },
            environment,
            inputs,
            plugins: prepared
                .components
                .iter()
                .map(|(name, component)| {
                    (
                        name.to_string(),
                        journal::Digest::from_bytes(*component.packed.digest().as_bytes()),
                    )
                })
                .collect(),
            operator: options.operator.clone(),
            host: facts::host_name(),
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            dry_run,
            seed: Some(journal::Seed(seed)),
            group: plan
                .group()
                .filter(|_| !dry_run)
                .map(|(group, _)| group.to_owned()),
            sections: Sections {
                steps: ids(&plan.steps),
                on_failure: ids(&plan.on_failure),
                finally: ids(&plan.finally),
                rollbacks: plan.rollbacks().map(rollback_id).collect(),
            },
        };
        Ok((started, contents))
    }
}

#[cfg(test)]
mod tests;
