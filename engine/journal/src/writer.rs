//! The thread that writes: it commits together what is waiting, then answers and publishes.

mod transaction;

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use self::transaction::Runs;
use crate::journal::{Batch, JournalError, Message, Poison, Shared};
use crate::log::Stored;
use crate::run_id::RunId;
use crate::store::Store;

/// How long a queued entry waits for a commit that it can ride along with.
const LONGEST_RIDE: Duration = Duration::from_millis(100);

/// How many batches one commit takes at most.
const MOST_BATCHES: usize = 4096;

#[derive(Debug)]
pub(crate) struct Writer {
    store: Store,
    runs: Runs,
    subscribers: HashMap<RunId, Vec<UnboundedSender<Arc<Stored>>>>,
    shared: Arc<Shared>,
}

/// What the next commit takes along.
#[derive(Default)]
struct Waiting {
    batches: Vec<Batch>,
    /// Somebody waits for it.
    urgent: bool,
    /// When the first entry that rides along was queued.
    riding_since: Option<Instant>,
}

impl Writer {
    pub(crate) fn new(store: Store, shared: Arc<Shared>) -> Writer {
        Writer {
            store,
            runs: Runs::default(),
            subscribers: HashMap::new(),
            shared,
        }
    }

    /// Works until all handles are gone and all that they queued is committed.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let mut waiting = Waiting::default();
        loop {
            match waiting.next(messages) {
                Ok(message) => self.take(message, &mut waiting),
                Err(RecvTimeoutError::Timeout) => waiting.urgent = true,
                Err(RecvTimeoutError::Disconnected) => return self.commit(&mut waiting),
            }
            while waiting.batches.len() < MOST_BATCHES
                && let Ok(message) = messages.try_recv()
            {
                self.take(message, &mut waiting);
            }
            if waiting.urgent {
                self.commit(&mut waiting);
            }
        }
    }

    fn take(&mut self, message: Message, waiting: &mut Waiting) {
        match message {
            Message::Batch(batch) => waiting.add(batch),
            Message::Subscribe(run, subscriber) => {
                self.subscribers.entry(run).or_default().push(subscriber);
            }
            Message::Flush(reply) => {
                self.commit(waiting);
                // Nobody may be waiting any more.
                let _ = reply.send(self.refuse_poisoned());
            }
        }
    }

    fn commit(&mut self, waiting: &mut Waiting) {
        let mut batches = mem::take(waiting).batches;
        if batches.is_empty() {
            return;
        }
        let outcome = match self.refuse_poisoned() {
            Ok(()) => self.write(&mut batches).map_err(|cause| self.poison(cause)),
            refused => refused,
        };
        match outcome {
            Ok(()) => self.empty_log(),
            Err(error) => {
                for reply in batches.into_iter().filter_map(|batch| batch.reply) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Writes all batches in one transaction and answers those who wait. On an error none is answered or written.
    fn write(&mut self, batches: &mut [Batch]) -> Result<(), Poison> {
        let answers = match self.runs.write(&self.store, batches) {
            Ok(answers) => answers,
            Err(cause) => {
                self.store.roll_back();
                return Err(cause);
            }
        };
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        // First, so that whoever is told of an append finds its events with the subscribers already.
        self.publish();
        for (batch, answer) in batches.iter_mut().zip(answers) {
            if let Some(reply) = batch.reply.take() {
                let _ = reply.send(answer);
            }
        }
        Ok(())
    }

    /// The answers are out by then; an error stops the next commit.
    fn empty_log(&mut self) {
        if self.runs.has_erased()
            && let Err(error) = self.store.empty_log()
        {
            self.poison(error.into());
        }
    }

    fn publish(&mut self) {
        for stored in self.runs.committed() {
            if let Some(subscribers) = self.subscribers.get_mut(&stored.run) {
                subscribers.retain(|subscriber| subscriber.send(Arc::clone(&stored)).is_ok());
            }
        }
    }

    fn poison(&self, cause: Poison) -> JournalError {
        JournalError::Poisoned(Arc::clone(
            self.shared.poison.get_or_init(|| Arc::new(cause)),
        ))
    }

    fn refuse_poisoned(&self) -> Result<(), JournalError> {
        self.shared.poison.get().map_or(Ok(()), |cause| {
            Err(JournalError::Poisoned(Arc::clone(cause)))
        })
    }
}

impl Waiting {
    /// The next message. A time-out says that what rides along has waited long enough.
    fn next(&self, messages: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.riding_since {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => messages.recv_timeout(LONGEST_RIDE.saturating_sub(since.elapsed())),
        }
    }

    fn add(&mut self, batch: Batch) {
        if batch.reply.is_some() {
            self.urgent = true;
        } else if self.riding_since.is_none() {
            self.riding_since = Some(Instant::now());
        }
        self.batches.push(batch);
    }
}
