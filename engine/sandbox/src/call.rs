//! One attempt of a step: what it is given, and how it ends.

use std::{fmt, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    gate::{Gate, Stop},
    limits::{Limit, Limits},
    time::Time,
};

/// Everything that one attempt is given.
pub struct Call {
    /// What the plugin may know of the run.
    pub context: Context,
    /// The step's input: a JSON object.
    pub input: String,
    /// What the attempt may use.
    pub limits: Limits,
    /// Its way to the outside.
    pub gate: Arc<Gate>,
    /// Where its lines go.
    pub lines: Arc<dyn Lines>,
    /// The source of the plugin's random numbers. The same seed gives the same numbers, so all
    /// attempts of a step are given the same one, and no two steps.
    pub seed: [u8; 32],
    /// The time that the plugin lives by: what its clocks show, and how long its waits are.
    pub time: Time,
}

/// What a plugin may know of the run that it is a part of: `context` of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The run's id.
    pub run: String,
    /// The step's id.
    pub step: String,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The same for all attempts of the step.
    pub idempotency_key: String,
    /// When the first attempt began, in milliseconds since 1970, UTC.
    pub started_at: u64,
    /// When this attempt is ended, in milliseconds since 1970, UTC. It is for the plugin to know;
    /// what ends the attempt is [`Limits::wall`].
    pub deadline: u64,
    /// Whether changing requests are held back.
    pub dry_run: bool,
}

/// Takes what a plugin says while it runs. Every message is one line, redacted, bounded, and without
/// control characters.
pub trait Lines: Send + Sync {
    /// A log message, or a line of standard output (`info`) or standard error (`warn`).
    fn log(&self, level: Level, message: String);

    /// Where the step is; a fraction lies between 0 and 1. Kept in no record.
    fn progress(&self, message: String, fraction: Option<f32>);
}

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For whoever mends the plugin.
    Debug,
    /// What is going on.
    Info,
    /// Something is odd, and the step goes on.
    Warn,
    /// Something is wrong.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        })
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The plugin says that the step is done.
    Succeeded(Output),
    /// The plugin says that it failed.
    Failed(Failure),
    /// The plugin could not say anything: it crashed, reached a limit or broke the contract.
    Broke(Breakage),
    /// The host ended the attempt.
    Stopped(Stop),
}

/// What a step that succeeded has to say. Its texts are redacted, bounded and of one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The outputs: always an object. Not yet checked against the manifest.
    pub data: Value,
    /// Whether anything in the world is different from before.
    pub changed: bool,
    /// What was done.
    pub summary: String,
}

/// Why a step failed, in the plugin's words, which are redacted, bounded and of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// The plugin's or the service's own name for it.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What was answered so far is known to have had no effect.
    pub start_over: bool,
}

/// The kinds of failure that the contract knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The step's input is wrong.
    InvalidInput,
    /// The service refused the credential, or what it may do.
    Unauthorized,
    /// What the step should act upon does not exist.
    NotFound,
    /// The world is in a state that does not allow the step.
    Conflict,
    /// The service asks for patience.
    RateLimited,
    /// The service could not be reached or is not able to answer now.
    Unavailable,
    /// Something took longer than it may.
    TimedOut,
    /// Anything else.
    Failed,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::InvalidInput => "invalid-input",
            FailureKind::Unauthorized => "unauthorized",
            FailureKind::NotFound => "not-found",
            FailureKind::Conflict => "conflict",
            FailureKind::RateLimited => "rate-limited",
            FailureKind::Unavailable => "unavailable",
            FailureKind::TimedOut => "timed-out",
            FailureKind::Failed => "failed",
        })
    }
}

/// Why a plugin could not say how its step ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Breakage {
    /// It reached a limit.
    #[error("the plugin reached its limit of {value} for {limit}")]
    Limit {
        /// Which limit.
        limit: Limit,
        /// The limit's value, with its unit.
        value: String,
    },
    /// It crashed. A panic's or an exception's text is in the log lines.
    #[error("the plugin crashed: {0}")]
    Trapped(String),
    /// What it returned is not what the contract says.
    #[error("the plugin's answer breaks the contract: {0}")]
    Contract(String),
    /// It could not be started; that is the host's fault or the component's.
    #[error("the plugin could not be started: {0}")]
    Start(String),
}
