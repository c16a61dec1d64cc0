//! What the gate asks of whoever keeps the record.

use std::{pin::Pin, time::Duration};

use super::{asked::Asked, outcome::Outcome, request::Response};

/// Keeps the record of an attempt's requests. The executor implements it over the journal.
pub trait Record: Send + Sync {
    /// Whether an earlier attempt has the answer. Asked once for each request that is allowed,
    /// also for reading ones, which are live: for these only `Before::No` and a stop make sense.
    ///
    /// # Errors
    ///
    /// The attempt is to be ended, for instance because the run was interrupted.
    fn answered_before(&self, asked: &Asked) -> Result<Before, Stop>;

    /// Writes an entry. When the future is ready the entry is as durable as was asked for.
    ///
    /// # Errors
    ///
    /// The entry could not be written. Nothing more is sent.
    fn write(&self, entry: Entry, durability: Durability) -> Writing<'_>;
}

/// A write under way.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 'a>>;

/// How durable an entry has to be before the gate goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk.
    Commit,
    /// Queued; it goes with the next commit.
    Ride,
}

/// What the record knows of a request before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// Nothing: it goes out.
    No,
    /// An earlier attempt was given this answer.
    Answer(Response),
    /// An earlier attempt asked for something else in this place; says what.
    Diverged(String),
}

/// Something that is put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The request was refused, and nothing sent. The texts are the guest's own, cut, redacted and
    /// with control characters escaped, since what is refused may be anything.
    Denied {
        /// The request's number in the attempt.
        number: u32,
        /// The method as the guest wrote it.
        method: String,
        /// The URL as the guest wrote it.
        url: String,
        /// Why it was refused.
        why: String,
    },
    /// This is a dry run: the request could have changed something and was not sent.
    HeldBack(Asked),
    /// A changing request is about to be sent.
    Begun(Asked),
    /// The changing request of this number has ended.
    Ended {
        /// The number of the request that was begun.
        number: u32,
        /// How it ended.
        outcome: Outcome,
        /// From the moment that it was begun.
        took: Duration,
    },
    /// A reading request was made.
    Read {
        /// The request.
        asked: Asked,
        /// How it ended.
        outcome: Outcome,
        /// How long that took.
        took: Duration,
    },
}

/// The host ends the attempt: the guest is told nothing, its call traps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The record could not be written.
    #[error("the record could not be written: {0}")]
    Record(String),
    /// The run is being interrupted; no new effect is begun.
    #[error("the run was interrupted")]
    Interrupted,
    /// The request isn't the one that an earlier attempt was answered in this place.
    #[error("the step asked for {asked}, where {recorded} is on record")]
    Diverged {
        /// What is on record.
        recorded: String,
        /// What was asked for now: method and URL.
        asked: String,
    },
    /// A bug or a fault of the host itself.
    #[error("the engine failed: {0}")]
    Engine(String),
}
