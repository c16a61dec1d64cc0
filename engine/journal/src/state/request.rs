//! The fold of one request.

use crate::event::{Asked, Outcome};

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
    /// What a person has said came of it.
    pub settled: Option<Settled>,
}

/// What a person has said about a request in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It happened, and this counts as its answer.
    Happened(Outcome),
    /// It didn't happen.
    NotHappened,
    /// The step was done by hand, whatever came of it.
    Done,
}

impl RequestState {
    /// Whether it may or may not have had its effect, whatever its plugin says, and isn't safe to repeat.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.settled.is_none()
            && !self.asked.repeatable
            && matches!(self.outcome, None | Some(Outcome::Unknown { .. }))
    }

    /// Whether it is in doubt once its attempt has failed or was cut off: it is lost, or its answer leaves open
    /// what came of it. Nothing empties a doubt but a decision.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        let is_ambiguous = || self.outcome.as_ref().is_some_and(Outcome::is_ambiguous);
        self.is_lost() || (self.settled.is_none() && !self.asked.repeatable && is_ambiguous())
    }
}
