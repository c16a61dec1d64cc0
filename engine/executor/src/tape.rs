//! What a run sends and is answered, kept beside its record to be written down as cases. It is redacted as the record
//! is, and nothing of it outlives the process.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sandbook_journal::RunId;
use sandbook_sandbox::gate::Entry;

/// What a run sends and is answered. Clones are the same tape.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape(Arc<Taped>);

#[derive(Debug, Default)]
struct Taped {
    run: OnceLock<RunId>,
    entries: Mutex<Vec<Entry>>,
}

impl Tape {
    /// Says which run it is of.
    pub(crate) fn begin(&self, run: RunId) {
        // A run that is taken up again is the same.
        let _ = self.0.run.set(run);
    }

    /// Which run it is of; none where it didn't begin.
    pub(crate) fn run(&self) -> Option<RunId> {
        self.0.run.get().copied()
    }

    pub(crate) fn note(&self, entry: &Entry) {
        self.entries_mut().push(entry.clone());
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries_mut().clone()
    }

    fn entries_mut(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
