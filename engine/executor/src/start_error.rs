//! Why a run did not start, or was not taken up.

use sandbook_journal::{self as journal, RunId};

use crate::failed::Failed;
use crate::refused::Refused;
use crate::space::NoSpace;
use crate::turn::Held;

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The request was wrong.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Another process has the run.
    #[error("run `{0}` goes on in another process")]
    Held(RunId),
    /// Another run holds the group of this one.
    #[error(transparent)]
    GroupHeld(#[from] Box<Held>),
    /// It was interrupted while it waited for its turn: nothing was done.
    #[error("interrupted while it waited for its turn, so nothing was done")]
    Interrupted(journal::Signal),
    /// There is too little room to go on with this run.
    #[error(transparent)]
    NoSpace(#[from] Box<NoSpaceFor>),
    /// The engine failed.
    #[error(transparent)]
    Failed(#[from] Failed),
}

/// A run that is on record can't be gone on with, since its disk is nearly full.
#[derive(Debug, thiserror::Error)]
#[error("{no_space}")]
pub struct NoSpaceFor {
    /// The disk.
    pub no_space: NoSpace,
    /// The run.
    pub run: RunId,
}
