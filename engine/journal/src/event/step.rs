//! What the events of a step speak of.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A step's id. Which texts are ids is the language's matter; here they only have to differ. Its copies share their
/// text: each event and each state of a run has some.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(Arc<str>);

impl StepId {
    /// An id from its text.
    pub fn new(text: impl Into<Arc<str>>) -> StepId {
        StepId(text.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for StepId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StepId {
    fn from(text: &str) -> StepId {
        StepId(text.into())
    }
}

impl Serialize for StepId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StepId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StepId, D::Error> {
        String::deserialize(deserializer).map(StepId::new)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a step isn't run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SkipReason {
    /// Its `if` is false.
    Condition,
    /// A step that it needs isn't satisfied.
    Need {
        /// That step.
        step: StepId,
    },
    /// Another step failed, or the run was cancelled, so nothing new starts.
    Stopped,
    /// A person has said that it isn't needed.
    Decided,
    /// In a dry run: it touches what a held-back step would have put out.
    Listed {
        /// The dotted names that are unknown.
        unknown: Vec<String>,
    },
    /// In a dry run: it only waits, for time or for a person.
    ListedOnly,
}

/// What an attempt that failed has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What is wrong, in the contract's words.
    pub kind: FailureKind,
    /// What is wrong, in the plugin's or the engine's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong, for people.
    pub message: String,
    /// No attempt makes sense before so many milliseconds have passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What was answered so far is known to have had no effect.
    pub start_over: bool,
}

/// The contract's kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The inputs can't be worked with.
    InvalidInput,
    /// The credential doesn't allow it.
    Unauthorized,
    /// What is to be worked on isn't there.
    NotFound,
    /// The present state forbids it.
    Conflict,
    /// Too many requests.
    RateLimited,
    /// The service doesn't work at the moment.
    Unavailable,
    /// It took too long.
    TimedOut,
    /// Anything else.
    Failed,
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// What is being done.
    Info,
    /// Odd, but it goes on.
    Warn,
    /// Wrong.
    Error,
}
