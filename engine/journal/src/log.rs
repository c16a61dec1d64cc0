//! One run's log while it is read or written: its chain and its fold, in step.

use crate::chain::{Broken, Chain, Row};
use crate::digest::Digest;
use crate::event::{DecodeError, Event};
use crate::run_id::RunId;
use crate::state::{Illegal, RunState};

/// A recorded event.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The run.
    pub run: RunId,
    /// The event's number in the run, from 1.
    pub seq: u64,
    /// When it happened, in milliseconds since the epoch.
    pub time: u64,
    /// The event.
    pub event: Event,
    /// The hash of what comes before it and of its line.
    pub hash: Digest,
    /// The version of its form.
    pub version: u32,
    /// The event as it is stored: JSON of one line.
    pub body: String,
}

impl Stored {
    /// The event as one line of JSON, with run, number, time and version in front: the bytes that are hashed.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::with_capacity(self.body.len() + 80);
        crate::chain::write_line(
            &mut line,
            self.run.as_str(),
            self.seq,
            self.time,
            self.version,
            &self.body,
        );
        line
    }
}

/// A stored log that isn't one.
#[derive(Debug, thiserror::Error)]
pub enum LogFault {
    /// It was tampered with.
    #[error("the log of run `{run}` was tampered with")]
    Chain {
        /// The run.
        run: RunId,
        /// Where.
        source: Broken,
    },
    /// One of its events isn't known here.
    #[error("event {seq} of run `{run}` can't be read")]
    Decode {
        /// The run.
        run: RunId,
        /// The event's number.
        seq: u64,
        /// Why.
        source: DecodeError,
    },
    /// One of its events may not follow those before it.
    #[error("event {seq} of run `{run}` doesn't follow from those before it")]
    Illegal {
        /// The run.
        run: RunId,
        /// The event's number.
        seq: u64,
        /// Why.
        source: Illegal,
    },
}

/// A run's log up to some event.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) run: RunId,
    pub(crate) state: RunState,
    pub(crate) chain: Chain,
}

impl Log {
    pub(crate) fn new(run: RunId) -> Log {
        Log {
            run,
            state: RunState::default(),
            chain: Chain::new(run.as_str()),
        }
    }

    /// Follows the log by what is stored next.
    pub(crate) fn follow(&mut self, row: Row) -> Result<Stored, LogFault> {
        let (run, seq) = (self.run, row.seq);
        self.chain
            .follow(&row)
            .map_err(|source| LogFault::Chain { run, source })?;
        let event = decode(run, &row)?;
        self.state
            .apply(&event, row.time)
            .map_err(|source| LogFault::Illegal { run, seq, source })?;
        Ok(stored(run, row, event))
    }
}

/// A stored event without a look at those before it.
pub(crate) fn read(run: RunId, row: Row) -> Result<Stored, LogFault> {
    let event = decode(run, &row)?;
    Ok(stored(run, row, event))
}

fn decode(run: RunId, row: &Row) -> Result<Event, LogFault> {
    Event::decode(row.version, &row.body).map_err(|source| LogFault::Decode {
        run,
        seq: row.seq,
        source,
    })
}

fn stored(run: RunId, row: Row, event: Event) -> Stored {
    let Row {
        seq,
        time,
        version,
        body,
        hash,
        ..
    } = row;
    Stored {
        run,
        seq,
        time,
        event,
        hash,
        version,
        body,
    }
}
