//! The loop that does what the agenda says: begins steps, waits for what runs, writes what happened.
//!
//! Every turn is the same: what is due becomes events and launches; the events go to the journal, all in
//! one; then the loop waits for the first thing to happen. A step runs once the ends of those that it waited
//! for are on record, which is one of the things that happen: a step's end and the next one's start are one
//! commit, and steps that wait for nothing don't wait for the disk either. Their starts go to the journal
//! before them, so that no request's intent can be on record without the start of its step.

mod ending;
mod runners;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbook_journal::{
    self as journal, Appended, Appending, Clock, Entry as Line, Event, RunState, SkipReason,
};
use sandbook_runbook::{Action, Plan, Planned, Scope, StepId};
use tokio::sync::watch;

use self::runners::Runners;
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
    /// Events that go to the journal next.
    lines: Vec<Line>,
    /// Attempts that wait for a place.
    queue: VecDeque<Waiting>,
    /// What was begun since events went to the journal last.
    launches: Vec<Launch>,
    /// What is at the journal, in its order.
    recordings: VecDeque<Recording>,
    /// How many times events have gone to the journal, and how many of these are on record.
    handed_in: u64,
    recorded: u64,
    /// Attempts that were begun and haven't ended.
    placed: usize,
    running: Runners,
    timers: BinaryHeap<Reverse<(u64, usize, Timer)>>,
    replays: HashMap<usize, Arc<Mutex<Replay>>>,
    /// In a dry run: steps whose outputs nobody knows.
    unknown: BTreeSet<StepId>,
    /// The first step that broke, and why.
    broke: Option<(StepId, String)>,
    finished: Option<journal::FinalStatus>,
}

/// An attempt that waits for a place.
#[derive(Clone, Copy)]
struct Waiting {
    index: usize,
    attempt: u32,
    /// What it waited for is in the events that went to the journal as this one.
    after: u64,
}

/// Events that are being put on record, and what runs once they are.
struct Recording {
    appending: Appending,
    launches: Vec<Attempt>,
}

/// What was begun and doesn't run yet.
enum Launch {
    Attempt { attempt: Box<Attempt>, after: u64 },
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
            recordings: VecDeque::new(),
            handed_in: 0,
            recorded: 0,
            placed: 0,
            running: Runners::default(),
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
            self.record();
            if let Some(status) = self.finished {
                self.all_recorded().await?;
                return Ok(Conducted::Finished(status));
            }
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
        while self.placed < self.setting.jobs {
            let Some(waiting) = self.queue.pop_front() else {
                break;
            };
            self.begin(waiting);
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
                Action::Plugin(_) => self.enqueue(index, 1),
                Action::Wait(_) | Action::Assert(_) => self.begin(self.due(index, 1)),
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

    /// An attempt that may begin: what it waited for is on record, or in the events that go there next.
    fn due(&self, index: usize, attempt: u32) -> Waiting {
        Waiting {
            index,
            attempt,
            after: self.handed_in + 1,
        }
    }

    /// Lets an attempt wait for a place.
    fn enqueue(&mut self, index: usize, attempt: u32) {
        let due = self.due(index, attempt);
        self.queue.push_back(due);
    }

    /// Begins an attempt.
    fn begin(&mut self, waiting: Waiting) {
        let Waiting {
            index,
            attempt,
            after,
        } = waiting;
        let planned = self.steps.get(index);
        let id = facts::id(&planned.step.id);
        self.write(Event::StepStarted { step: id, attempt });
        let prepared = match &planned.step.action {
            Action::Plugin(using) => self.prepare(index, attempt, using).map(|attempt| {
                self.placed += 1;
                self.launches.push(Launch::Attempt { attempt, after });
            }),
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

    /// Makes an attempt ready to be launched.
    fn prepare(
        &mut self,
        index: usize,
        attempt: u32,
        using: &sandbook_runbook::Use,
    ) -> Result<Box<Attempt>, journal::Failure> {
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
        Ok(Box::new(Attempt {
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
        }))
    }

    /// Hands what was written to the journal, and lets loose what needn't wait for it to be on record.
    fn record(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let (lines, launches) = (mem::take(&mut self.lines), mem::take(&mut self.launches));
        let (journal, run) = (&self.setting.desk.journal, self.setting.desk.run);
        // While nothing runs there is nothing better to do than to write it oneself.
        let appending = if self.running.is_empty() {
            journal.append(run, lines)
        } else {
            journal.append_behind(run, lines)
        };
        self.handed_in += 1;
        let now = appending.time();
        let (mut free, mut waiting) = (Vec::new(), Vec::new());
        for launch in launches {
            match launch {
                Launch::Attempt { attempt, after } => {
                    if attempt.attempt == 1 {
                        self.started_at[attempt.index] = Some(now);
                    }
                    if after <= self.recorded {
                        free.push(*attempt);
                    } else {
                        waiting.push(*attempt);
                    }
                }
                Launch::Wait { index, duration } => {
                    let until = now.saturating_add(millis(duration));
                    self.timers.push(Reverse((until, index, Timer::WaitOver)));
                }
            }
        }
        self.recordings.push_back(Recording {
            appending,
            launches: waiting,
        });
        self.launch(free);
    }

    /// Lets attempts loose.
    fn launch(&mut self, attempts: Vec<Attempt>) {
        let alone = attempts.len() == 1;
        for attempt in attempts {
            let made = self.make(attempt);
            self.running.run(Box::pin(made), alone);
        }
    }

    fn make(&self, attempt: Attempt) -> impl Future<Output = Attempted> + Send + use<> {
        let bench = Arc::clone(&self.setting.bench);
        let desk = self.setting.desk.clone();
        let first_start = self.started_at[attempt.index].expect("what is launched was begun");
        async move { attempt.make(&bench, desk, first_start).await }
    }

    /// Waits until everything is on record; what was to begin then does not.
    async fn all_recorded(&mut self) -> Result<(), Failed> {
        for recording in self.recordings.drain(..) {
            recording.appending.await?;
        }
        Ok(())
    }

    /// Waits for something to be on record, an attempt to end, a timer, or a signal; takes along all attempts
    /// that have ended by then.
    async fn something_happens(&mut self) -> Result<Option<journal::Signal>, Failed> {
        let next = self.timers.peek().map(|Reverse((at, ..))| *at);
        let now = self.setting.clock.now();
        let pause = next.map(|at| Duration::from_millis(at.saturating_sub(now)));
        let stop = &mut self.setting.desk.stop;
        let first = tokio::select! {
            biased;
            signal = interrupted(stop) => return Ok(Some(signal)),
            Some((appended, launches)) = next_recorded(&mut self.recordings) => {
                appended?;
                self.recorded += 1;
                self.launch(launches);
                None
            }
            Some(ended) = self.running.next() => Some(ended?),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => None,
        };
        let mut next = first;
        while let Some(ended) = next {
            self.ended(ended)?;
            next = self.running.try_next().transpose()?;
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
                Timer::Retry(attempt) => self.enqueue(index, attempt),
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
            while let Some(ended) = self.running.next().await {
                self.ended(ended?)?;
            }
            Ok::<(), Failed>(())
        });
        // Past the bound what still runs is dropped; its requests' ends stay unknown, and on record as such.
        waited.await.unwrap_or(Ok(()))?;
        self.write(Event::RunInterrupted { signal });
        self.record();
        self.all_recorded().await
    }

    /// Takes an event along with the next commit.
    fn write(&mut self, line: impl Into<Line>) {
        self.lines.push(line.into());
    }
}

/// Waits for the journal's next answer, if one is to come, and says what runs now.
async fn next_recorded(recordings: &mut VecDeque<Recording>) -> Option<(Appended, Vec<Attempt>)> {
    let appended = (&mut recordings.front_mut()?.appending).await;
    let launches = recordings.pop_front()?.launches;
    Some((appended, launches))
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
