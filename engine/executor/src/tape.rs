//! What a run sends and is answered, kept beside its record to be written down as cases. It is redacted as the record
//! is, and nothing of it outlives the process.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sandbook_journal::RunId;
use sandbook_sandbox::gate::Entry;
use sandbook_sandbox::redact::Redactor;
use serde_json::Value;

/// What a run sends and is answered. Clones are the same tape.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tape(Arc<Taped>);

#[derive(Debug, Default)]
struct Taped {
    run: OnceLock<RunId>,
    redactor: OnceLock<Arc<Redactor>>,
    entries: Mutex<Vec<Entry>>,
    /// The sensitive outputs, which the record has no more at the run's end.
    sensitive: Mutex<Vec<Value>>,
}

impl Tape {
    /// Says which run it is of, and what hides what nobody is to see of it.
    pub(crate) fn begin(&self, run: RunId, redactor: &Arc<Redactor>) {
        // It is of one run, which begins once.
        let _ = self.0.run.set(run);
        let _ = self.0.redactor.set(Arc::clone(redactor));
    }

    /// What hides what nobody is to see of the run. It knows more by the run's end than when an entry was noted.
    pub(crate) fn redactor(&self) -> Option<&Redactor> {
        self.0.redactor.get().map(|redactor| &**redactor)
    }

    /// Which run it is of; none where it didn't begin.
    pub(crate) fn run(&self) -> Option<RunId> {
        self.0.run.get().copied()
    }

    pub(crate) fn note(&self, entry: &Entry) {
        held(&self.0.entries).push(entry.clone());
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        held(&self.0.entries).clone()
    }

    /// Keeps a sensitive output, so that it can be found in what was noted before.
    pub(crate) fn keep_sensitive(&self, output: &Value) {
        held(&self.0.sensitive).push(output.clone());
    }

    /// The sensitive outputs so far.
    pub(crate) fn sensitive(&self) -> Vec<Value> {
        held(&self.0.sensitive).clone()
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
