//! The words for what the record holds.

use sandbook_journal::{
    Asked, Failure, FailureKind, Interruption, Kept, LogLevel, Outcome, Recorded, RunState,
    RunStatus, Signal, SkipReason, StepState, StepStatus,
};

use crate::screen::{Ink, one_line, safe, span};

/// A sign for how a step stands, with its colour.
pub(crate) fn sign(step: &StepState) -> (Ink, &'static str) {
    match step.status {
        StepStatus::Pending => (Ink::Faint, "·"),
        StepStatus::Running => (Ink::Name, "▸"),
        StepStatus::Waiting => (Ink::Warn, "?"),
        StepStatus::Succeeded if step.unknown => (Ink::Warn, "✓"),
        StepStatus::Succeeded => (Ink::Good, "✓"),
        StepStatus::Failed if step.let_pass => (Ink::Warn, "✗"),
        StepStatus::Failed => (Ink::Bad, "✗"),
        StepStatus::Skipped => (Ink::Faint, "–"),
        StepStatus::RolledBack => (Ink::Warn, "↶"),
    }
}

/// A run's status as it is written everywhere, with its colour.
pub(crate) fn status(status: RunStatus) -> (Ink, &'static str) {
    match status {
        RunStatus::Running => (Ink::Name, "running"),
        RunStatus::Interrupted => (Ink::Warn, "interrupted"),
        RunStatus::Waiting => (Ink::Warn, "waiting"),
        RunStatus::Succeeded => (Ink::Good, "succeeded"),
        RunStatus::Failed => (Ink::Bad, "failed"),
        RunStatus::Cancelled => (Ink::Bad, "cancelled"),
    }
}

/// Why a step isn't run.
pub(crate) fn skipped(reason: &SkipReason) -> String {
    match reason {
        SkipReason::Condition => "skipped: its `if` is false".to_owned(),
        SkipReason::Need { step } => format!("skipped: it needs `{step}`, which did not get done"),
        SkipReason::Stopped => "skipped: nothing new starts any more".to_owned(),
        SkipReason::Decided => "skipped by a person".to_owned(),
        SkipReason::Listed { unknown } => format!(
            "not run: it uses {}, not known in a dry run",
            names(unknown)
        ),
        SkipReason::ListedOnly => "not run: in a dry run nothing is waited for".to_owned(),
    }
}

/// A failure in one line: what sort, what was said.
pub(crate) fn failure(failure: &Failure) -> String {
    let kind = match failure.kind {
        FailureKind::InvalidInput => "invalid input",
        FailureKind::Unauthorized => "unauthorized",
        FailureKind::NotFound => "not found",
        FailureKind::Conflict => "conflict",
        FailureKind::RateLimited => "rate limited",
        FailureKind::Unavailable => "unavailable",
        FailureKind::TimedOut => "timed out",
        FailureKind::Failed => "failed",
    };
    let message = one_line(&failure.message);
    // A code that only says the kind once more is left out.
    let code = failure
        .code
        .as_ref()
        .filter(|code| code.replace(['-', '_'], " ") != kind);
    match code {
        Some(code) => format!("{message} ({kind}, {})", one_line(code)),
        None => format!("{message} ({kind})"),
    }
}

/// How a request ended, with its colour.
pub(crate) fn outcome(outcome: Option<&Outcome>) -> (Ink, String) {
    match outcome {
        None => (Ink::Bad, "no outcome on record".to_owned()),
        Some(Outcome::NotSent { why }) => (Ink::Warn, format!("not sent: {}", one_line(why))),
        Some(Outcome::Unknown { why }) => (Ink::Bad, format!("unknown: {}", one_line(why))),
        Some(Outcome::Answered { status, .. }) => {
            let ink = match status {
                100..=399 => Ink::Good,
                400..=499 => Ink::Warn,
                _ => Ink::Bad,
            };
            (ink, status.to_string())
        }
    }
}

/// A request's method and URL.
pub(crate) fn request(asked: &Asked) -> String {
    format!("{} {}", safe(&asked.method), safe(&asked.url))
}

/// Which requests of the steps that were cut off have no outcome; empty where there is none.
pub(crate) fn open_ends(state: &RunState) -> String {
    let cut_off = state
        .steps()
        .filter(|step| step.status == StepStatus::Running);
    let open = cut_off.flat_map(|step| {
        let requests = step.latest_requests().iter();
        requests
            .filter(|request| request.outcome.is_none() || request.is_in_doubt())
            .map(|open| {
                let what = format!("; step `{}`: `{}`", step.id, request(&open.asked));
                if open.asked.repeatable {
                    what + " was cut off, and what came of it is unknown"
                } else {
                    what + " is in doubt, it may or may not have had its effect: look before you go on"
                }
            })
    });
    open.collect()
}

/// How much a line matters, with its colour.
pub(crate) fn level(level: LogLevel) -> (Ink, &'static str) {
    match level {
        LogLevel::Debug => (Ink::Faint, "debug"),
        LogLevel::Info => (Ink::Faint, "info"),
        LogLevel::Warn => (Ink::Warn, "warn"),
        LogLevel::Error => (Ink::Bad, "error"),
    }
}

/// What interrupted a run.
pub(crate) fn interruption(cause: Interruption) -> &'static str {
    match cause {
        Interruption::Signal(Signal::Interrupt) => "SIGINT",
        Interruption::Signal(Signal::Terminate) => "SIGTERM",
        Interruption::Signal(Signal::Hangup) => "SIGHUP",
        Interruption::NoSpace => "a disk that is nearly full",
    }
}

/// A value of the record.
pub(crate) fn value(recorded: &Recorded) -> String {
    match recorded {
        Recorded::Value(serde_json::Value::String(text)) => safe(text).into_owned(),
        Recorded::Value(value) => safe(&value.to_string()).into_owned(),
        Recorded::Sensitive(_) => "[sensitive]".to_owned(),
    }
}

/// A body: its size and the beginning of its digest.
pub(crate) fn body(kept: &Kept) -> String {
    format!("{} {}", size(kept.bytes), &kept.digest.hex()[..12])
}

/// How long a step took, where it has begun and ended.
pub(crate) fn took(step: &StepState) -> Option<String> {
    let millis = step.ended_at?.saturating_sub(step.first_started_at?);
    Some(span(std::time::Duration::from_millis(millis)))
}

/// How many of something, with its word.
pub(crate) fn count(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

/// Names in backticks, with commas.
pub(crate) fn names<T: ToString>(names: &[T]) -> String {
    names
        .iter()
        .map(|name| format!("`{}`", safe(&name.to_string())))
        .collect::<Vec<_>>()
        .join(", ")
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_harmless_line() {
        let said = Failure {
            kind: FailureKind::RateLimited,
            code: Some("Busy\x1b".to_owned()),
            message: "come\nback later".to_owned(),
            retry_after_ms: None,
            start_over: false,
        };
        assert_eq!(
            failure(&said),
            "come back later (rate limited, Busy\\u{1b})"
        );
    }

    #[test]
    fn numbers_agree_with_their_words() {
        assert_eq!(count(1, "step"), "1 step");
        assert_eq!(count(0, "step"), "0 steps");
    }

    #[test]
    fn a_size_has_the_unit_that_fits() {
        assert_eq!(
            (size(1023), size(2048), size(3 << 20)),
            ("1023 B".into(), "2 KiB".into(), "3 MiB".into())
        );
    }
}
