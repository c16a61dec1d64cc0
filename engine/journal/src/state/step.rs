//! The fold of one step.

use super::Illegal;
use super::legal::Moment;
use super::question::{Decided, Question};
use super::request::RequestState;
use super::status::{Section, StepStatus};
use crate::event::{Decision, Event, Failure, SkipReason, StepId, Values, Waiting};

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
    /// The steps that need it don't wait for it any more.
    pub let_go: bool,
    /// What it waits for a person to say.
    pub question: Option<Box<Question>>,
    /// The decision that it went on by last.
    pub decided: Option<Box<Decided>>,
    /// Where the latest attempt's requests begin.
    pub(super) attempt_from: usize,
    last_request: u32,
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
            let_go: false,
            question: None,
            decided: None,
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

    /// The run is cancelled: but for a doubt, nobody is asked any more about what that ends.
    pub(super) fn give_up(&mut self) {
        let is_ended = matches!(self.section, Section::Steps | Section::OnFailure);
        let question = self.question.as_mut();
        if let Some(question) = question.filter(|it| is_ended && !it.is_doubt()) {
            question.given_up = true;
        }
    }

    /// The caller has seen to it that the event is of this step.
    pub(super) fn apply(&mut self, event: &Event, moment: Moment<'_>) -> Result<(), Illegal> {
        let time = moment.time;
        match event {
            Event::StepStarted { attempt, .. } => self.start(*attempt, time),
            Event::StepSkipped { reason, .. } => self.skip(reason, time),
            Event::StepWaiting {
                attempt,
                waiting,
                failure,
                let_go,
                ..
            } => {
                self.wait(*attempt, waiting, failure.as_ref())?;
                self.answer();
                self.let_go |= *let_go;
                let question = Question::new(waiting.clone(), time, *let_go);
                self.question = Some(Box::new(question));
                if moment.cancelling {
                    self.give_up();
                }
                Ok(())
            }
            Event::Decided {
                attempt,
                by,
                decision,
                reason,
                ..
            } => {
                let said = Decided {
                    by: by.clone(),
                    decision: decision.clone(),
                    reason: reason.clone(),
                    at: time,
                };
                self.decide(*attempt, said, moment.starter)
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
                    settled: None,
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
                if !self
                    .is_decided(|said| matches!(said, Decision::Approve | Decision::Done { .. }))
                {
                    self.need_open(*attempt, "succeeded")?;
                } else if *attempt != self.attempt {
                    return Err(self.out_of_order(*attempt));
                }
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
                self.fail(*attempt, failure, *in_doubt, moment)?;
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
            | Event::RunWaiting { .. }
            | Event::CancelRequested { .. }
            | Event::UndoRequested { .. }
            | Event::RollbackStarted { .. }
            | Event::RunResumed { .. }
            | Event::RunFinished { .. } => unreachable!("an event of the whole run has no step"),
        }
    }

    fn start(&mut self, attempt: u32, time: u64) -> Result<(), Illegal> {
        let waits = self.question.as_ref().is_some_and(|it| !it.is_retry());
        if self.status.is_ended() || waits {
            return Err(self.wrong_status("started"));
        }
        if self.attempt_open || attempt != self.attempt + 1 {
            return Err(self.out_of_order(attempt));
        }
        self.need_no_doubt("started")?;
        self.status = StepStatus::Running;
        self.answer();
        self.attempt = attempt;
        self.attempt_open = true;
        self.attempt_from = self.requests.len();
        self.last_request = 0;
        self.first_started_at.get_or_insert(time);
        self.started_at = Some(time);
        self.retry_at = None;
        Ok(())
    }

    fn skip(&mut self, reason: &SkipReason, time: u64) -> Result<(), Illegal> {
        if *reason == SkipReason::Decided {
            if !self.is_decided(|said| *said == Decision::Skip) {
                return Err(self.wrong_status("skipped by a decision"));
            }
        } else {
            self.need_status(StepStatus::Pending, "skipped")?;
        }
        self.skipped = Some(reason.clone());
        self.end(StepStatus::Skipped, time);
        Ok(())
    }

    /// The attempt has ended, or was cut off, and a person is to say how it goes on.
    fn wait(
        &mut self,
        attempt: u32,
        waiting: &Waiting,
        failure: Option<&Failure>,
    ) -> Result<(), Illegal> {
        match &self.question {
            // What wasn't approved may be paused at.
            Some(it) if it.has(|said| *said == Decision::Reject) || it.can_expire() => {}
            Some(_) => return Err(self.wrong_status("waiting for anything else")),
            None => self.need_status(StepStatus::Running, "waiting")?,
        }
        if attempt != self.attempt {
            return Err(self.out_of_order(attempt));
        }
        match waiting {
            Waiting::InDoubt { request } => self.need_doubt(*request)?,
            _ => self.need_no_doubt("waiting for anything else")?,
        }
        match failure {
            Some(failure) => self.failed_with(failure),
            None => self.attempt_open = false,
        }
        self.status = StepStatus::Waiting;
        self.retry_at = None;
        Ok(())
    }

    /// A step may also fail between two attempts, when the next one isn't to come any more, and while it waits,
    /// when a person, the time or a cancellation says so.
    fn fail(
        &mut self,
        attempt: u32,
        failure: &Failure,
        in_doubt: Option<u32>,
        moment: Moment<'_>,
    ) -> Result<(), Illegal> {
        if let Some(question) = &self.question {
            let aborted = question.has(|said| matches!(said, Decision::Reject | Decision::Abort));
            let cancelled = question.given_up || (moment.cancelling && question.is_retry());
            let in_vain = moment.broke && question.is_before_the_work();
            if !aborted && !cancelled && !in_vain && !question.can_expire() {
                return Err(self.wrong_status("failed"));
            }
        } else {
            self.need_status(StepStatus::Running, "failed")?;
        }
        if attempt != self.attempt {
            return Err(self.out_of_order(attempt));
        }
        match (self.doubt().map(|request| request.number), in_doubt) {
            (Some(request), None) => return Err(self.in_doubt("failed without saying so", request)),
            (_, Some(named)) => self.need_doubt(named)?,
            (None, None) => {}
        }
        self.failed_with(failure);
        Ok(())
    }

    fn failed_with(&mut self, failure: &Failure) {
        if self.attempt_open {
            self.attempt_failed(failure);
        } else {
            self.failure = Some(failure.clone());
        }
    }

    /// The question is out of the way.
    fn answer(&mut self) {
        if let Some(decided) = self.question.take().and_then(|question| question.decided) {
            self.decided = Some(Box::new(decided));
        }
    }

    fn is_decided(&self, is_such: impl FnOnce(&Decision) -> bool) -> bool {
        self.question.as_ref().is_some_and(|it| it.has(is_such))
    }

    fn attempt_failed(&mut self, failure: &Failure) {
        self.attempt_open = false;
        self.failed_attempts += 1;
        self.failure = Some(failure.clone());
    }

    fn end(&mut self, status: StepStatus, time: u64) {
        self.status = status;
        self.answer();
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

    pub(super) fn need_status(
        &self,
        status: StepStatus,
        wanted: &'static str,
    ) -> Result<(), Illegal> {
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

    fn need_doubt(&self, named: u32) -> Result<(), Illegal> {
        let mut latest = self.latest_requests().iter();
        if latest.any(|request| request.number == named && request.is_in_doubt()) {
            Ok(())
        } else {
            Err(self.wrong_request(named, "is not in doubt"))
        }
    }

    fn need_no_doubt(&self, wanted: &'static str) -> Result<(), Illegal> {
        match self.doubt() {
            Some(request) => Err(self.in_doubt(wanted, request.number)),
            None => Ok(()),
        }
    }
}
