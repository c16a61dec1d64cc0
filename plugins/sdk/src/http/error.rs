use std::fmt;

use crate::{Failure, Kind};

/// Why there is no answer.
///
/// With `?` it becomes a [`Failure`]: *denied* one of the kind unauthorized, since trying again would not help, with the
/// missing grant in its message; *unreachable* is unavailable, *timed out* is timed out, and the others are failed.
/// What was *held back* in a dry run is passed on the same way: the engine knows of it and lists the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The request is not granted, or not allowed to anybody. Says why.
    Denied(String),
    /// This is a dry run and the request could have changed something.
    HeldBack,
    /// The service could not be reached, or the connection broke before the answer was complete.
    Unreachable(String),
    /// No complete answer came in time.
    TimedOut(String),
    /// The request or the answer is larger than the step may send or receive; names the limit.
    TooLarge(String),
    /// The request is not one that HTTP knows, or the answer is not. Says what is wrong.
    Malformed(String),
}

impl Error {
    /// Whether the same request may well be answered later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Unreachable(_) | Error::TimedOut(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::HeldBack => f.write_str("held back: this is a dry run"),
            Error::Denied(why)
            | Error::Unreachable(why)
            | Error::TimedOut(why)
            | Error::TooLarge(why)
            | Error::Malformed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, code) = match &error {
            Error::Denied(_) => (Kind::Unauthorized, "Denied"),
            Error::HeldBack => (Kind::Failed, "HeldBack"),
            Error::Unreachable(_) => (Kind::Unavailable, "Unreachable"),
            Error::TimedOut(_) => (Kind::TimedOut, "TimedOut"),
            Error::TooLarge(_) => (Kind::Failed, "TooLarge"),
            Error::Malformed(_) => (Kind::Failed, "Malformed"),
        };
        Failure::new(kind, error.to_string()).with_code(code)
    }
}
