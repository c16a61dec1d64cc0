//! By which time a plugin lives: the machine's own, or one that leaps over whatever is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// By which time a plugin lives.
#[derive(Debug, Clone, Default)]
pub enum Time {
    /// The machine's.
    #[default]
    Real,
    /// One of its own.
    Leaping(LeapingTime),
}

/// A time that stands still while a plugin computes, and passes at once when something is waited for. Clones are the
/// same time.
#[derive(Debug, Clone)]
pub struct LeapingTime {
    begins: Duration,
    /// In nanoseconds.
    passed: Arc<AtomicU64>,
}

impl Time {
    /// Since 1970, UTC.
    pub fn now(&self) -> Duration {
        match self {
            Time::Real => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            Time::Leaping(time) => time.begins + time.passed(),
        }
    }

    /// Waits until so much time has passed.
    pub async fn sleep(&self, duration: Duration) {
        match self {
            Time::Real => tokio::time::sleep(duration).await,
            Time::Leaping(time) => {
                // Whoever is polled beside this comes first.
                tokio::task::yield_now().await;
                time.pass(duration);
            }
        }
    }
}

impl LeapingTime {
    /// A time that begins so long after 1970, UTC.
    pub fn from(begins: Duration) -> LeapingTime {
        LeapingTime {
            begins,
            passed: Arc::default(),
        }
    }

    /// How much of it has passed.
    pub fn passed(&self) -> Duration {
        Duration::from_nanos(self.passed.load(Ordering::Acquire))
    }

    /// Lets some of it pass.
    pub fn pass(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let add = |passed: u64| Some(passed.saturating_add(nanos));
        // It always adds.
        let _ = self
            .passed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_waited_for_passes_at_once() {
        let time = Time::Leaping(LeapingTime::from(Duration::from_secs(7)));
        assert_eq!(time.now(), Duration::from_secs(7));
        time.sleep(Duration::from_secs(3600)).await;
        assert_eq!(time.now(), Duration::from_secs(3607));
        time.sleep(Duration::MAX).await;
        assert!(time.now() > Duration::from_secs(1 << 30));
    }
}
