//! How much time on a processor an attempt takes.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// Counts the time for which an attempt is driven: the guest's own, and that of what the host does for it on its
/// thread. Waiting takes none, neither for an answer nor for a processor.
#[derive(Debug, Default)]
pub(crate) struct Processor {
    /// The turns that are over, in nanoseconds.
    used: AtomicU64,
    /// The thread's clock when this turn began.
    began: AtomicU64,
}

impl Processor {
    /// How much it is by now, for whoever is driven.
    pub(crate) fn used(&self) -> Duration {
        let turn = thread_clock().saturating_sub(self.began.load(Relaxed));
        Duration::from_nanos(self.used.load(Relaxed).saturating_add(turn))
    }

    /// The same future, with its turns counted.
    pub(crate) async fn count<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.began.store(thread_clock(), Relaxed);
            let polled = future.as_mut().poll(context);
            let used = self.used().as_nanos();
            self.used
                .store(u64::try_from(used).unwrap_or(u64::MAX), Relaxed);
            polled
        })
        .await
    }
}

/// For how long this thread has run, in nanoseconds.
fn thread_clock() -> u64 {
    let time = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_counts_and_waiting_does_not() {
        let processor = Arc::new(Processor::default());
        let driven = Arc::clone(&processor);
        let turns = async move {
            let begun = thread_clock();
            tokio::time::sleep(Duration::from_millis(20)).await;
            let waited = driven.used();
            while thread_clock() - begun < 20_000_000 {}
            (waited, driven.used())
        };
        let (waited, worked) = Arc::clone(&processor).count(turns).await;
        assert!(waited < Duration::from_millis(15), "{waited:?}");
        assert!(worked >= Duration::from_millis(15), "{worked:?}");
        assert!(processor.used.load(Relaxed) >= 15_000_000);
    }
}
