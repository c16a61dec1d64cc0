//! The contract, made convenient: what a step is, failures, HTTP, log lines.
//!
//! Errors are values here: a panic can't be caught on this target. It ends the attempt, and its message is in the log.
#![allow(dead_code, reason = "a step uses what it needs of it")]

pub mod http;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, de::DeserializeOwned};

use bindings::sandbook::step as contract;
pub use bindings::sandbook::step::types::{Context, FailureKind as Kind};

#[allow(missing_docs, reason = "what each is stands in wit/")]
pub mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "step", pub_export_macro: true });
}

/// What a step that succeeded has to say.
pub struct Done<Output> {
    data: Output,
    changed: bool,
    summary: String,
}

impl<Output> Done<Output> {
    /// Something in the world is different from before.
    pub fn changed(data: Output) -> Self {
        let summary = String::new();
        Done {
            data,
            changed: true,
            summary,
        }
    }

    /// Nothing is.
    pub fn unchanged(data: Output) -> Self {
        let summary = String::new();
        Done {
            data,
            changed: false,
            summary,
        }
    }

    /// What was done, in one line.
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }
}

/// Why a step failed. The first four kinds are not tried again, the others are.
#[derive(Debug)]
pub struct Failure {
    pub kind: Kind,
    pub message: String,
    /// A name for machines, the plugin's or the service's own.
    pub code: Option<String>,
    /// How long to wait before the next attempt, where the service said so.
    pub retry_after: Option<Duration>,
    /// What was sent so far is known to have had no effect: the next attempt sends it anew.
    pub start_over: bool,
}

impl Failure {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            message: message.into(),
            code: None,
            retry_after: None,
            start_over: false,
        }
    }

    /// Gives it a name for machines.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Whether a request was held back: this is a dry run, and it could have changed something. A step that goes on shows
    /// what it would ask for next.
    pub fn is_held_back(&self) -> bool {
        self.code.as_deref() == Some("HeldBack")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Writes a message of the level `info`, each line of it by itself.
pub fn info(message: impl AsRef<str>) {
    write(contract::log::Level::Info, message.as_ref());
}

/// Writes a message of the level `warn`, each line of it by itself.
pub fn warn(message: impl AsRef<str>) {
    write(contract::log::Level::Warn, message.as_ref());
}

fn write(level: contract::log::Level, message: &str) {
    for line in message.trim_end_matches('\n').split('\n') {
        contract::log::write(level, line);
    }
}

/// Replaces what is shown beside the step while it runs; the fraction is the part that is done, 0 to 1.
pub fn progress(message: impl AsRef<str>, fraction: Option<f32>) {
    contract::progress::report(message.as_ref(), fraction);
}

/// Waits.
pub fn sleep(span: Duration) {
    contract::timer::sleep(milliseconds(span));
}

/// What is left of the attempt's time. A step that waits for something should give up a little before.
pub fn remaining(context: &Context) -> Duration {
    let deadline = UNIX_EPOCH + Duration::from_millis(context.deadline);
    deadline
        .duration_since(SystemTime::now())
        .unwrap_or_default()
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Makes a function the component's step.
macro_rules! step {
    ($run:path) => {
        struct Step;

        impl sandbook::bindings::exports::step::Guest for Step {
            fn run(
                context: sandbook::Context,
                input: String,
            ) -> Result<
                sandbook::bindings::sandbook::step::types::Output,
                sandbook::bindings::sandbook::step::types::Failure,
            > {
                sandbook::enter($run, context, &input)
            }
        }

        sandbook::bindings::export!(Step with_types_in sandbook::bindings);
    };
}
pub(crate) use step;

/// Runs a step on the engine's context and input; `step!` calls it.
pub fn enter<I: DeserializeOwned, O: Serialize>(
    run: fn(&Context, I) -> Result<Done<O>, Failure>,
    context: Context,
    input: &str,
) -> Result<contract::types::Output, contract::types::Failure> {
    let read = serde_json::from_str(input).map_err(|error| {
        let message = format!("the input is not what the plugin takes: {error}");
        Failure::new(Kind::InvalidInput, message).with_code("InputMismatch")
    });
    let ended = read
        .and_then(|input| run(&context, input))
        .and_then(|done| {
            let data = serde_json::to_string(&done.data).map_err(|error| {
                let message = format!("the outputs can't be written as JSON: {error}");
                Failure::new(Kind::Failed, message).with_code("OutputMismatch")
            })?;
            Ok(contract::types::Output {
                data,
                changed: done.changed,
                summary: done.summary,
            })
        });
    ended.map_err(|failure| contract::types::Failure {
        kind: failure.kind,
        code: failure.code,
        message: failure.message,
        retry_after: failure.retry_after.map(milliseconds),
        start_over: failure.start_over,
    })
}
