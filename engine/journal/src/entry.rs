//! What is handed to the journal to record.

use crate::event::{Event, Kept};
use crate::state_dir::StateKey;

/// An event with the contents that it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The event.
    pub event: Event,
    /// What lies outside the chain: bodies and sensitive values.
    pub contents: Vec<Content>,
}

impl From<Event> for Entry {
    fn from(event: Event) -> Entry {
        Entry {
            event,
            contents: Vec::new(),
        }
    }
}

/// How long a content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// It is erased when its run ends: a sensitive value.
    RunEnd,
    /// It is there as long as its run: a body.
    Run,
}

/// A content that lies outside the chain, which holds only its keyed digest.
#[derive(Clone, PartialEq)]
pub struct Content {
    kept: Kept,
    bytes: Vec<u8>,
    retention: Retention,
}

impl Content {
    /// A content, with its digest under the state directory's key.
    pub fn new(key: &StateKey, bytes: impl Into<Vec<u8>>, retention: Retention) -> Content {
        let bytes = bytes.into();
        let kept = Kept {
            digest: key.digest(&bytes),
            bytes: bytes.len() as u64,
        };
        Content {
            kept,
            bytes,
            retention,
        }
    }

    /// How an event speaks of it.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.kept
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn retention(&self) -> Retention {
        self.retention
    }
}

/// Shows no byte of it: it may be a sensitive value.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content")
            .field("kept", &self.kept)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
