//! The loop that does what the agenda says: begins steps, waits for what runs, writes what happened.
//!
//! Every turn is the same: what is due becomes events and launches; the events are committed, all in
//! one; then what was launched runs, and the loop waits for the first thing to happen. So a step's end
//! and the next one's start are one commit, and nothing runs whose start isn't on record.

mod ending;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbook_journal::{self as journal, Clock, Entry as Line, Event, RunState, SkipReason};
use sandbook_runbook::{Action, Plan, Planned, Scope, StepId};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::agenda::{Agenda, Done, Due};
use crate::attempt::{Attempt, Attempted, Bench};
use crate::facts::{self, Opening, millis};
use crate::failed::Failed;
use crate::order::Steps;
use crate::recorder::Desk;
use crate::replay::Replay;

/// What a run needs beside its plan.
pub(crate) struct Setting {
    pub(crate) desk: Desk,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bench: Arc<Bench>,
    /// How many attempts may run at once.
    pub(crate) jobs: usize,
    pub(crate) dry_run: bool,
    /// What expressions see of the run.
    pub(crate) opening: Opening,
    /// Draws from 0 to 1, to spread retries.
    pub(crate) jitter: fn() -> f64,
}

/// How a conducted run ended.
pub(crate) enum Conducted {
    Finished(journal::FinalStatus),
    Interrupted(journal::Signal),
}

pub(crate) struct Conductor<'a> {
    plan: &'a Plan,
    steps: Steps<'a>,
    setting: Setting,
    agenda: Agenda,
    scope: Scope,
    /// When each step's first attempt began, as its event has it.
    started_at: Vec<Option<u64>>,
    /// Steps that failed and were let pass.
    passed: Vec<journal::StepId>,
    /// Events that the next commit takes along.
    lines: Vec<Line>,
    /// Attempts that wait for a place.
    queue: VecDeque<(usize, u32)>,
    /// What begins once its start, which is in `lines`, is on record.
    launches: Vec<Launch>,
    running: JoinSet<Attempted>,
    timers: BinaryHeap<Reverse<(u64, usize, Timer)>>,
    replays: HashMap<usize, Arc<Mutex<Replay>>>,
    /// In a dry run: steps whose outputs nobody knows.
    unknown: BTreeSet<StepId>,
    /// The first step that broke, and why.
    broke: Option<(StepId, String)>,
    finished: Option<journal::FinalStatus>,
}

enum Launch {
    Attempt(Box<Attempt>),
    Wait { index: usize, duration: Duration },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The step's wait is over.
    WaitOver,
    /// The step's next attempt, this one, is due.
    Retry(u32),
}

/// How long an interrupted run waits for what is in flight.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

impl<'a> Conductor<'a> {
    /// Takes up a run where its state says that it stands.
    pub(crate) fn new(
        plan: &'a Plan,
        state: &RunState,
        scope: Scope,
        setting: Setting,
    ) -> Conductor<'a> {
        let steps = Steps::of(plan);
        let agenda = Agenda::new(steps.order(), |index| {
            facts::standing(&state.steps()[index])
        });
        let started_at = state
            .steps()
            .iter()
            .map(|step| step.first_started_at)
            .collect();
        Conductor {
            plan,
            steps,
            setting,
            agenda,
            scope,
            started_at,
            passed: Vec::new(),
            lines: Vec::new(),
            queue: VecDeque::new(),
            launches: Vec::new(),
            running: JoinSet::new(),
            timers: BinaryHeap::new(),
            replays: HashMap::new(),
            unknown: BTreeSet::new(),
            broke: None,
            finished: None,
        }
    }

    /// Runs to the end, or until it is interrupted.
    pub(crate) async fn conduct(mut self) -> Result<Conducted, Failed> {
        loop {
            self.schedule();
            self.commit().await?;
            if let Some(status) = self.finished {
                return Ok(Conducted::Finished(status));
            }
            self.launch();
            if let Some(signal) = self.something_happens().await? {
                self.wind_up(signal).await?;
                return Ok(Conducted::Interrupted(signal));
            }
        }
    }

    /// Turns what is due into events and launches.
    fn schedule(&mut self) {
        while let Some(due) = self.agenda.next() {
            match due {
                Due::Consider(step) => self.consider(step),
                Due::SkipFor { step, need } => {
                    let need = facts::id(&self.steps.get(need).step.id);
                    self.skip(step, SkipReason::Need { step: need }, Done::Unsatisfied);
                }
                Due::SkipStopped(step) => self.skip(step, SkipReason::Stopped, Done::Unsatisfied),
                Due::Finish => {
                    self.finish();
                    return;
                }
            }
        }
        while self.running.len() + self.launches.len() < self.setting.jobs {
            let Some((step, attempt)) = self.queue.pop_front() else {
                break;
            };
            self.begin(step, attempt);
        }
    }

    /// A step's needs are satisfied: its condition decides.
    fn consider(&mut self, index: usize) {
        let step = &self.steps.get(index).step;
        self.tell_run(index);
        if self.setting.dry_run {
            let unknown = facts::unknown_touched(step, &self.unknown);
            if !unknown.is_empty() {
                self.unknown.insert(step.id.clone());
                return self.skip(index, SkipReason::Listed { unknown }, Done::Satisfied);
            }
        }
        match step
            .condition
            .as_ref()
            .map_or(Ok(true), |condition| condition.eval_bool(&self.scope))
        {
            Ok(true) if self.setting.dry_run && matches!(step.action, Action::Wait(_)) => {
                self.skip(index, SkipReason::ListedOnly, Done::Satisfied);
            }
            Ok(true) => match &step.action {
                Action::Plugin(_) => self.queue.push_back((index, 1)),
                Action::Wait(_) | Action::Assert(_) => self.begin(index, 1),
            },
            Ok(false) => self.skip(index, SkipReason::Condition, Done::Satisfied),
            Err(fault) => {
                self.write(Event::StepStarted {
                    step: facts::id(&step.id),
                    attempt: 1,
                });
                self.fail(index, 1, facts::invalid(format!("its `if`: {fault}")), None);
            }
        }
    }

    /// Begins an attempt.
    fn begin(&mut self, index: usize, attempt: u32) {
        let planned = self.steps.get(index);
        let id = facts::id(&planned.step.id);
        self.write(Event::StepStarted { step: id, attempt });
        let prepared = match &planned.step.action {
            Action::Plugin(using) => self.prepare(index, attempt, using),
            Action::Wait(duration) => facts::wait(duration, &self.scope).map(|duration| {
                self.launches.push(Launch::Wait { index, duration });
            }),
            Action::Assert(check) => facts::assert(check, &self.scope).map(|()| {
                self.succeed(index, attempt, facts::nothing_changed());
            }),
        };
        if let Err(failure) = prepared {
            self.fail(index, attempt, failure, None);
        }
    }

    /// Makes an attempt ready to be launched, once its start is on record.
    fn prepare(
        &mut self,
        index: usize,
        attempt: u32,
        using: &sandbook_runbook::Use,
    ) -> Result<(), journal::Failure> {
        let planned = self.steps.get(index);
        let input = using
            .with
            .render(&self.scope)
            .map_err(|fault| facts::invalid(format!("its `with`: {fault}")))?;
        self.setting.bench.plugins[&using.plugin]
            .schemas
            .check_input(&input)
            .map_err(facts::invalid)?;
        let replay = Arc::clone(self.replays.entry(index).or_default());
        replay
            .lock()
            .expect("nothing panics while it holds this lock")
            .rewind();
        self.launches.push(Launch::Attempt(Box::new(Attempt {
            index,
            attempt,
            step: facts::id(&planned.step.id),
            plugin: using.plugin.clone(),
            input,
            timeout: planned.step.timeout,
            permission: planned.permission.clone(),
            credentials: planned.credentials.clone(),
            reveal: planned.reveal.clone(),
            partition: partition(planned),
            dry_run: self.setting.dry_run,
            replay,
        })));
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), Failed> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let stored = self
            .setting
            .desk
            .journal
            .append(self.setting.desk.run, lines)
            .await?;
        for stored in stored {
            if let Event::StepStarted { step, attempt: 1 } = &stored.event {
                self.started_at[self.steps.index(step.as_str())] = Some(stored.time);
            }
        }
        Ok(())
    }

    /// Lets loose what was begun, now that its start is on record.
    fn launch(&mut self) {
        for launch in self.launches.drain(..) {
            match launch {
                Launch::Attempt(attempt) => {
                    let bench = Arc::clone(&self.setting.bench);
                    let desk = self.setting.desk.clone();
                    let first_start = started(&self.started_at, attempt.index);
                    self.running
                        .spawn(async move { attempt.make(&bench, desk, first_start).await });
                }
                Launch::Wait { index, duration } => {
                    let until = started(&self.started_at, index).saturating_add(millis(duration));
                    self.timers.push(Reverse((until, index, Timer::WaitOver)));
                }
            }
        }
    }

    /// Waits for an attempt to end, a timer, or a signal; takes along all that has ended by then.
    async fn something_happens(&mut self) -> Result<Option<journal::Signal>, Failed> {
        let next = self.timers.peek().map(|Reverse((at, ..))| *at);
        let now = self.setting.clock.now();
        let pause = next.map(|at| Duration::from_millis(at.saturating_sub(now)));
        let stop = &mut self.setting.desk.stop;
        let first = tokio::select! {
            biased;
            signal = interrupted(stop) => return Ok(Some(signal)),
            Some(ended) = self.running.join_next() => Some(ended?),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => None,
        };
        let mut next = first;
        while let Some(ended) = next {
            self.ended(ended)?;
            next = self.running.try_join_next().transpose()?;
        }
        self.ring();
        Ok(None)
    }

    /// Does what the timers that are due stand for.
    fn ring(&mut self) {
        let now = self.setting.clock.now();
        while let Some(&Reverse((at, index, timer))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            match timer {
                Timer::WaitOver => self.succeed(index, 1, facts::nothing_changed()),
                Timer::Retry(attempt) => self.queue.push_back((index, attempt)),
            }
        }
    }

    /// Keeps what expressions see of the run as it is when this step comes.
    fn tell_run(&mut self, index: usize) {
        if !self.steps.main().contains(&index) {
            self.scope
                .set_run(&self.setting.opening.so_far(self.broke.as_ref()));
        }
    }

    /// The run was told to stop: what is in flight is waited for, and the rest stays for a resumption.
    async fn wind_up(&mut self, signal: journal::Signal) -> Result<(), Failed> {
        let waited = tokio::time::timeout(LAST_REQUESTS, async {
            while let Some(ended) = self.running.join_next().await {
                self.ended(ended?)?;
            }
            Ok::<(), Failed>(())
        });
        // Past the bound what still runs is dropped; its requests' ends stay unknown, and on record as such.
        waited.await.unwrap_or(Ok(()))?;
        self.write(Event::RunInterrupted { signal });
        self.commit().await
    }

    /// Takes an event along with the next commit.
    fn write(&mut self, line: impl Into<Line>) {
        self.lines.push(line.into());
    }
}

/// Waits until the run is to be interrupted.
pub(crate) async fn interrupted(
    stop: &mut watch::Receiver<Option<journal::Signal>>,
) -> journal::Signal {
    loop {
        let signal = *stop.borrow_and_update();
        if let Some(signal) = signal {
            return signal;
        }
        if stop.changed().await.is_err() {
            // Nobody is left who could interrupt it.
            std::future::pending::<()>().await;
        }
    }
}

/// Steps that are granted the same with the same credentials share connections, and no others.
fn partition(planned: &Planned) -> String {
    let grants = planned.permission.step.iter().map(ToString::to_string);
    let credentials = planned
        .credentials
        .iter()
        .map(|bound| bound.credential.to_string());
    grants.chain(credentials).collect::<Vec<_>>().join("\n")
}

/// When a step's first attempt began; its start is on record.
fn started(started_at: &[Option<u64>], index: usize) -> u64 {
    started_at[index].expect("what is launched has its start on record")
}
