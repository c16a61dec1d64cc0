//! What the events of a request speak of.

use serde::{Deserialize, Serialize};

use crate::digest::KeyedDigest;

/// A request as it passed the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The method, in capitals.
    pub method: String,
    /// The URL, normalised.
    pub url: String,
    /// The slot that the plugin named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// The credential that is bound to the slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The body, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Kept>,
    /// Sending it twice is harmless.
    pub repeatable: bool,
}

/// A content that lies outside the chain, so that it can be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The content's keyed digest, by which it is found.
    pub digest: KeyedDigest,
    /// How many bytes it has.
    pub bytes: u64,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// It failed before its first byte left.
    NotSent {
        /// Why.
        why: String,
    },
    /// A status line arrived.
    Answered {
        /// The status.
        status: u16,
        /// The answer's body; nothing when it had none or when it was lost.
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<Kept>,
        /// The answer's headers, where they are kept to answer the request again: a JSON array of pairs.
        #[serde(skip_serializing_if = "Option::is_none")]
        headers: Option<Kept>,
        /// The answer's `Retry-After`, in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// It may have been received, and nothing says what came of it.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Outcome {
    /// Whether the answer leaves open what came of a request, once its attempt has failed: some part of the
    /// other side gave up on it, perhaps after it was done.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Outcome::Answered {
                status: 408 | 500 | 502 | 504 | 520..=529,
                ..
            } => true,
            Outcome::Answered {
                status: 503,
                retry_after_ms,
                ..
            } => retry_after_ms.is_none(),
            _ => false,
        }
    }

    /// Whether the request was answered with success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(
            self,
            Outcome::Answered {
                status: 200..=299,
                ..
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after_ms: Option<u64>) -> Outcome {
        Outcome::Answered {
            status,
            body: None,
            headers: None,
            retry_after_ms,
        }
    }

    #[test]
    fn some_answers_leave_the_outcome_open() {
        for status in [408, 500, 502, 503, 504, 520, 529] {
            assert!(answered(status, None).is_ambiguous(), "{status}");
        }
        for status in [200, 302, 400, 409, 429, 501, 530] {
            assert!(!answered(status, None).is_ambiguous(), "{status}");
        }
        assert!(!answered(503, Some(1000)).is_ambiguous());
    }
}
