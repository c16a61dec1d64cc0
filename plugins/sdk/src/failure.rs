use std::{fmt, time::Duration};

/// Why a step failed. The engine decides from it whether trying again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The step's input is wrong. Not retried.
    InvalidInput,
    /// The service refused the credential, or what it may do; or the runbook doesn't grant the request. Not retried.
    Unauthorized,
    /// What the step should act upon does not exist. Not retried.
    NotFound,
    /// The world is in a state that does not allow the step. Not retried.
    Conflict,
    /// The service asks for patience. Retried.
    RateLimited,
    /// The service could not be reached or is not able to answer now. Retried.
    Unavailable,
    /// Something took longer than it may. Retried.
    TimedOut,
    /// Anything else. Retried.
    Failed,
}

/// A step's failure.
///
/// `?` makes one of an [`http::Error`](crate::http::Error); there the documentation says which kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: Kind,
    /// The plugin's or the service's own name for it, for machines, such as `FailoverGroupBusy`.
    pub code: Option<String>,
    /// What happened, and what the reader can do about it.
    pub message: String,
    /// How long to wait before the next attempt, where the service said so.
    pub retry_after: Option<Duration>,
    /// The requests that were answered in this step so far are known to have had no effect: the next attempt
    /// sends them anew.
    pub start_over: bool,
}

impl Failure {
    /// A failure of any kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            code: None,
            message: message.into(),
            retry_after: None,
            start_over: false,
        }
    }

    /// The step's input is wrong. Not retried.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Failure::new(Kind::InvalidInput, message)
    }

    /// The service refused the credential, or what it may do. Not retried.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Failure::new(Kind::Unauthorized, message)
    }

    /// What the step should act upon does not exist. Not retried.
    pub fn not_found(message: impl Into<String>) -> Self {
        Failure::new(Kind::NotFound, message)
    }

    /// The world is in a state that does not allow the step. Not retried.
    pub fn conflict(message: impl Into<String>) -> Self {
        Failure::new(Kind::Conflict, message)
    }

    /// The service asks for patience. Retried.
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Failure::new(Kind::RateLimited, message)
    }

    /// The service could not be reached or is not able to answer now. Retried.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Failure::new(Kind::Unavailable, message)
    }

    /// Something took longer than it may. Retried.
    pub fn timed_out(message: impl Into<String>) -> Self {
        Failure::new(Kind::TimedOut, message)
    }

    /// Anything else. Retried.
    pub fn failed(message: impl Into<String>) -> Self {
        Failure::new(Kind::Failed, message)
    }

    /// Gives the failure a name for machines.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says how long to wait before the next attempt.
    pub fn with_retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.retry_after = wait.into();
        self
    }

    /// Says that what was sent so far is known to have had no effect, so that the next attempt is to send it anew
    /// rather than to be answered from the record.
    pub fn starting_over(mut self) -> Self {
        self.start_over = true;
        self
    }

    /// Whether trying again later can help, by the kind alone.
    pub fn is_passing(&self) -> bool {
        matches!(
            self.kind,
            Kind::RateLimited | Kind::Unavailable | Kind::TimedOut
        )
    }

    /// Puts what was attempted in front of the message: `could not read the group: …`.
    pub fn context(mut self, attempted: impl fmt::Display) -> Self {
        self.message = format!("{attempted}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(target_family = "wasm")]
impl From<Failure> for crate::bindings::Failure {
    fn from(failure: Failure) -> Self {
        crate::bindings::Failure {
            kind: failure.kind.into(),
            code: failure.code,
            message: failure.message,
            retry_after: failure.retry_after.map(crate::host::milliseconds),
            start_over: failure.start_over,
        }
    }
}

#[cfg(target_family = "wasm")]
impl From<Kind> for crate::bindings::FailureKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::InvalidInput => Self::InvalidInput,
            Kind::Unauthorized => Self::Unauthorized,
            Kind::NotFound => Self::NotFound,
            Kind::Conflict => Self::Conflict,
            Kind::RateLimited => Self::RateLimited,
            Kind::Unavailable => Self::Unavailable,
            Kind::TimedOut => Self::TimedOut,
            Kind::Failed => Self::Failed,
        }
    }
}
