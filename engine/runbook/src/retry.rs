//! When a failed attempt is made again.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;

use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::path::Path;

/// How often a step is tried, and how long is waited between the attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are at most, the first one included; 1 by default.
    pub attempts: u32,
    /// How long is waited before the second attempt; 1 s by default.
    pub delay: Duration,
    /// How the wait grows; constant by default.
    pub backoff: Backoff,
    /// The longest wait; one minute by default, or `delay` where that is longer.
    pub max_delay: Duration,
}

/// How the wait between attempts grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Each wait is as long as the first.
    Constant,
    /// Each wait is twice the one before, less up to a half that is drawn by lot.
    Exponential,
}

/// How many attempts a step can have.
const ATTEMPTS: RangeInclusive<u32> = 1..=100;
const DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            attempts: 1,
            delay: DELAY,
            backoff: Backoff::Constant,
            max_delay: MAX_DELAY,
        }
    }
}

impl Retry {
    /// How long to wait before an attempt; the first one is 1, and waits for nothing.
    ///
    /// `jitter` is drawn by the caller, from 0 to 1. It spreads an exponential wait over its second half,
    /// so that what failed together doesn't come back together.
    pub fn delay_before(&self, attempt: u32, jitter: f64) -> Duration {
        match (attempt, self.backoff) {
            (0 | 1, _) => Duration::ZERO,
            (_, Backoff::Constant) => self.delay.min(self.max_delay),
            (_, Backoff::Exponential) => {
                let factor = 1_u32.checked_shl(attempt - 2).unwrap_or(u32::MAX);
                let longest = self.delay.saturating_mul(factor).min(self.max_delay);
                longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
            }
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireRetry {
    attempts: Option<u32>,
    delay: Option<String>,
    backoff: Option<Backoff>,
    max_delay: Option<String>,
}

impl WireRetry {
    pub(crate) fn convert(&self, path: &Path, faults: &mut Vec<Fault>) -> Option<Retry> {
        let default = Retry::default();
        let mut duration = |key: &str, text: Option<&str>| {
            text.and_then(|text| match parse_duration(text) {
                Ok(duration) => Some(duration),
                Err(fault) => {
                    faults.push(Fault::error(path.key(key), fault.to_string()));
                    None
                }
            })
        };
        let delay = duration("delay", self.delay.as_deref()).unwrap_or(default.delay);
        let max_delay = duration("max_delay", self.max_delay.as_deref());
        if max_delay.is_some_and(|max_delay| max_delay < delay) {
            let fault = Fault::error(path.key("max_delay"), "`max_delay` is shorter than `delay`");
            faults.push(fault.help("the first wait would already be too long; raise `max_delay`"));
        }
        Some(Retry {
            attempts: self
                .attempts
                .filter(|attempts| ATTEMPTS.contains(attempts))?,
            delay,
            backoff: self.backoff.unwrap_or(default.backoff),
            max_delay: max_delay.unwrap_or(default.max_delay.max(delay)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry {
            attempts: 99,
            delay: Duration::from_secs(2),
            backoff: Backoff::Exponential,
            max_delay: Duration::from_secs(30),
        };
        let waits: Vec<u64> = (1..=8)
            .map(|attempt| retry.delay_before(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(retry.delay_before(3, 0.0), Duration::from_secs(2));
        assert_eq!(retry.delay_before(u32::MAX, 1.0), Duration::from_secs(30));
    }

    #[test]
    fn constant_waits_are_as_said() {
        let retry = Retry {
            delay: Duration::from_secs(5),
            ..Retry::default()
        };
        assert_eq!(retry.delay_before(2, 0.3), Duration::from_secs(5));
        assert_eq!(retry.delay_before(9, 0.9), Duration::from_secs(5));
    }
}
