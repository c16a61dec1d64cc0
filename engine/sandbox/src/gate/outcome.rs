//! How a request that was begun ended.

use bytes::Bytes;

use super::request::Headers;

/// What is known of a request that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It failed before its first byte left: name, address, connection, TLS, or the credential.
    NotSent {
        /// What failed.
        why: String,
    },
    /// A status line arrived.
    Answered {
        /// The status code.
        status: u16,
        /// The header fields, redacted.
        headers: Headers,
        /// The body, redacted; absent when it was lost, too large or refused.
        body: Option<Bytes>,
    },
    /// It left, at least in part, and no status line arrived.
    Unknown {
        /// What happened instead.
        why: String,
    },
}

impl Outcome {
    /// Whether the service answered that it did what was asked (2xx).
    pub fn succeeded(&self) -> bool {
        matches!(
            self,
            Outcome::Answered {
                status: 200..=299,
                ..
            }
        )
    }
}
