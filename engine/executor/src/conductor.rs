//! The loop that does what the agenda says: begins steps, waits for what runs, writes what happened.
//!
//! Every turn is the same: what is due becomes events and launches; the events go to the journal, all in
//! one; then the loop waits for the first thing to happen. A step runs once the ends of those that it waited
//! for are on record, which is one of the things that happen: a step's end and the next one's start are one
//! commit, and steps that wait for nothing don't wait for the disk either. Their starts go to the journal
//! before them, so that no request's intent can be on record without the start of its step.

mod asking;
mod beginning;
mod cancelling;
mod deciding;
mod ending;
mod recall;
mod recording;
mod runners;
mod space;
mod undoing;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbook_journal::{
    self as journal, Cancelling, Clock, Entry as Line, Event, JournalError, SkipReason, StateDir,
    Stored,
};
use sandbook_runbook::{Plan, Scope, StepId};
use sandbook_sandbox::Time;
use tokio::sync::{mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use self::recording::{Launch, Recording, next_recorded};
use self::runners::Runners;
use crate::agenda::{Agenda, Done, Due};
use crate::attempt::Bench;
use crate::facts::{self, Opening};
use crate::failed::Failed;
use crate::order::Steps;
use crate::past::Past;
use crate::recorder::Desk;
use crate::replay::Replay;
use crate::space::{NoSpace, Space};

/// What a run needs beside its plan.
pub(crate) struct Setting {
    pub(crate) desk: Desk,
    /// Where what people decide meanwhile is read.
    pub(crate) state: StateDir,
    pub(crate) clock: Arc<dyn Clock>,
    /// By what it is waited for that clock.
    pub(crate) time: Time,
    pub(crate) bench: Arc<Bench>,
    /// How many attempts may run at once.
    pub(crate) jobs: usize,
    pub(crate) dry_run: bool,
    /// What expressions see of the run.
    pub(crate) opening: Opening,
    /// Draws from 0 to 1, to spread retries.
    pub(crate) jitter: fn() -> f64,
    /// Whether there is room on the disk to start anything.
    pub(crate) space: Space,
}

/// How a conducted run ended.
pub(crate) enum Conducted {
    Finished(journal::FinalStatus),
    Interrupted(journal::Signal),
    /// Nothing is left to do before a person has decided.
    Waiting,
    OutOfSpace(NoSpace),
}

pub(crate) struct Conductor<'a> {
    plan: &'a Plan,
    steps: Steps<'a>,
    setting: Setting,
    agenda: Agenda,
    scope: Scope,
    /// When each step's first attempt began, as its event has it.
    started_at: Vec<Option<u64>>,
    /// How many attempts of each step have failed. One that was cut off by a crash isn't among them.
    failures: Vec<u32>,
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
    /// Steps that wait for a person.
    asking: BTreeMap<usize, Asking>,
    /// Steps that are settled for those that need them, and aren't over.
    let_go: BTreeSet<usize>,
    /// The steps that succeeded, in the order of their ends, and whether each has changed something.
    succeeded: Vec<(usize, bool)>,
    /// What other processes append to the run: what people decide.
    news: mpsc::UnboundedReceiver<Arc<Stored>>,
    /// When it is looked for them.
    looks: Interval,
    /// Cuts off what runs when the run is cancelled; the other one never does.
    cut: watch::Sender<bool>,
    uncut: watch::Sender<bool>,
    cancelled: Option<Cancelling>,
    /// The run was finished, and only what undoes it runs.
    undoing: bool,
    /// The rollback that broke off the undoing, and why.
    undo_broke: Option<(StepId, String)>,
    /// In a dry run: steps whose outputs nobody knows.
    unknown: BTreeSet<StepId>,
    /// The first step that broke, and why.
    broke: Option<(StepId, String)>,
    finished: Option<journal::FinalStatus>,
}

/// A step that waits for a person.
#[derive(Debug, Clone, Copy)]
struct Asking {
    /// Its latest attempt.
    attempt: u32,
    /// What came of a request is what is asked.
    in_doubt: bool,
    /// Nothing was done yet of what it is about.
    before_the_work: bool,
    /// It is an approval, for which there is a time.
    expires: bool,
}

/// An attempt that waits for a place.
#[derive(Clone, Copy)]
struct Waiting {
    index: usize,
    attempt: u32,
    /// What it waited for is in the events that went to the journal as this one.
    after: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The step's wait, which was begun as this attempt, is over.
    WaitOver(u32),
    /// The step's next attempt, this one, is due.
    Retry(u32),
    /// The time in which the step could be approved is over.
    Expired(u32),
}

/// How often it is looked whether a person has decided something, or cancelled the run, in another process.
const LOOK: Duration = Duration::from_millis(250);

/// How long an interrupted run waits for what is in flight.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

impl<'a> Conductor<'a> {
    /// Takes up a run where its past says that it stands.
    ///
    /// # Errors
    ///
    /// What a person has decided can't be read.
    pub(crate) fn new(
        plan: &'a Plan,
        past: Past,
        scope: Scope,
        setting: Setting,
        news: mpsc::UnboundedReceiver<Arc<Stored>>,
    ) -> Result<Conductor<'a>, Failed> {
        let steps = Steps::of(plan);
        let on_record = &past.state;
        let undo = undoing::undo(&past.state, &steps);
        let cancelled = past.state.cancelling().is_some() || past.state.is_undoing();
        let standing = |index: usize| facts::standing(on_record.step_at(index));
        let agenda = Agenda::new(steps.order(), standing, undo, cancelled);
        let started_at = on_record
            .steps()
            .map(|step| step.first_started_at)
            .collect();
        let failures = on_record.steps().map(|step| step.failed_attempts).collect();
        let succeeded = past.state.succeeded().iter();
        let succeeded = succeeded.map(|&index| (index, on_record.step_at(index).changed));
        let replays = past.replays.into_iter().map(|(step, replay)| {
            let index = steps.index(step.as_str());
            (index, Arc::new(Mutex::new(replay)))
        });
        let replays = replays.collect();
        let cut = watch::Sender::new(past.state.cancelling().is_some());
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut conductor = Conductor {
            plan,
            steps,
            agenda,
            scope,
            started_at,
            failures,
            passed: past.passed,
            lines: Vec::new(),
            queue: VecDeque::new(),
            launches: Vec::new(),
            recordings: VecDeque::new(),
            handed_in: 0,
            recorded: 0,
            placed: 0,
            running: Runners::default(),
            timers: BinaryHeap::new(),
            replays,
            asking: BTreeMap::new(),
            let_go: BTreeSet::new(),
            succeeded: succeeded.collect(),
            news,
            looks,
            cut,
            uncut: watch::Sender::new(false),
            cancelled: past.state.cancelling().cloned(),
            undoing: past.state.is_undoing(),
            undo_broke: past.undo_broke,
            unknown: BTreeSet::new(),
            broke: past.broke,
            finished: None,
            setting,
        };
        conductor.recall(&past.state, past.outputs)?;
        Ok(conductor)
    }

    /// Runs to the end, or until it is interrupted, or until only people can say how it goes on.
    pub(crate) async fn conduct(mut self) -> Result<Conducted, Failed> {
        loop {
            let stop = *self.setting.desk.stop.borrow();
            if let Some(signal) = stop {
                self.wind_up(signal).await?;
                return Ok(Conducted::Interrupted(signal));
            }
            if let Some(conducted) = self.end_for_space().await? {
                return Ok(conducted);
            }
            self.schedule();
            self.record();
            if let Some(status) = self.finished {
                self.all_recorded().await?;
                return Ok(Conducted::Finished(status));
            }
            if self.only_people_are_waited_for() && self.left_waiting().await? {
                return Ok(Conducted::Waiting);
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
                    let need = self.steps.id(need);
                    self.skip(step, SkipReason::Need { step: need }, Done::Unsatisfied);
                }
                Due::SkipStopped(step) => self.skip(step, SkipReason::Stopped, Done::Unsatisfied),
                // What was let go may have changed something too.
                Due::RollBack if !self.let_go.is_empty() => break,
                Due::RollBack => self.roll_back(),
                // What was let go is not over.
                Due::Finish if !self.let_go.is_empty() => break,
                Due::Finish => {
                    self.finish();
                    return;
                }
            }
        }
        self.drop_what_is_stopped();
        self.ask_nothing_in_vain();
        while self.placed < self.setting.jobs {
            let Some(waiting) = self.queue.pop_front() else {
                break;
            };
            self.begin(waiting);
        }
    }

    /// Whether nothing is under way or due but what people decide.
    fn only_people_are_waited_for(&self) -> bool {
        let only_expires = |timer: &Reverse<(u64, usize, Timer)>| {
            matches!(timer, Reverse((_, _, Timer::Expired(_))))
        };
        !self.asking.is_empty()
            && self.placed == 0
            && self.queue.is_empty()
            && self.timers.iter().all(only_expires)
    }

    /// Leaves the run to the people. Says no when one of them has decided something just now.
    async fn left_waiting(&mut self) -> Result<bool, Failed> {
        self.all_recorded().await?;
        let (journal, run) = (&self.setting.desk.journal, self.setting.desk.run);
        let status = journal::Standing::Waiting;
        let waiting = Event::RunWaiting { status };
        match journal.append(run, vec![waiting.into()]).await {
            Ok(_) => Ok(true),
            Err(JournalError::Illegal { .. }) if !self.news.is_empty() => Ok(false),
            Err(error) => Err(error.into()),
        }
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
            Some(stored) = self.news.recv() => {
                self.take_news(&stored)?;
                None
            }
            _ = self.looks.tick() => {
                self.setting.desk.journal.look(self.setting.desk.run);
                None
            }
            () = self.setting.time.sleep(pause.unwrap_or_default()), if pause.is_some() => None,
        };
        // All that was said, before anything begins by it.
        while let Ok(stored) = self.news.try_recv() {
            self.take_news(&stored)?;
        }
        let mut next = first;
        while let Some(ended) = next {
            self.ended(ended)?;
            next = self.running.try_next().transpose()?;
        }
        self.ring()?;
        Ok(None)
    }

    /// Does what the timers that are due stand for.
    fn ring(&mut self) -> Result<(), Failed> {
        let now = self.setting.clock.now();
        while let Some(&Reverse((at, index, timer))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            match timer {
                Timer::WaitOver(attempt) => {
                    self.succeed(index, attempt, facts::nothing_changed());
                }
                Timer::Retry(attempt) => self.enqueue(index, attempt),
                Timer::Expired(attempt) => self.expire(index, attempt)?,
            }
        }
        Ok(())
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
        let cause = signal.into();
        self.write(Event::RunInterrupted { cause });
        self.record();
        self.all_recorded().await
    }

    /// Takes an event along with the next commit.
    fn write(&mut self, line: impl Into<Line>) {
        self.lines.push(line.into());
    }
}

/// Waits until the attempts that run now are to be cut off, since the run is cancelled.
pub(crate) async fn cancelled(cut: &mut watch::Receiver<bool>) {
    if cut.wait_for(|cut| *cut).await.is_err() {
        // Nobody is left who could cancel it.
        std::future::pending::<()>().await;
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
