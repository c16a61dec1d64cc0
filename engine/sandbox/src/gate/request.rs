//! What a guest asks for, and what it is given.

use std::time::Duration;

use bytes::Bytes;

/// Header fields in order: name, value.
pub type Headers = Vec<(String, String)>;

/// A request as the guest wrote it: nothing of it has been checked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// An absolute URL.
    pub url: String,
    /// The header fields.
    pub headers: Headers,
    /// The body; absent is not the same as empty.
    pub body: Option<Bytes>,
    /// Whether sending it twice is as harmless as sending it once; absent, the method decides.
    pub repeatable: Option<bool>,
    /// How long the guest wants to wait for the answer; absent, as long as the engine does
    /// ([`HttpLimits`](super::HttpLimits)).
    pub timeout: Option<Duration>,
}

/// An answer, whole and redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code, 100 to 999.
    pub status: u16,
    /// The header fields; names in lower case, bytes that aren't UTF-8 replaced by U+FFFD.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer, as the guest is told: the cases of `http.error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It isn't granted, or not allowed to anybody; nothing was sent.
    #[error("denied: {0}")]
    Denied(String),
    /// This is a dry run and the request could have changed something; nothing was sent.
    #[error("held back: this is a dry run")]
    HeldBack,
    /// The service's name could not be looked up; nothing was sent.
    #[error("unreachable: {0}")]
    Unresolved(String),
    /// No connection to the service could be made; nothing was sent.
    #[error("unreachable: {0}")]
    Unconnected(String),
    /// The service could not be reached for another reason, or the connection broke before the answer
    /// was complete.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// No complete answer came in time.
    #[error("timed out: {0}")]
    TimedOut(String),
    /// The attempt has made as many requests as it may; names the limit.
    #[error("too large: {0}")]
    TooMany(String),
    /// The request has more header fields, or longer ones, than a request may have.
    #[error("too large: {0}")]
    FieldsTooLarge(String),
    /// The request's body is larger than allowed; names the limit.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The answer's body is larger than allowed; names the limit.
    #[error("too large: {0}")]
    AnswerTooLarge(String),
    /// The request is not one that HTTP knows, or the answer is not.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl HttpError {
    /// What happened, without the name of the case.
    pub fn reason(&self) -> &str {
        match self {
            HttpError::Denied(why)
            | HttpError::Unresolved(why)
            | HttpError::Unconnected(why)
            | HttpError::Unreachable(why)
            | HttpError::TimedOut(why)
            | HttpError::TooMany(why)
            | HttpError::FieldsTooLarge(why)
            | HttpError::TooLarge(why)
            | HttpError::AnswerTooLarge(why)
            | HttpError::Malformed(why) => why,
            HttpError::HeldBack => "this is a dry run",
        }
    }

    /// The same, saying with which request it happened where it doesn't say so itself.
    pub(crate) fn about(&self, method: &str, url: &str) -> HttpError {
        let begins = format!("`{method} ");
        let named = |why: &String| {
            if why.contains(&begins) {
                why.clone()
            } else {
                format!("{begins}{url}`: {why}")
            }
        };
        match self {
            HttpError::Denied(why) => HttpError::Denied(named(why)),
            HttpError::Unresolved(why) => HttpError::Unresolved(named(why)),
            HttpError::Unconnected(why) => HttpError::Unconnected(named(why)),
            HttpError::Unreachable(why) => HttpError::Unreachable(named(why)),
            HttpError::TimedOut(why) => HttpError::TimedOut(named(why)),
            HttpError::TooMany(why) => HttpError::TooMany(named(why)),
            HttpError::FieldsTooLarge(why) => HttpError::FieldsTooLarge(named(why)),
            HttpError::TooLarge(why) => HttpError::TooLarge(named(why)),
            HttpError::AnswerTooLarge(why) => HttpError::AnswerTooLarge(named(why)),
            HttpError::Malformed(why) => HttpError::Malformed(named(why)),
            HttpError::HeldBack => HttpError::HeldBack,
        }
    }
}
