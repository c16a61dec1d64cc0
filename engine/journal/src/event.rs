//! What a run's log is made of.
//!
//! An event says what has happened, never what is to be done. Vocabularies are closed: a kind, a field or a word
//! that this version doesn't know is refused when it is read.

mod decision;
mod request;
mod run;
mod step;
mod text;

use serde::{Deserialize, Serialize};

pub use self::decision::{Decision, HandIn, Standing, Waiting};
pub use self::request::{Asked, Kept, Outcome};
pub use self::run::{
    Accepted, EnvironmentFacts, FinalStatus, GitFacts, Interruption, Operator, ROLLBACK, Recorded,
    RunStarted, RunbookFacts, Sections, Seed, Signal, Values,
};
pub use self::step::{Failure, FailureKind, LogLevel, SkipReason, StepId};

/// The version of the events that this crate writes, and the newest that it reads.
pub const EVENT_VERSION: u32 = 1;

/// One entry of a run's log. As JSON it is an object whose `kind` tells the variant.
///
/// Attempts of a step and requests of an attempt are numbered from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The run began. Always the first event, and only that.
    RunStarted(Box<RunStarted>),
    /// An attempt of a step began.
    StepStarted {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
    },
    /// A step is not run.
    StepSkipped {
        /// The step.
        step: StepId,
        /// Why.
        reason: SkipReason,
    },
    /// A request that may change something is about to be sent: its intent.
    RequestBegun {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Which request of the attempt.
        request: u32,
        /// The request.
        asked: Asked,
    },
    /// How a request ended whose intent is in the log.
    RequestEnded {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Which request of the attempt.
        request: u32,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A request that only reads, with how it ended.
    RequestRead {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Which request of the attempt.
        request: u32,
        /// The request.
        asked: Asked,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        took_ms: u64,
    },
    /// A request that may change something was held back, because this is a dry run.
    RequestHeld {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Which request of the attempt.
        request: u32,
        /// The request.
        asked: Asked,
    },
    /// A request was refused: nothing grants it.
    RequestDenied {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Which request of the attempt.
        request: u32,
        /// The request.
        asked: Asked,
        /// Which grant is missing.
        why: String,
    },
    /// An attempt failed, and another one will be made.
    AttemptFailed {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// What the plugin or the engine said.
        failure: Failure,
        /// When the next attempt is due, in milliseconds since the epoch.
        retry_at: u64,
    },
    /// A step's last attempt succeeded.
    StepSucceeded {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// What it put out.
        outputs: Values,
        /// Whether it changed anything.
        changed: bool,
        /// One line about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
        /// The outputs are unknown, since a request was held back (in a dry run only).
        unknown: bool,
    },
    /// A step failed for good.
    StepFailed {
        /// The step.
        step: StepId,
        /// The last attempt.
        attempt: u32,
        /// What the plugin or the engine said.
        failure: Failure,
        /// The request of the last attempt whose outcome is unknown and that isn't safe to repeat.
        #[serde(skip_serializing_if = "Option::is_none")]
        in_doubt: Option<u32>,
        /// The run goes on as if the step had succeeded.
        let_pass: bool,
    },
    /// A step waits for a person. What its attempt was at has ended.
    StepWaiting {
        /// The step.
        step: StepId,
        /// The latest attempt.
        attempt: u32,
        /// For what.
        waiting: Waiting,
        /// How the attempt failed, where it did.
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// The steps that need it don't wait for the person.
        let_go: bool,
    },
    /// A person has decided about a step that waits.
    Decided {
        /// The step.
        step: StepId,
        /// Its latest attempt, so that it can't be taken for one about what came later.
        attempt: u32,
        /// Who.
        by: Operator,
        /// What.
        decision: Decision,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A line that a plugin wrote.
    Logged {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// How much it matters.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// A person's remark; it may follow the run's end.
    Noted {
        /// Who.
        by: Operator,
        /// What.
        text: String,
    },
    /// The engine was told to stop; the run can be resumed.
    RunInterrupted {
        /// By what.
        cause: Interruption,
    },
    /// Nothing is left to do before a person has decided; the run's process has left it.
    RunWaiting {
        /// How the run stands.
        status: Standing,
    },
    /// A person wants the run to end: no step begins any more but those of `finally`.
    CancelRequested {
        /// Who.
        by: Operator,
        /// Why.
        reason: String,
        /// What was done is to be undone before.
        rollback: bool,
    },
    /// A person wants what a finished run has done to be undone. The run goes on for that.
    UndoRequested {
        /// Who.
        by: Operator,
        /// Why.
        reason: String,
    },
    /// What was done is being undone.
    RollbackStarted {
        /// The rollbacks, in their order.
        steps: Vec<StepId>,
    },
    /// The run goes on in another process. Attempts that were open were cut off where their requests end.
    RunResumed {
        /// Who asked for it.
        operator: Operator,
        /// On which host.
        host: String,
        /// The version of the engine.
        engine: String,
        /// The environment that it goes on in, where that isn't what it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        environment: Option<Accepted>,
    },
    /// The run is over.
    RunFinished {
        /// How it ended.
        status: FinalStatus,
        /// The first step whose failure ended it.
        #[serde(skip_serializing_if = "Option::is_none")]
        failed_step: Option<StepId>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// What the runbook put out.
        outputs: Values,
        /// Steps that failed and were let pass.
        passed_failures: Vec<StepId>,
    },
}

impl Event {
    /// Reads an event as it was stored.
    ///
    /// # Errors
    ///
    /// When its version, its kind, one of its fields or one of its words isn't known here.
    pub fn decode(version: u32, body: &str) -> Result<Event, DecodeError> {
        if version != EVENT_VERSION {
            return Err(DecodeError::Version { found: version });
        }
        serde_json::from_str(body).map_err(DecodeError::Body)
    }

    /// The step that it is about, where it is about one.
    #[must_use]
    pub fn step(&self) -> Option<&StepId> {
        match self {
            Event::StepStarted { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::RequestBegun { step, .. }
            | Event::RequestEnded { step, .. }
            | Event::RequestRead { step, .. }
            | Event::RequestHeld { step, .. }
            | Event::RequestDenied { step, .. }
            | Event::AttemptFailed { step, .. }
            | Event::StepSucceeded { step, .. }
            | Event::StepFailed { step, .. }
            | Event::StepWaiting { step, .. }
            | Event::Decided { step, .. }
            | Event::Logged { step, .. } => Some(step),
            Event::RunStarted(_)
            | Event::Noted { .. }
            | Event::RunInterrupted { .. }
            | Event::RunWaiting { .. }
            | Event::CancelRequested { .. }
            | Event::UndoRequested { .. }
            | Event::RollbackStarted { .. }
            | Event::RunResumed { .. }
            | Event::RunFinished { .. } => None,
        }
    }

    /// Whether a person has said by it how its run is to go on, whichever process has the run.
    pub(crate) fn is_said_by_a_person(&self) -> bool {
        matches!(self, Event::Decided { .. } | Event::CancelRequested { .. })
    }

    /// Whether a signed head has to vouch for it at once: what people say, and where a run is left or ends.
    pub(crate) fn is_to_be_signed(&self) -> bool {
        matches!(
            self,
            Event::Decided { .. }
                | Event::CancelRequested { .. }
                | Event::UndoRequested { .. }
                | Event::RunWaiting { .. }
                | Event::RunInterrupted { .. }
                | Event::RunFinished { .. }
        )
    }

    /// The event as it is stored: JSON of one line, `kind` first, long texts cut.
    pub(crate) fn encode(&mut self) -> String {
        self.cut_texts();
        serde_json::to_string(self).expect("invariant: every map in an event has texts as keys")
    }

    /// The kind, as its JSON has it.
    pub(crate) fn kind_of(body: &str) -> Option<&str> {
        let (kind, _) = body.strip_prefix(r#"{"kind":""#)?.split_once('"')?;
        Some(kind)
    }
}

/// A stored event that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Its version isn't known here.
    #[error(
        "it has version {found}: it was written by a newer sandbook than this one, which knows version 1; update it"
    )]
    Version {
        /// The version it has.
        found: u32,
    },
    /// It doesn't have the form of its version.
    #[error("it was written by a newer sandbook, or altered")]
    Body(#[source] serde_json::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Result<Event, DecodeError> {
        Event::decode(EVENT_VERSION, text)
    }

    #[test]
    fn an_event_reads_back_and_tells_its_kind() {
        let mut event = Event::StepStarted {
            step: StepId::new("a"),
            attempt: 1,
        };
        let body = event.encode();
        assert_eq!(body, r#"{"kind":"step_started","step":"a","attempt":1}"#);
        assert_eq!(Event::kind_of(&body), Some("step_started"));
        assert_eq!(Event::decode(EVENT_VERSION, &body).unwrap(), event);
    }

    #[test]
    fn what_interrupts_is_a_word() {
        for (cause, word) in [
            (Interruption::NoSpace, "no-space"),
            (Signal::Interrupt.into(), "SIGINT"),
            (Signal::Terminate.into(), "SIGTERM"),
            (Signal::Hangup.into(), "SIGHUP"),
        ] {
            let mut event = Event::RunInterrupted { cause };
            let body = event.encode();
            assert_eq!(
                body,
                format!(r#"{{"kind":"run_interrupted","cause":"{word}"}}"#)
            );
            assert_eq!(decode(&body).unwrap(), event);
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            r#"{"kind":"step_flown","step":"a","attempt":1}"#,
            r#"{"kind":"step_started","step":"a","attempt":1,"speed":3}"#,
            r#"{"kind":"step_started","step":"a"}"#,
            r#"{"kind":"run_interrupted","cause":"SIGKILL"}"#,
            r#"{"kind":"step_skipped","step":"a","reason":"mood"}"#,
            r#"{"kind":"run_started"}"#,
            "",
        ] {
            assert!(matches!(decode(text), Err(DecodeError::Body(_))), "{text}");
        }
        let newer = Event::decode(2, r#"{"kind":"step_started","step":"a","attempt":1}"#);
        assert!(newer.unwrap_err().to_string().contains("newer sandbook"));
    }
}
