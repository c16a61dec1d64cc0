//! The fold of one step.

use std::fmt;

use serde::Serialize;

use super::Illegal;
use super::illegal::ExpectedAttempt;
use crate::event::{Asked, Event, Failure, Outcome, SkipReason, StepId, Values};

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its turn has not come.
    Pending,
    /// It runs, or waits for its next attempt.
    Running,
    /// It waits for a person.
    Waiting,
    /// It is done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It is not run.
    Skipped,
    /// It was done and undone.
    RolledBack,
}

impl StepStatus {
    /// Whether nothing more is to be done about it.
    #[must_use]
    pub fn is_ended(self) -> bool {
        !matches!(
            self,
            StepStatus::Pending | StepStatus::Running | StepStatus::Waiting
        )
    }

    /// The status as the language and the reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Waiting => "waiting",
            StepStatus::Succeeded => "succeeded",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
            StepStatus::RolledBack => "rolled_back",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The part of the runbook that a step is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The runbook's own steps.
    Steps,
    /// Those that run when the run fails.
    OnFailure,
    /// Those that run in any case.
    Finally,
}

/// What a step's part of the log comes to. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    /// The step.
    pub id: StepId,
    /// Where it is in the runbook.
    pub section: Section,
    /// How it stands.
    pub status: StepStatus,
    /// The latest attempt; 0 before the first.
    pub attempt: u32,
    /// Whether the latest attempt goes on.
    pub attempt_open: bool,
    /// How many attempts failed. One that was cut off, because its process died, isn't among them.
    pub failed_attempts: u32,
    /// When the first attempt began.
    pub first_started_at: Option<u64>,
    /// When the latest attempt began.
    pub started_at: Option<u64>,
    /// When the next attempt is due, while the step waits for it.
    pub retry_at: Option<u64>,
    /// When the step ended.
    pub ended_at: Option<u64>,
    /// The requests of all attempts whose intent was recorded: those that may have changed something.
    pub requests: Vec<RequestState>,
    /// How many requests only read.
    pub reads: u32,
    /// How many requests were held back.
    pub held: u32,
    /// How many requests were denied.
    pub denied: u32,
    /// Why it was skipped.
    pub skipped: Option<SkipReason>,
    /// What it put out; empty unless it succeeded.
    pub outputs: Values,
    /// Whether it changed something.
    pub changed: bool,
    /// One line about it.
    pub summary: Option<String>,
    /// What it put out is unknown (in a dry run).
    pub unknown: bool,
    /// How the latest attempt that failed did so; nothing once the step succeeded.
    pub failure: Option<Failure>,
    /// The request whose outcome is unknown and that isn't safe to repeat, of a step that failed.
    pub in_doubt: Option<u32>,
    /// It failed, and the run goes on as if it had not.
    pub let_pass: bool,
    /// Where the latest attempt's requests begin.
    attempt_from: usize,
    last_request: u32,
}

/// A request whose intent is in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestState {
    /// Of which attempt.
    pub attempt: u32,
    /// Its number in that attempt.
    pub number: u32,
    /// The request.
    pub asked: Asked,
    /// When the intent was recorded.
    pub begun_at: u64,
    /// How it ended, if that is known.
    pub outcome: Option<Outcome>,
    /// How long it took, in milliseconds.
    pub took_ms: Option<u64>,
}

impl RequestState {
    /// Whether it may or may not have had its effect, whatever its plugin says, and isn't safe to repeat.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        !self.asked.repeatable && matches!(self.outcome, None | Some(Outcome::Unknown { .. }))
    }

    /// Whether it is in doubt once its attempt has failed or was cut off: it is lost, or its answer leaves open
    /// what came of it.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.is_lost()
            || (!self.asked.repeatable && self.outcome.as_ref().is_some_and(Outcome::is_ambiguous))
    }
}

impl StepState {
    pub(super) fn new(id: StepId, section: Section) -> StepState {
        StepState {
            id,
            section,
            status: StepStatus::Pending,
            attempt: 0,
            attempt_open: false,
            failed_attempts: 0,
            first_started_at: None,
            started_at: None,
            retry_at: None,
            ended_at: None,
            requests: Vec::new(),
            reads: 0,
            held: 0,
            denied: 0,
            skipped: None,
            outputs: Values::new(),
            changed: false,
            summary: None,
            unknown: false,
            failure: None,
            in_doubt: None,
            let_pass: false,
            attempt_from: 0,
            last_request: 0,
        }
    }

    /// The requests of the latest attempt whose intent was recorded.
    #[must_use]
    pub fn latest_requests(&self) -> &[RequestState] {
        &self.requests[self.attempt_from..]
    }

    /// The request that stands in the way of another attempt, if the latest one failed or was cut off.
    #[must_use]
    pub fn doubt(&self) -> Option<&RequestState> {
        self.latest_requests()
            .iter()
            .find(|request| request.is_in_doubt())
    }

    /// What the run's process took with it when it died.
    pub(super) fn cut_off(&mut self) {
        self.attempt_open = false;
    }

    /// The caller has seen to it that the event is of this step.
    pub(super) fn apply(&mut self, event: &Event, time: u64) -> Result<(), Illegal> {
        match event {
            Event::StepStarted { attempt, .. } => self.start(*attempt, time),
            Event::StepSkipped { reason, .. } => {
                self.need_status(StepStatus::Pending, "skipped")?;
                self.status = StepStatus::Skipped;
                self.skipped = Some(reason.clone());
                self.ended_at = Some(time);
                Ok(())
            }
            Event::RequestBegun {
                attempt,
                request,
                asked,
                ..
            } => {
                self.next_request(*attempt, *request)?;
                self.requests.push(RequestState {
                    attempt: *attempt,
                    number: *request,
                    asked: asked.clone(),
                    begun_at: time,
                    outcome: None,
                    took_ms: None,
                });
                Ok(())
            }
            Event::RequestEnded {
                attempt,
                request,
                outcome,
                took_ms,
                ..
            } => {
                let ended = self.open_request(*attempt, *request)?;
                ended.outcome = Some(outcome.clone());
                ended.took_ms = Some(*took_ms);
                Ok(())
            }
            Event::RequestRead {
                attempt, request, ..
            } => {
                self.next_request(*attempt, *request)?;
                self.reads += 1;
                Ok(())
            }
            Event::RequestHeld {
                attempt, request, ..
            } => {
                self.next_request(*attempt, *request)?;
                self.held += 1;
                Ok(())
            }
            Event::RequestDenied {
                attempt, request, ..
            } => {
                self.next_request(*attempt, *request)?;
                self.denied += 1;
                Ok(())
            }
            Event::AttemptFailed {
                attempt,
                failure,
                retry_at,
                ..
            } => {
                self.need_open(*attempt, "tried again")?;
                self.need_no_doubt("tried again")?;
                self.attempt_failed(failure);
                self.retry_at = Some(*retry_at);
                Ok(())
            }
            Event::StepSucceeded {
                attempt,
                outputs,
                changed,
                summary,
                unknown,
                ..
            } => {
                self.need_open(*attempt, "succeeded")?;
                if let Some(lost) = self
                    .latest_requests()
                    .iter()
                    .find(|request| request.is_lost())
                {
                    return Err(self.in_doubt("succeeded", lost.number));
                }
                self.outputs = outputs.clone();
                self.changed = *changed;
                self.summary.clone_from(summary);
                self.unknown = *unknown;
                self.failure = None;
                self.end(StepStatus::Succeeded, time);
                Ok(())
            }
            Event::StepFailed {
                attempt,
                failure,
                in_doubt,
                let_pass,
                ..
            } => {
                self.fail(*attempt, failure, *in_doubt)?;
                self.in_doubt = *in_doubt;
                self.let_pass = *let_pass;
                self.end(StepStatus::Failed, time);
                Ok(())
            }
            Event::Logged { attempt, .. } => {
                if *attempt == 0 || *attempt > self.attempt {
                    return Err(self.out_of_order(*attempt));
                }
                Ok(())
            }
            Event::RunStarted(_)
            | Event::Noted { .. }
            | Event::RunInterrupted { .. }
            | Event::RunResumed { .. }
            | Event::RunFinished { .. } => unreachable!("an event of the whole run has no step"),
        }
    }

    fn start(&mut self, attempt: u32, time: u64) -> Result<(), Illegal> {
        if self.status.is_ended() || self.status == StepStatus::Waiting {
            return Err(self.wrong_status("started"));
        }
        if self.attempt_open || attempt != self.attempt + 1 {
            return Err(self.out_of_order(attempt));
        }
        self.need_no_doubt("started")?;
        self.status = StepStatus::Running;
        self.attempt = attempt;
        self.attempt_open = true;
        self.attempt_from = self.requests.len();
        self.last_request = 0;
        self.first_started_at.get_or_insert(time);
        self.started_at = Some(time);
        self.retry_at = None;
        Ok(())
    }

    /// A step may also fail between two attempts, when the next one isn't to come any more.
    fn fail(
        &mut self,
        attempt: u32,
        failure: &Failure,
        in_doubt: Option<u32>,
    ) -> Result<(), Illegal> {
        self.need_status(StepStatus::Running, "failed")?;
        if attempt != self.attempt {
            return Err(self.out_of_order(attempt));
        }
        match (self.doubt().map(|request| request.number), in_doubt) {
            (Some(request), None) => return Err(self.in_doubt("failed without saying so", request)),
            (_, Some(named))
                if !self
                    .latest_requests()
                    .iter()
                    .any(|r| r.number == named && r.is_in_doubt()) =>
            {
                return Err(self.wrong_request(named, "is not in doubt"));
            }
            _ => {}
        }
        if self.attempt_open {
            self.attempt_failed(failure);
        } else {
            self.failure = Some(failure.clone());
        }
        Ok(())
    }

    fn attempt_failed(&mut self, failure: &Failure) {
        self.attempt_open = false;
        self.failed_attempts += 1;
        self.failure = Some(failure.clone());
    }

    fn end(&mut self, status: StepStatus, time: u64) {
        self.status = status;
        self.attempt_open = false;
        self.retry_at = None;
        self.ended_at = Some(time);
    }

    /// Requests of an attempt pass the gate one after the other.
    fn next_request(&mut self, attempt: u32, request: u32) -> Result<(), Illegal> {
        self.need_open(attempt, "sending")?;
        if request <= self.last_request {
            return Err(self.wrong_request(request, "is out of order"));
        }
        if self
            .latest_requests()
            .last()
            .is_some_and(|last| last.outcome.is_none())
        {
            return Err(self.wrong_request(request, "came before the outcome of the one before it"));
        }
        self.last_request = request;
        Ok(())
    }

    fn open_request(&mut self, attempt: u32, request: u32) -> Result<&mut RequestState, Illegal> {
        self.need_open(attempt, "answered")?;
        let why = match self.latest_requests().last() {
            Some(last) if last.number == request && last.outcome.is_none() => {
                return Ok(self
                    .requests
                    .last_mut()
                    .expect("invariant: the latest requests aren't empty"));
            }
            Some(last) if last.number == request => "has an outcome already",
            _ => "has no intent",
        };
        Err(self.wrong_request(request, why))
    }

    fn need_status(&self, status: StepStatus, wanted: &'static str) -> Result<(), Illegal> {
        if self.status == status {
            Ok(())
        } else {
            Err(self.wrong_status(wanted))
        }
    }

    fn need_open(&self, attempt: u32, wanted: &'static str) -> Result<(), Illegal> {
        self.need_status(StepStatus::Running, wanted)?;
        if self.attempt_open && attempt == self.attempt {
            Ok(())
        } else {
            Err(self.out_of_order(attempt))
        }
    }

    fn need_no_doubt(&self, wanted: &'static str) -> Result<(), Illegal> {
        match self.doubt() {
            Some(request) => Err(self.in_doubt(wanted, request.number)),
            None => Ok(()),
        }
    }

    fn wrong_status(&self, wanted: &'static str) -> Illegal {
        Illegal::Status {
            step: self.id.clone(),
            status: self.status,
            wanted,
        }
    }

    fn out_of_order(&self, found: u32) -> Illegal {
        let expected = if self.attempt_open {
            ExpectedAttempt::Open(self.attempt)
        } else {
            ExpectedAttempt::Next(self.attempt + 1)
        };
        Illegal::Attempt {
            step: self.id.clone(),
            found,
            expected,
        }
    }

    fn wrong_request(&self, request: u32, why: &'static str) -> Illegal {
        Illegal::Request {
            step: self.id.clone(),
            request,
            why,
        }
    }

    fn in_doubt(&self, wanted: &'static str, request: u32) -> Illegal {
        Illegal::InDoubt {
            step: self.id.clone(),
            request,
            wanted,
        }
    }
}
