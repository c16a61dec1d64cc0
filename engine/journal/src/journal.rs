//! The handle through which events are recorded.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;

use tokio::sync::{mpsc as broadcast, oneshot};

use crate::clock::Clock;
use crate::entry::{Content, Entry};
use crate::log::{LogFault, Stored};
use crate::run_id::RunId;
use crate::state::Illegal;
use crate::state_dir::StateDir;
use crate::store::{Store, StoreError};
use crate::writer::Writer;

/// How many bytes an event's JSON may have.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// Records events, durably and in order. Clones share one thread that writes, which commits together what is
/// waiting; when the last one is dropped, what is queued is committed first.
#[derive(Debug, Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    /// Taken when the last handle goes.
    queue: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
}

/// What the handles and the thread both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) poison: OnceLock<Arc<Poison>>,
    pub(crate) commits: AtomicU64,
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
        source: Illegal,
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
    /// The thread that writes ended by itself.
    #[error("the journal's thread has ended")]
    ThreadEnded,
}

/// What the handles ask of the thread.
pub(crate) enum Message {
    Batch(Batch),
    Flush(oneshot::Sender<Result<(), JournalError>>),
    Subscribe(RunId, broadcast::UnboundedSender<Arc<Stored>>),
}

/// Events that are recorded all or none.
pub(crate) struct Batch {
    pub(crate) run: RunId,
    pub(crate) entries: Vec<Prepared>,
    /// Who waits for them; nobody for a ride.
    pub(crate) reply: Option<oneshot::Sender<Recorded>>,
}

pub(crate) type Recorded = Result<Vec<Arc<Stored>>, JournalError>;

/// An entry with all that can be done about it before it is its turn.
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
    /// When it can't be opened, was made by a newer version, or isn't a journal.
    pub fn open(state: &StateDir, clock: Arc<dyn Clock>) -> Result<Journal, StoreError> {
        Journal::with_store(Store::open(&state.journal_path())?, clock)
    }

    fn with_store(store: Store, clock: Arc<dyn Clock>) -> Result<Journal, StoreError> {
        let shared = Arc::new(Shared::default());
        let (queue, messages) = mpsc::channel();
        let writer = Writer::new(store, Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&messages))
            .map_err(StoreError::Thread)?;
        let inner = Inner {
            queue: Some(queue),
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
    /// # Errors
    ///
    /// See [`JournalError`]. An illegal event spoils nothing; any error of the database poisons the handle.
    pub fn append(
        &self,
        run: RunId,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Recorded> + Send + use<> {
        let sent = self.send(run, entries);
        async move { sent?.await.unwrap_or_else(|_| Err(thread_ended())) }
    }

    /// [`Journal::append`] for those who don't run in a runtime, where it would panic.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn append_blocking(&self, run: RunId, entries: Vec<Entry>) -> Recorded {
        self.send(run, entries)?
            .blocking_recv()
            .unwrap_or_else(|_| Err(thread_ended()))
    }

    /// Queues an entry: it goes with the next commit, or after 100 ms. If it then can't be recorded, for whatever
    /// reason, the handle is poisoned.
    ///
    /// # Errors
    ///
    /// When it is too large, or the handle is poisoned already.
    pub fn ride(&self, run: RunId, entry: impl Into<Entry>) -> Result<(), JournalError> {
        self.refuse_poisoned()?;
        let entries = vec![self.prepare(entry.into())?];
        self.post(Message::Batch(Batch {
            run,
            entries,
            reply: None,
        }))
    }

    /// Ready when all that was queued before is durable.
    ///
    /// # Errors
    ///
    /// When the handle is poisoned.
    pub fn flush(&self) -> impl Future<Output = Result<(), JournalError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.post(Message::Flush(reply));
        async move {
            sent?;
            answer.await.unwrap_or_else(|_| Err(thread_ended()))
        }
    }

    /// The events of a run that are committed from now on, in their order; those of other processes when this
    /// one's next commit notices them.
    #[must_use]
    pub fn subscribe(&self, run: RunId) -> broadcast::UnboundedReceiver<Arc<Stored>> {
        let (sender, receiver) = broadcast::unbounded_channel();
        // When the thread is gone the sender is dropped, and the receiver ends.
        let _ = self.post(Message::Subscribe(run, sender));
        receiver
    }

    /// What the journal has failed of, if it has.
    #[must_use]
    pub fn poisoned(&self) -> Option<Arc<Poison>> {
        self.inner.shared.poison.get().cloned()
    }

    /// How many commits were made so far.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.shared.commits.load(Ordering::Relaxed)
    }

    fn send(
        &self,
        run: RunId,
        entries: Vec<Entry>,
    ) -> Result<oneshot::Receiver<Recorded>, JournalError> {
        self.refuse_poisoned()?;
        let entries = entries
            .into_iter()
            .map(|entry| self.prepare(entry))
            .collect::<Result<_, _>>()?;
        let (reply, answer) = oneshot::channel();
        self.post(Message::Batch(Batch {
            run,
            entries,
            reply: Some(reply),
        }))?;
        Ok(answer)
    }

    fn prepare(&self, mut entry: Entry) -> Result<Prepared, JournalError> {
        let body = entry.event.encode();
        if body.len() > LARGEST_EVENT {
            return Err(JournalError::TooLarge {
                kind: kind(&body),
                bytes: body.len(),
            });
        }
        Ok(Prepared {
            entry,
            body,
            time: self.inner.clock.now(),
        })
    }

    fn refuse_poisoned(&self) -> Result<(), JournalError> {
        self.poisoned()
            .map_or(Ok(()), |cause| Err(JournalError::Poisoned(cause)))
    }

    fn post(&self, message: Message) -> Result<(), JournalError> {
        let queue = self
            .inner
            .queue
            .as_ref()
            .expect("invariant: the queue is there as long as a handle");
        queue.send(message).map_err(|_| thread_ended())
    }
}

impl Drop for Inner {
    /// Waits until what is queued is durable.
    fn drop(&mut self) {
        drop(self.queue.take());
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

impl Prepared {
    pub(crate) fn contents(&self) -> &[Content] {
        &self.entry.contents
    }
}

pub(crate) fn kind(body: &str) -> String {
    crate::event::Event::kind_of(body)
        .unwrap_or_default()
        .to_owned()
}

fn thread_ended() -> JournalError {
    JournalError::Poisoned(Arc::new(Poison::ThreadEnded))
}

#[cfg(test)]
mod tests;
