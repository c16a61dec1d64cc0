//! Where a test can have the process die: around the commit of each event. Without the feature `failpoints` there is
//! nothing here.

use crate::journal::Batch;

/// The kinds of the events that one transaction writes.
#[cfg(feature = "failpoints")]
pub(crate) struct Kinds(Vec<String>);

/// The kinds of the events that one transaction writes: of no interest.
#[cfg(not(feature = "failpoints"))]
pub(crate) struct Kinds;

#[cfg(feature = "failpoints")]
impl Kinds {
    pub(crate) fn of(batches: &[Batch]) -> Kinds {
        let entries = batches.iter().flat_map(|batch| &batch.entries);
        Kinds(
            entries
                .map(|entry| crate::journal::kind(&entry.body))
                .collect(),
        )
    }

    /// Passes the failpoint `PLACE/KIND` of each of them.
    pub(crate) fn pass(&self, place: &str) {
        for kind in &self.0 {
            fail::fail_point!(&format!("{place}/{kind}"), |_| std::process::abort());
        }
    }
}

#[cfg(not(feature = "failpoints"))]
impl Kinds {
    pub(crate) fn of(_: &[Batch]) -> Kinds {
        Kinds
    }

    pub(crate) fn pass(&self, _: &str) {}
}
