//! The engine or its journal failed.

use std::error::Error;

use sandbook_journal::JournalError;
use sandbook_runbook::StepId;
use sandbook_sandbox::gate::Stop;

use crate::space::NoSpace;

/// The journal or the engine failed; the exit status is 5. What was recorded before stays.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Something could not be recorded, so nothing more was done.
    #[error("the journal failed, so nothing more was done")]
    Journal(#[source] JournalError),
    /// A bug: what the engine would record can't follow what is on record.
    #[error("the engine has a bug, so nothing more was done; please report it")]
    Illegal(#[source] JournalError),
    /// The state directory can't be used.
    #[error("the state directory can't be used")]
    State(#[source] Box<dyn Error + Send + Sync>),
    /// There is too little room left for the record.
    #[error(transparent)]
    NoSpace(#[from] NoSpace),
    /// A component that can be run elsewhere could not be made ready here.
    #[error("the sandbox failed")]
    Sandbox(#[source] Box<dyn Error + Send + Sync>),
    /// A step was stopped by its host.
    #[error("step `{step}` was stopped")]
    Stopped {
        /// The step.
        step: StepId,
        /// Why.
        source: Stop,
    },
    /// A bug: a task of the engine panicked.
    #[error("the engine has a bug: one of its tasks panicked; please report it")]
    Panicked(#[from] tokio::task::JoinError),
}

impl From<JournalError> for Failed {
    fn from(error: JournalError) -> Failed {
        match error {
            JournalError::Illegal { .. } => Failed::Illegal(error),
            error => Failed::Journal(error),
        }
    }
}

impl Failed {
    pub(crate) fn stopped(step: &StepId, source: Stop) -> Failed {
        Failed::Stopped {
            step: step.clone(),
            source,
        }
    }
}
