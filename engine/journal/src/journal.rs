//! The handle through which events are recorded.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

use tokio::sync::{mpsc as broadcast, oneshot};

use crate::chain::Head;
use crate::clock::Clock;
use crate::entry::{Content, Entry};
use crate::log::{LogFault, Stored};
use crate::run_id::RunId;
use crate::signing::SigningKey;
use crate::state::{Illegal, RunState};
use crate::state_dir::StateDir;
use crate::store::{Store, StoreError};
use crate::writer::{Hand, Shared};

/// How many bytes an event's JSON may have.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// Records events, durably and in order. Clones share one connection, through which one at a time commits together
/// what is waiting; when the last one is dropped, what is queued is committed first.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    /// Taken when the last handle goes.
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// An event could not be recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// It may not follow what is in its run's log. Nothing of what came with it was recorded.
    #[error("`{kind}` doesn't fit into the log of run `{run}`")]
    Illegal {
        /// The run.
        run: RunId,
        /// The event's kind.
        kind: String,
        /// Why.
        source: Box<Illegal>,
    },
    /// It would take a group that another run holds. Nothing of what came with it was recorded.
    #[error("group `{group}` is held by run `{holder}`")]
    GroupHeld {
        /// The group.
        group: String,
        /// The run that holds it.
        holder: RunId,
    },
    /// What is recorded of its run can't be read.
    #[error("the log can't be continued")]
    Unreadable(#[source] Arc<LogFault>),
    /// It is too large.
    #[error(
        "an event `{kind}` of {bytes} bytes is too large for the journal, which takes {LARGEST_EVENT}"
    )]
    TooLarge {
        /// The event's kind.
        kind: String,
        /// How many bytes its JSON has.
        bytes: usize,
    },
    /// The journal has failed, now or earlier: nothing more is recorded through this handle.
    #[error("the journal has failed, and nothing more is recorded")]
    Poisoned(#[source] Arc<Poison>),
}

/// What a journal has failed of.
#[derive(Debug, thiserror::Error)]
pub enum Poison {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event that was only queued could not be recorded: the log has a gap that nobody was told of.
    #[error("a queued event was lost")]
    LostRide(#[source] Box<JournalError>),
    /// Whoever wrote has panicked.
    #[error("the journal has a bug, and has stopped at it")]
    Panicked,
}

/// Events that are recorded all or none.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) run: RunId,
    pub(crate) entries: Vec<Prepared>,
    /// Who waits for them; nobody for a ride.
    pub(crate) reply: Option<oneshot::Sender<Appended>>,
}

/// What came of an append: the events as they are on record.
pub type Appended = Result<Vec<Arc<Stored>>, JournalError>;

/// Events on their way to the record; ready when they are durable.
#[derive(Debug)]
#[must_use = "whether they are on record is known only when it is ready"]
pub struct Appending {
    time: u64,
    answer: oneshot::Receiver<Appended>,
}

/// An entry with all that can be done about it before it is its turn.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) entry: Entry,
    pub(crate) body: String,
    pub(crate) time: u64,
}

impl Journal {
    /// Opens the state directory's journal; makes it where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be opened, was made by a newer version, or isn't a journal; or its signing key can't be used.
    pub fn open(state: &StateDir, clock: Arc<dyn Clock>) -> Result<Journal, StoreError> {
        let key = state.signing_key().map_err(StoreError::key)?;
        Journal::with_store(Store::open(&state.journal_path())?, key, clock)
    }

    fn with_store(
        store: Store,
        key: SigningKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Journal, StoreError> {
        let shared = Arc::new(Shared::new(store, Arc::new(key)));
        let behind = Arc::clone(&shared);
        let work = move || {
            // After a panic it only answers that the journal has failed.
            while catch_unwind(AssertUnwindSafe(|| behind.write_behind())).is_err() {}
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(work)
            .map_err(StoreError::Thread)?;
        let inner = Inner {
            thread: Some(thread),
            clock,
            shared,
        };
        Ok(Journal {
            inner: Arc::new(inner),
        })
    }

    /// Records events of a run, all or none. They take their place in the order when this is called, whether or
    /// not the future is awaited; when it is ready they are durable, and so is all that was queued before.
    ///
    /// Where nobody writes just now, they are written before this returns, so that it takes as long as the disk does.
    /// Who has something else to do meanwhile takes [`Journal::append_behind`].
    ///
    /// # Errors
    ///
    /// See [`JournalError`]. An illegal event spoils nothing; any error of the database poisons the handle.
    pub fn append(&self, run: RunId, entries: Vec<Entry>) -> Appending {
        self.submit(run, entries, Hand::Own)
    }

    /// [`Journal::append`], written by the journal's own thread.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn append_behind(&self, run: RunId, entries: Vec<Entry>) -> Appending {
        self.submit(run, entries, Hand::Thread)
    }

    /// [`Journal::append`] for those who don't run in a runtime, where it would panic.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn append_blocking(&self, run: RunId, entries: Vec<Entry>) -> Appended {
        let appending = self.append(run, entries);
        let answer = appending.answer.blocking_recv();
        answer.unwrap_or_else(|_| Err(panicked()))
    }

    /// Queues an entry: it goes with the next commit, or after 100 ms. If it then can't be recorded, for whatever
    /// reason, the handle is poisoned.
    ///
    /// # Errors
    ///
    /// When it is too large, or the handle is poisoned already.
    pub fn ride(&self, run: RunId, entry: impl Into<Entry>) -> Result<(), JournalError> {
        self.refuse_poisoned()?;
        let time = self.inner.clock.now();
        let batch = Batch {
            run,
            entries: vec![Prepared::new(entry.into(), time)?],
            reply: None,
        };
        self.inner.shared.submit(batch, Hand::Thread);
        Ok(())
    }

    /// The events of a run that are committed from now on, in their order; those of other processes when this
    /// one's next commit notices them.
    #[must_use]
    pub fn subscribe(&self, run: RunId) -> broadcast::UnboundedReceiver<Arc<Stored>> {
        let (sender, receiver) = broadcast::unbounded_channel();
        self.inner.shared.subscribe(run, sender);
        receiver
    }

    /// What people say about a run from now on, and whatever else other processes append to it, in their order: what
    /// others append once this one notices it, at its next commit or when it looks.
    #[must_use]
    pub fn listen(&self, run: RunId) -> broadcast::UnboundedReceiver<Arc<Stored>> {
        let (sender, receiver) = broadcast::unbounded_channel();
        self.inner.shared.listen(run, sender);
        receiver
    }

    /// Looks whether other processes have appended to a run. Costs next to nothing where nobody has.
    pub fn look(&self, run: RunId) {
        if self.inner.shared.others_have_written() {
            // To append nothing reads what is there. A failure comes up at the next append.
            drop(self.append_behind(run, Vec::new()));
        }
    }

    /// Spares the next append reading a run's log: what [`crate::Reader::walk`] has just read of it, how far
    /// it goes and what it comes to. What others append meanwhile is read as ever.
    pub fn know(&self, run: RunId, head: Head, state: &RunState) {
        self.inner.shared.know(run, head, state);
    }

    /// What the journal has failed of, if it has.
    #[must_use]
    pub fn poisoned(&self) -> Option<Arc<Poison>> {
        self.inner.shared.poisoned().cloned()
    }

    /// How many commits were made so far.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.shared.commits()
    }

    fn submit(&self, run: RunId, entries: Vec<Entry>, hand: Hand) -> Appending {
        let time = self.inner.clock.now();
        let (reply, answer) = oneshot::channel();
        let prepared = self.refuse_poisoned().and_then(|()| {
            let entries = entries.into_iter();
            entries.map(|entry| Prepared::new(entry, time)).collect()
        });
        match prepared {
            Ok(entries) => {
                let reply = Some(reply);
                let batch = Batch {
                    run,
                    entries,
                    reply,
                };
                self.inner.shared.submit(batch, hand);
            }
            Err(error) => drop(reply.send(Err(error))),
        }
        Appending { time, answer }
    }

    fn refuse_poisoned(&self) -> Result<(), JournalError> {
        self.poisoned()
            .map_or(Ok(()), |cause| Err(JournalError::Poisoned(cause)))
    }
}

impl Drop for Inner {
    /// Waits until what is queued is durable.
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl Appending {
    /// The time that the events have on record.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.time
    }
}

impl Future for Appending {
    type Output = Appended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Appended> {
        let answer = Pin::new(&mut self.answer).poll(context);
        answer.map(|answer| answer.unwrap_or_else(|_| Err(panicked())))
    }
}

impl Prepared {
    fn new(mut entry: Entry, time: u64) -> Result<Prepared, JournalError> {
        let body = entry.event.encode();
        if body.len() > LARGEST_EVENT {
            return Err(JournalError::TooLarge {
                kind: kind(&body),
                bytes: body.len(),
            });
        }
        Ok(Prepared { entry, body, time })
    }

    pub(crate) fn contents(&self) -> &[Content] {
        &self.entry.contents
    }
}

pub(crate) fn kind(body: &str) -> String {
    crate::event::Event::kind_of(body)
        .unwrap_or_default()
        .to_owned()
}

/// Whoever was to answer is gone.
fn panicked() -> JournalError {
    JournalError::Poisoned(Arc::new(Poison::Panicked))
}

#[cfg(test)]
mod tests;
