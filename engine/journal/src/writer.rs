//! Who writes, and when: one at a time commits together all that is waiting, then publishes and answers.
//!
//! Whoever appends while nobody writes does so himself: to hand it to another thread and to be woken by it takes
//! as long as a short step does. What is queued while somebody writes, or waits for another process, or rides
//! along, is left to a thread of the journal's own.

mod transaction;

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use self::transaction::Runs;
use crate::chain::Head;
use crate::journal::{Batch, JournalError, Poison};
use crate::log::Stored;
use crate::run_id::RunId;
use crate::signing::SigningKey;
use crate::state::RunState;
use crate::store::{Patience, Store};

/// How long a queued entry waits for a commit that it can ride along with.
const LONGEST_RIDE: Duration = Duration::from_millis(100);

/// By whom a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hand {
    /// By whoever appends it, if nobody else writes just now.
    Own,
    /// By the thread.
    Thread,
}

/// What the handles and the thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    /// Rung when there is something for the thread to do.
    bell: Condvar,
    writer: Mutex<Writer>,
    subscribers: Mutex<Subscribers>,
    /// Those who want only what other processes append, and what people say.
    listeners: Mutex<Subscribers>,
    poison: OnceLock<Arc<Poison>>,
    commits: AtomicU64,
}

type Subscribers = HashMap<RunId, Vec<UnboundedSender<Arc<Stored>>>>;

/// What the next commit takes along.
#[derive(Debug, Default)]
struct Queue {
    batches: Vec<Batch>,
    /// Somebody waits for it.
    urgent: bool,
    /// When the first entry that rides along was queued.
    riding_since: Option<Instant>,
    /// The thread has been told that something rides, and will look at it in time.
    watched: bool,
    /// No handle is left.
    closed: bool,
}

#[derive(Debug)]
struct Writer {
    store: Store,
    runs: Runs,
}

impl Shared {
    pub(crate) fn new(store: Store, key: Arc<SigningKey>) -> Shared {
        Shared {
            queue: Mutex::default(),
            bell: Condvar::new(),
            writer: Mutex::new(Writer {
                store,
                runs: Runs::new(key),
            }),
            subscribers: Mutex::default(),
            listeners: Mutex::default(),
            poison: OnceLock::new(),
            commits: AtomicU64::new(0),
        }
    }

    /// Gives a batch its place in the order, and has it written.
    pub(crate) fn submit(&self, batch: Batch, hand: Hand) {
        let told = lock(&self.queue).add(batch);
        let done = match hand {
            Hand::Own => {
                let _panicking = RingAtPanic(&self.bell);
                self.commit_now()
            }
            Hand::Thread => told,
        };
        if !done {
            self.bell.notify_one();
        }
    }

    /// Commits what is waiting, unless somebody else writes just now.
    fn commit_now(&self) -> bool {
        match self.writer.try_lock() {
            Ok(mut writer) => writer.commit(self, Patience::None),
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Poisoned(panicked)) => {
                self.poison(Poison::Panicked);
                panicked.into_inner().commit(self, Patience::None)
            }
        }
    }

    /// Writes what is left to the thread, until all handles are gone and all that they queued is committed.
    pub(crate) fn write_behind(&self) {
        while self.wait_for_work() {
            let mut writer = self.writer.lock().unwrap_or_else(|panicked| {
                self.poison(Poison::Panicked);
                panicked.into_inner()
            });
            writer.commit(self, Patience::Long);
        }
        if self.poison.get().is_none()
            && let Ok(writer) = self.writer.lock()
        {
            // All is durable by now. Where this fails, whoever comes next does it.
            let _ = writer.store.empty_long_log();
        }
    }

    /// Says that no handle is left.
    pub(crate) fn close(&self) {
        lock(&self.queue).closed = true;
        self.bell.notify_one();
    }

    pub(crate) fn subscribe(&self, run: RunId, subscriber: UnboundedSender<Arc<Stored>>) {
        lock(&self.subscribers)
            .entry(run)
            .or_default()
            .push(subscriber);
    }

    pub(crate) fn listen(&self, run: RunId, listener: UnboundedSender<Arc<Stored>>) {
        lock(&self.listeners).entry(run).or_default().push(listener);
    }

    /// Whether another process may have written since it was looked last. While somebody writes here it doesn't
    /// matter: whoever writes looks as well.
    pub(crate) fn others_have_written(&self) -> bool {
        let Ok(writer) = self.writer.try_lock() else {
            return false;
        };
        // An error comes up again, and is told, when something is written.
        let now = writer.store.foreign_writes().ok();
        now.is_some() && now != writer.runs.foreign()
    }

    /// Spares reading a run's log as far as this, where it comes to this.
    pub(crate) fn know(&self, run: RunId, head: Head, state: &RunState) {
        if let Ok(mut writer) = self.writer.lock() {
            writer.runs.know(run, head, state);
        }
    }

    pub(crate) fn poisoned(&self) -> Option<&Arc<Poison>> {
        self.poison.get()
    }

    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Waits until the thread has to commit; says no when there will be nothing any more.
    fn wait_for_work(&self) -> bool {
        let mut queue = lock(&self.queue);
        loop {
            if queue.is_due() {
                return true;
            }
            if queue.closed {
                return false;
            }
            queue = match queue.riding_since {
                None => {
                    queue.watched = false;
                    self.bell
                        .wait(queue)
                        .unwrap_or_else(PoisonError::into_inner)
                }
                Some(since) => {
                    let left = LONGEST_RIDE.saturating_sub(since.elapsed());
                    let woken = self.bell.wait_timeout(queue, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn poison(&self, cause: Poison) -> JournalError {
        JournalError::Poisoned(Arc::clone(self.poison.get_or_init(|| Arc::new(cause))))
    }

    fn refuse_poisoned(&self) -> Result<(), JournalError> {
        self.poison.get().map_or(Ok(()), |cause| {
            Err(JournalError::Poisoned(Arc::clone(cause)))
        })
    }
}

impl Queue {
    /// Says whether the thread knows already that it will have to write such a batch.
    fn add(&mut self, batch: Batch) -> bool {
        let told = if batch.reply.is_some() {
            mem::replace(&mut self.urgent, true)
        } else {
            self.riding_since.get_or_insert_with(Instant::now);
            mem::replace(&mut self.watched, true)
        };
        self.batches.push(batch);
        told
    }

    fn take(&mut self) -> Vec<Batch> {
        self.urgent = false;
        self.riding_since = None;
        mem::take(&mut self.batches)
    }

    fn is_due(&self) -> bool {
        let rode = |since: Instant| self.closed || since.elapsed() >= LONGEST_RIDE;
        self.urgent || self.riding_since.is_some_and(rode)
    }
}

impl Writer {
    /// Commits all that is waiting. Says no when another process writes just now, and it didn't wait for that.
    fn commit(&mut self, shared: &Shared, patience: Patience) -> bool {
        if lock(&shared.queue).batches.is_empty() {
            return true;
        }
        let begun = shared.refuse_poisoned().and_then(|()| {
            let begun = self.store.begin(patience);
            begun.map_err(|error| shared.poison(error.into()))
        });
        if let Ok(false) = begun {
            return false;
        }
        // Only now: what was queued while another process was waited for goes along.
        let mut batches = lock(&shared.queue).take();
        let written = begun.and_then(|_| {
            self.write(shared, &mut batches)
                .map_err(|cause| shared.poison(cause))
        });
        match written {
            Ok(()) => self.empty_log(shared),
            Err(error) => {
                for reply in batches.into_iter().filter_map(|batch| batch.reply) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        true
    }

    /// Writes all batches in the transaction that was begun, and answers those who wait. On an error none is
    /// answered or written.
    fn write(&mut self, shared: &Shared, batches: &mut [Batch]) -> Result<(), Poison> {
        let answers = match self.runs.write(&self.store, batches) {
            Ok(answers) => answers,
            Err(cause) => {
                self.store.roll_back();
                return Err(cause);
            }
        };
        shared.commits.fetch_add(1, Ordering::Relaxed);
        // First, so that whoever is told of an append finds its events with the subscribers already.
        publish(&shared.subscribers, self.runs.committed());
        publish(&shared.listeners, self.runs.noticed());
        for (batch, answer) in batches.iter_mut().zip(answers) {
            if let Some(reply) = batch.reply.take() {
                let _ = reply.send(answer);
            }
        }
        Ok(())
    }

    /// The answers are out by then; an error stops the next commit.
    fn empty_log(&mut self, shared: &Shared) {
        if self.runs.has_erased()
            && let Err(error) = self.store.empty_log()
        {
            shared.poison(error.into());
        }
    }
}

/// Has the thread answer those who wait when whoever wrote for them panics.
struct RingAtPanic<'a>(&'a Condvar);

impl Drop for RingAtPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.notify_one();
        }
    }
}

fn publish(to: &Mutex<Subscribers>, events: Vec<Arc<Stored>>) {
    if events.is_empty() {
        return;
    }
    let mut subscribers = lock(to);
    for stored in events {
        if let Some(subscribers) = subscribers.get_mut(&stored.run) {
            subscribers.retain(|subscriber| subscriber.send(Arc::clone(&stored)).is_ok());
        }
    }
}

/// What these locks guard is whole between any two statements, so that a panic elsewhere doesn't matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
