use std::time::Duration;

use crate::host;

/// What a step may know about the run that it is a part of.
///
/// Times are milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The run's id.
    pub run: String,
    /// The step's id in its runbook.
    pub step: String,
    /// Which try of the step this is; the first is 1.
    pub attempt: u32,
    /// The same for all attempts of this step in this run, and for no other step or run. Services that take an
    /// idempotency key are given this one.
    pub idempotency_key: String,
    /// When the step's first attempt began: for time stamps that must not differ between attempts.
    pub started_at: u64,
    /// When this attempt is ended, wherever it is.
    pub deadline: u64,
    /// In a dry run every request that could change something is held back.
    pub dry_run: bool,
}

impl Context {
    /// What is left of the attempt's time.
    ///
    /// A step that waits for something should give up a little before: what it says is then more than "the
    /// time was up".
    pub fn remaining(&self) -> Duration {
        Duration::from_millis(self.deadline.saturating_sub(host::now()))
    }
}

#[cfg(target_family = "wasm")]
impl From<crate::bindings::Context> for Context {
    fn from(context: crate::bindings::Context) -> Self {
        Context {
            run: context.run,
            step: context.step,
            attempt: context.attempt,
            idempotency_key: context.idempotency_key,
            started_at: context.started_at,
            deadline: context.deadline,
            dry_run: context.dry_run,
        }
    }
}
