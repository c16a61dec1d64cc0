//! By which time a plugin lives: the machine's own, or one that leaps over whatever is waited for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// Until when something is waited for, and by how many, in such nanoseconds.
    waits: Arc<Mutex<BTreeMap<u64, usize>>>,
}

/// A wait until a time, which counts until it is dropped.
pub(crate) struct Wait {
    time: LeapingTime,
    until: u64,
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
            waits: Arc::default(),
        }
    }

    /// How much of it has passed.
    pub fn passed(&self) -> Duration {
        Duration::from_nanos(self.nanos())
    }

    /// The same, in nanoseconds.
    pub(crate) fn nanos(&self) -> u64 {
        self.passed.load(Ordering::Acquire)
    }

    /// Begins to wait until so many nanoseconds have passed.
    pub(crate) fn wait(&self, until: u64) -> Wait {
        *self.waits().entry(until).or_default() += 1;
        Wait {
            time: self.clone(),
            until,
        }
    }

    fn waits(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Wait {
    /// Lets time pass until the first of all that is waited for. Whether this is over by then.
    pub(crate) fn leap(&self) -> bool {
        let first = self.time.waits().keys().next().copied();
        let until = first.unwrap_or(self.until);
        self.time.passed.fetch_max(until, Ordering::AcqRel);
        self.until <= self.time.nanos()
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waits = self.time.waits();
        match waits.get_mut(&self.until) {
            Some(others) if *others > 1 => *others -= 1,
            _ => drop(waits.remove(&self.until)),
        }
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

    #[test]
    fn the_first_of_all_waits_comes_first() {
        let time = LeapingTime::from(Duration::ZERO);
        let (late, early, dropped) = (time.wait(7), time.wait(5), time.wait(3));
        drop(dropped);
        drop(time.wait(5));
        assert!(!late.leap());
        assert_eq!(time.nanos(), 5);
        assert!(early.leap());
        drop(early);
        assert!(late.leap());
        assert_eq!(time.nanos(), 7);
    }
}
