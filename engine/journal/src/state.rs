//! The fold: what a run's log comes to.
//!
//! [`RunState::apply`] is the one place that knows which events may follow which. It is pure, takes about the
//! same time for a run's ten thousandth event as for its tenth, and leaves the state as it was when it refuses.

mod illegal;
mod legal;
mod question;
mod refusal;
mod request;
mod status;
mod step;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::Serialize;

pub use self::illegal::{ExpectedAttempt, Illegal};
use self::legal::Moment;
pub use self::question::{Decided, Question};
pub use self::request::{RequestState, Settled};
pub use self::status::{Section, StepStatus};
pub use self::step::StepState;
use crate::event::{
    EnvironmentFacts, Event, FinalStatus, Operator, ROLLBACK, RunStarted, StepId, Values,
};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It goes on, or it would if its process were alive.
    Running,
    /// It was told to stop, or its process died; it can be resumed.
    Interrupted,
    /// It waits for a person.
    Waiting,
    /// It is over, and succeeded.
    Succeeded,
    /// It is over, and failed.
    Failed,
    /// It is over, since a person cancelled it.
    Cancelled,
}

impl RunStatus {
    /// Whether it is over.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(
            self,
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled
        )
    }
}

impl From<FinalStatus> for RunStatus {
    fn from(status: FinalStatus) -> RunStatus {
        match status {
            FinalStatus::Succeeded => RunStatus::Succeeded,
            FinalStatus::Failed => RunStatus::Failed,
            FinalStatus::Cancelled => RunStatus::Cancelled,
        }
    }
}

/// A run's end.
#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    /// When, in milliseconds since the epoch.
    pub at: u64,
    /// How.
    pub status: FinalStatus,
    /// The first step whose failure ended it.
    pub failed_step: Option<StepId>,
    /// Why it failed.
    pub error: Option<String>,
    /// What the runbook put out.
    pub outputs: Values,
    /// Steps that failed and were let pass.
    pub passed_failures: Vec<StepId>,
}

/// What a run's log comes to. `RunState::default()` is that of an empty log. A copy shares with the original what neither
/// has changed since.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunState {
    started: Option<Started>,
    pause: Option<Pause>,
    cancelling: Option<Cancelling>,
    /// The rollbacks that undo what was done, in their order.
    rollback: Option<Vec<StepId>>,
    /// A person has asked for a finished run to be undone.
    undoing: bool,
    /// The steps that succeeded, in the order of their ends.
    succeeded: Vec<usize>,
    /// The environment that a person let it go on in last.
    accepted: Option<EnvironmentFacts>,
    finish: Option<Finish>,
    steps: Vec<Arc<StepState>>,
    index: Arc<HashMap<StepId, usize>>,
    /// The steps that run or wait for a person, by their places: few of many.
    busy: BTreeSet<usize>,
    tally: Tally,
}

/// A person's word that the run is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelling {
    /// Who.
    pub by: Operator,
    /// Why.
    pub reason: String,
    /// What was done is to be undone before.
    pub rollback: bool,
}

/// Why no process goes on with an unfinished run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    Interrupted,
    Waiting,
}

#[derive(Debug, Clone, PartialEq)]
struct Started {
    at: u64,
    facts: Arc<RunStarted>,
}

/// Counts that answer, without a look at every step, whether the run may be finished.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tally {
    /// Steps that have to be through in a run that succeeds, and aren't.
    owed: usize,
    /// Steps that failed and weren't let pass.
    broke: usize,
}

impl RunState {
    /// Adds the log's next event, which happened at `time` (milliseconds since the epoch).
    ///
    /// # Errors
    ///
    /// When the event may not follow what is in the log; the state is then as it was.
    pub fn apply(&mut self, event: &Event, time: u64) -> Result<(), Illegal> {
        self.refuse_by_status(event)?;
        match event {
            Event::RunStarted(facts) => self.start(facts, time),
            Event::Noted { .. } => Ok(()),
            Event::RunInterrupted { .. } => {
                self.pause = Some(Pause::Interrupted);
                Ok(())
            }
            Event::RunWaiting { .. } => {
                self.refuse_waiting()?;
                self.pause = Some(Pause::Waiting);
                Ok(())
            }
            Event::CancelRequested {
                by,
                reason,
                rollback,
            } => self.cancel(by, reason, *rollback),
            Event::UndoRequested { .. } => {
                if self.finish.take().is_none() {
                    return Err(Illegal::Unfinishable);
                }
                self.undoing = true;
                self.cancelling = None;
                Ok(())
            }
            Event::RollbackStarted { steps } => self.roll_back(steps),
            Event::RunResumed { environment, .. } => {
                self.resume();
                if let Some(accepted) = environment {
                    self.accepted = Some(accepted.facts.clone());
                }
                Ok(())
            }
            Event::RunFinished {
                status,
                failed_step,
                error,
                outputs,
                passed_failures,
            } => {
                self.refuse_finish(*status)?;
                for step in failed_step.iter().chain(passed_failures) {
                    self.refuse_unless_failed(step)?;
                }
                self.finish = Some(Finish {
                    at: time,
                    status: *status,
                    failed_step: failed_step.clone(),
                    error: error.clone(),
                    outputs: outputs.clone(),
                    passed_failures: passed_failures.clone(),
                });
                Ok(())
            }
            of_step => {
                let step = of_step.step();
                let step = step.expect("invariant: what is of the run is above");
                self.apply_to_step(step, event, time)
            }
        }
    }

    /// How the run stands. The log alone can't tell that a process died: a running run without a live process
    /// is interrupted.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        match &self.finish {
            Some(finish) => finish.status.into(),
            None => match self.pause {
                Some(Pause::Interrupted) => RunStatus::Interrupted,
                Some(Pause::Waiting) => RunStatus::Waiting,
                None => RunStatus::Running,
            },
        }
    }

    /// What was fixed at the start; nothing while the log is empty.
    #[must_use]
    pub fn facts(&self) -> Option<&RunStarted> {
        self.started.as_ref().map(|started| &*started.facts)
    }

    /// The environment that the run has now: what it started with, unless a person has accepted another since.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentFacts> {
        let at_the_start = || self.facts()?.environment.as_ref();
        self.accepted.as_ref().or_else(at_the_start)
    }

    /// When the run started, in milliseconds since the epoch.
    #[must_use]
    pub fn started_at(&self) -> Option<u64> {
        self.started.as_ref().map(|started| started.at)
    }

    /// The run's end, if it has one.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// A person's word that the run is to end, if there is one.
    #[must_use]
    pub fn cancelling(&self) -> Option<&Cancelling> {
        self.cancelling.as_ref()
    }

    /// The rollbacks that undo what was done, in their order, once that has begun.
    #[must_use]
    pub fn rollback(&self) -> Option<&[StepId]> {
        self.rollback.as_deref()
    }

    /// Whether it was finished, and goes on so that what it did is undone.
    #[must_use]
    pub fn is_undoing(&self) -> bool {
        self.undoing
    }

    /// The steps that have succeeded, by their places in [`RunState::steps`], in the order of their ends.
    #[must_use]
    pub fn succeeded(&self) -> &[usize] {
        &self.succeeded
    }

    /// The steps that wait for a person, with what.
    pub fn questions(&self) -> impl Iterator<Item = (&StepState, &Question)> {
        let undecided = |step| {
            let step: &StepState = step;
            let question = step.question.as_deref()?;
            (question.decided.is_none() && !question.given_up).then_some((step, question))
        };
        self.busy().filter_map(undecided)
    }

    /// All steps in the order of the runbook: `steps`, then `on_failure`, then `finally`, then the rollbacks.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &StepState> + Clone {
        self.steps.iter().map(|step| &**step)
    }

    /// The steps that run or wait for a person.
    fn busy(&self) -> impl Iterator<Item = &StepState> {
        self.busy.iter().map(|&at| self.step_at(at))
    }

    /// The step at a place in [`RunState::steps`].
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use]
    pub fn step_at(&self, index: usize) -> &StepState {
        &self.steps[index]
    }

    /// One step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepState> {
        self.index.get(id).map(|&at| &*self.steps[at])
    }

    fn start(&mut self, facts: &RunStarted, time: u64) -> Result<(), Illegal> {
        let sections = &facts.sections;
        let in_order = [
            (Section::Steps, &sections.steps),
            (Section::OnFailure, &sections.on_failure),
            (Section::Finally, &sections.finally),
            (Section::Rollback, &sections.rollbacks),
        ];
        let count = in_order.iter().map(|(_, ids)| ids.len()).sum();
        let mut steps = Vec::with_capacity(count);
        let mut index = HashMap::with_capacity(count);
        for (section, id) in in_order
            .into_iter()
            .flat_map(|(section, ids)| ids.iter().map(move |id| (section, id)))
        {
            if index.insert(id.clone(), steps.len()).is_some() {
                return Err(Illegal::StepTwice { step: id.clone() });
            }
            steps.push(Arc::new(StepState::new(id.clone(), section)));
        }
        self.tally.owed = sections.steps.len() + sections.finally.len();
        self.steps = steps;
        self.index = Arc::new(index);
        self.started = Some(Started {
            at: time,
            facts: Arc::new(facts.clone()),
        });
        Ok(())
    }

    fn cancel(&mut self, by: &Operator, reason: &str, rollback: bool) -> Result<(), Illegal> {
        if self.cancelling.is_some() {
            return Err(Illegal::CancelledTwice);
        }
        self.cancelling = Some(Cancelling {
            by: by.clone(),
            reason: reason.to_owned(),
            rollback,
        });
        for &at in &self.busy {
            Arc::make_mut(&mut self.steps[at]).give_up();
        }
        Ok(())
    }

    fn roll_back(&mut self, steps: &[StepId]) -> Result<(), Illegal> {
        if self.rollback.is_some() {
            return Err(Illegal::UndoneTwice);
        }
        for step in steps {
            let undone = step.as_str().strip_suffix(ROLLBACK);
            match undone.and_then(|id| self.step(id)) {
                Some(undone) if self.index.contains_key(step) => {
                    undone.need_status(StepStatus::Succeeded, "undone")?;
                }
                _ => return Err(Illegal::UnknownStep { step: step.clone() }),
            }
        }
        self.rollback = Some(steps.to_vec());
        Ok(())
    }

    fn resume(&mut self) {
        self.pause = None;
        for &at in &self.busy {
            Arc::make_mut(&mut self.steps[at]).attempt_open = false;
        }
    }

    fn apply_to_step(&mut self, id: &StepId, event: &Event, time: u64) -> Result<(), Illegal> {
        let at = *self
            .index
            .get(id)
            .ok_or_else(|| Illegal::UnknownStep { step: id.clone() })?;
        let starts = matches!(event, Event::StepStarted { .. });
        let undoes = || {
            self.rollback
                .as_ref()
                .is_some_and(|steps| steps.contains(id))
        };
        if starts && self.steps[at].section == Section::Rollback && !undoes() {
            return Err(Illegal::NotUndone { step: id.clone() });
        }
        let moment = Moment {
            time,
            cancelling: self.cancelling.is_some(),
            broke: self.tally.broke > 0,
            starter: match &self.started {
                Some(started) => &started.facts.operator,
                None => return Err(Illegal::NotStarted),
            },
        };
        let step = Arc::make_mut(&mut self.steps[at]);
        let before = step.status;
        step.apply(event, moment)?;
        self.tally.moved(step, before);
        if matches!(step.status, StepStatus::Running | StepStatus::Waiting) {
            self.busy.insert(at);
        } else {
            self.busy.remove(&at);
        }
        if matches!(event, Event::StepSucceeded { .. }) {
            self.succeeded.push(at);
            self.mark_undone(id);
        }
        Ok(())
    }

    /// A rollback that succeeded makes its step one that was done and undone.
    fn mark_undone(&mut self, rollback: &StepId) {
        let undone = rollback.as_str().strip_suffix(ROLLBACK);
        if let Some(&at) = undone.and_then(|id| self.index.get(id)) {
            Arc::make_mut(&mut self.steps[at]).status = StepStatus::RolledBack;
        }
    }
}

/// Whether a run can only succeed once this step is through.
fn is_owed(section: Section) -> bool {
    matches!(section, Section::Steps | Section::Finally)
}

impl Tally {
    fn moved(&mut self, step: &StepState, before: StepStatus) {
        let after = step.status;
        if before == after {
            return;
        }
        if is_owed(step.section) {
            self.owed -= usize::from(after.is_ended());
        }
        self.broke += usize::from(after == StepStatus::Failed && !step.let_pass);
    }
}

#[cfg(test)]
mod tests;
