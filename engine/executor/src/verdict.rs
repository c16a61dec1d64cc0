//! What becomes of a step whose attempt has ended: pure.

use std::time::Duration;

use sandbook_runbook::{Bounds, Retry};
use sandbook_sandbox::gate::Stop;
use sandbook_sandbox::{Breakage, Ended, Failure, FailureKind, Limit, Output};

use crate::limits::advice;

/// The longest wait that a service or a plugin can ask for before the next attempt.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// What the engine knows about the ended attempt beside what the plugin said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    /// What it was allowed to use.
    pub(crate) limits: &'a Bounds,
    /// Which attempt it was, without those that a crash has cut off; the first is 1.
    pub(crate) attempt: u32,
    /// A request of it that isn't repeatable and whose outcome is unknown whatever the plugin says.
    pub(crate) lost: Option<u32>,
    /// One that was answered in a way that leaves the outcome open once the attempt has failed.
    pub(crate) ambiguous: Option<u32>,
    /// Something was held back in this attempt, because this is a dry run.
    pub(crate) held_back: bool,
    /// Draws from 0 to 1, to spread retries.
    pub(crate) jitter: fn() -> f64,
}

/// What becomes of the step.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is done.
    Succeeded(Output),
    /// A dry run got as far as it can with it: what it would have put out is unknown.
    HeldBack,
    /// It is tried again after a wait.
    Again { failure: Failure, wait: Duration },
    /// It has failed; this request of it is in doubt.
    Failed {
        failure: Failure,
        in_doubt: Option<u32>,
    },
    /// It asked for something else than an earlier attempt was answered to.
    Diverged {
        recorded: String,
        asked: String,
        failure: Failure,
    },
    /// The host ended it; the step is as it was.
    Stopped(Stop),
}

/// Judges an ended attempt.
pub(crate) fn judge(ended: Ended, retry: &Retry, seen: Circumstances<'_>) -> Verdict {
    let (failure, worth_another) = match ended {
        Ended::Stopped(Stop::Diverged { recorded, asked }) => {
            return diverged(recorded, asked, seen);
        }
        Ended::Stopped(stop) => return Verdict::Stopped(stop),
        // A plugin that was held back knows less than it would have; whatever it returns is a guess.
        _ if seen.held_back => return Verdict::HeldBack,
        Ended::Succeeded(output) if seen.lost.is_none() => return Verdict::Succeeded(output),
        Ended::Succeeded(_) => (lost(), false),
        Ended::Failed(failure) => {
            let worth_another = worth_another(failure.kind);
            (failure, worth_another)
        }
        Ended::Broke(breakage) => broken(&breakage, seen.limits),
    };
    let in_doubt = seen.lost.or(seen.ambiguous);
    if in_doubt.is_none() && worth_another && seen.attempt < retry.attempts {
        let wait = retry
            .delay_before(seen.attempt + 1, (seen.jitter)())
            .max(failure.retry_after.unwrap_or_default().min(PATIENCE));
        return Verdict::Again { failure, wait };
    }
    Verdict::Failed { failure, in_doubt }
}

/// Whether the same attempt again could end otherwise.
fn worth_another(kind: FailureKind) -> bool {
    match kind {
        FailureKind::InvalidInput
        | FailureKind::Unauthorized
        | FailureKind::NotFound
        | FailureKind::Conflict => false,
        FailureKind::RateLimited
        | FailureKind::Unavailable
        | FailureKind::TimedOut
        | FailureKind::Failed => true,
    }
}

/// A breakage in the words of a failure, and whether another attempt makes sense: a limit that was
/// reached will be reached again.
fn broken(breakage: &Breakage, limits: &Bounds) -> (Failure, bool) {
    let (kind, code, worth_another) = match breakage {
        Breakage::Limit {
            limit: Limit::Wall, ..
        } => (FailureKind::TimedOut, "timeout", true),
        Breakage::Limit { .. } => (FailureKind::Failed, "limit", false),
        Breakage::Trapped(_) => (FailureKind::Failed, "crashed", true),
        Breakage::Contract(_) => (FailureKind::Failed, "bad-output", false),
        Breakage::Start(_) => (FailureKind::Failed, "not-started", false),
    };
    let mut message = breakage.to_string();
    if let Some(advice) = advice(breakage, limits) {
        message.push_str("; ");
        message.push_str(&advice);
    }
    (failure(kind, code, message), worth_another)
}

fn lost() -> Failure {
    let message =
        "the plugin reported success, but the answer to one of its requests was lost".to_owned();
    failure(FailureKind::Failed, "answer-lost", message)
}

/// A doubt comes first: what came of it may decide how the attempts differ.
fn diverged(recorded: String, asked: String, seen: Circumstances<'_>) -> Verdict {
    let message =
        format!("this attempt asks for {asked} where an earlier one was answered to {recorded}");
    let failure = failure(FailureKind::Conflict, "diverged", message);
    match seen.lost.or(seen.ambiguous) {
        None => Verdict::Diverged {
            recorded,
            asked,
            failure,
        },
        in_doubt => Verdict::Failed { failure, in_doubt },
    }
}

fn failure(kind: FailureKind, code: &str, message: String) -> Failure {
    Failure {
        kind,
        code: Some(code.to_owned()),
        message,
        retry_after: None,
        start_over: false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sandbook_runbook::Backoff;
    use serde_json::json;

    use super::*;

    const CALM: Circumstances<'static> = Circumstances {
        limits: &Bounds::USUAL,
        attempt: 1,
        lost: None,
        ambiguous: None,
        held_back: false,
        jitter: || 0.0,
    };

    fn three_attempts() -> Retry {
        Retry {
            attempts: 3,
            delay: Duration::from_secs(2),
            backoff: Backoff::Constant,
            max_delay: Duration::from_secs(60),
        }
    }

    fn succeeded() -> Ended {
        Ended::Succeeded(Output {
            data: json!({}),
            changed: true,
            summary: String::new(),
        })
    }

    fn failed(kind: FailureKind) -> Ended {
        Ended::Failed(failure(kind, "code", "message".to_owned()))
    }

    #[test]
    fn a_passing_failure_is_tried_again_until_the_attempts_are_used_up() {
        for attempt in [1, 2] {
            let verdict = judge(
                failed(FailureKind::Unavailable),
                &three_attempts(),
                Circumstances { attempt, ..CALM },
            );
            assert!(
                matches!(verdict, Verdict::Again { wait, .. } if wait == Duration::from_secs(2))
            );
        }
        let last = judge(
            failed(FailureKind::Unavailable),
            &three_attempts(),
            Circumstances { attempt: 3, ..CALM },
        );
        assert!(matches!(last, Verdict::Failed { in_doubt: None, .. }));
    }

    #[test]
    fn what_would_end_the_same_way_is_not_tried_again() {
        let over_memory = Breakage::Limit {
            limit: Limit::Memory,
            value: "1 MiB".to_owned(),
        };
        for ended in [
            failed(FailureKind::InvalidInput),
            failed(FailureKind::Unauthorized),
            failed(FailureKind::NotFound),
            failed(FailureKind::Conflict),
            Ended::Broke(over_memory),
        ] {
            assert!(matches!(
                judge(ended, &three_attempts(), CALM),
                Verdict::Failed { .. }
            ));
        }
    }

    #[test]
    fn a_lost_answer_is_in_doubt_whatever_the_plugin_says() {
        let seen = Circumstances {
            lost: Some(4),
            ..CALM
        };
        for ended in [succeeded(), failed(FailureKind::Unavailable)] {
            assert!(matches!(
                judge(ended, &three_attempts(), seen),
                Verdict::Failed {
                    in_doubt: Some(4),
                    ..
                }
            ));
        }
    }

    #[test]
    fn an_ambiguous_answer_is_in_doubt_once_the_attempt_has_failed() {
        let seen = Circumstances {
            ambiguous: Some(2),
            ..CALM
        };
        assert!(matches!(
            judge(succeeded(), &three_attempts(), seen),
            Verdict::Succeeded(_)
        ));
        let verdict = judge(failed(FailureKind::Unavailable), &three_attempts(), seen);
        assert!(matches!(
            verdict,
            Verdict::Failed {
                in_doubt: Some(2),
                ..
            }
        ));
    }

    #[test]
    fn the_services_own_patience_comes_before_the_runbooks_up_to_an_hour() {
        let (half_a_minute, hour) = (Duration::from_secs(30), Duration::from_secs(3_600));
        for (asked, waited) in [(half_a_minute, half_a_minute), (Duration::MAX, hour)] {
            let asked = Failure {
                retry_after: Some(asked),
                ..failure(FailureKind::RateLimited, "code", "message".to_owned())
            };
            let verdict = judge(Ended::Failed(asked), &three_attempts(), CALM);
            assert!(matches!(verdict, Verdict::Again { wait, .. } if wait == waited));
        }
    }

    #[test]
    fn the_runbooks_own_wait_may_be_longer_than_an_hour() {
        let day = Duration::from_secs(86_400);
        let retry = Retry {
            delay: day,
            max_delay: day,
            ..three_attempts()
        };
        let verdict = judge(failed(FailureKind::Unavailable), &retry, CALM);
        assert!(matches!(verdict, Verdict::Again { wait, .. } if wait == day));
    }

    #[test]
    fn what_a_held_back_step_returns_is_not_believed() {
        let seen = Circumstances {
            held_back: true,
            ..CALM
        };
        assert!(matches!(
            judge(succeeded(), &three_attempts(), seen),
            Verdict::HeldBack
        ));
        assert!(matches!(
            judge(failed(FailureKind::Failed), &three_attempts(), seen),
            Verdict::HeldBack
        ));
    }
}
