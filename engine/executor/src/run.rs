//! A run that was started.

use std::sync::Arc;

use sandbook_journal::{self as journal, RunId, RunLock, RunState, RunStatus, Stored};
use sandbook_runbook::{Plan, Scope};
use tokio::sync::{broadcast, mpsc};

use crate::conductor::{Conducted, Conductor, Setting};
use crate::draft::Prepared;
use crate::failed::Failed;
use crate::past::Past;
use crate::recorder::Progress;
use crate::space::NoSpace;

/// A run whose start is on record, and what there is to see of it.
pub struct Begun {
    /// The run, which goes on once it is completed.
    pub run: Run,
    /// Its events, each once it is durable.
    pub events: mpsc::UnboundedReceiver<Arc<Stored>>,
    /// What its plugins say of their progress.
    pub live: broadcast::Receiver<Progress>,
    /// What its log came to before the first of these events.
    pub before: RunState,
    /// What is different in the environment that it was accepted to go on in.
    pub difference: Option<String>,
}

/// A run whose start is on record.
pub struct Run {
    /// Its id.
    pub id: RunId,
    pub(crate) prepared: Prepared,
    pub(crate) past: Past,
    pub(crate) scope: Scope,
    pub(crate) setting: Setting,
    /// Held for as long as this process has the run.
    pub(crate) lock: RunLock,
}

/// How a run ended, or where it stopped.
#[derive(Debug)]
pub struct Finished {
    /// How the run stands now.
    pub status: RunStatus,
    /// The signal that interrupted it.
    pub interrupted: Option<journal::Signal>,
    /// What interrupted it where that was no signal: too little room on the disk.
    pub no_space: Option<NoSpace>,
}

impl Run {
    /// What it does.
    pub fn plan(&self) -> &Plan {
        &self.prepared.plan
    }

    /// Runs it to its end, or until it is interrupted or only people can say how it goes on. The events are handed out apart, so that
    /// whoever watches can't hold the run up.
    ///
    /// # Errors
    ///
    /// The journal or the engine failed. What was recorded before stays.
    pub async fn complete(self) -> Result<Finished, Failed> {
        let Run {
            prepared,
            past,
            scope,
            setting,
            lock,
            ..
        } = self;
        let conductor = Conductor::new(&prepared.plan, past, scope, setting)?;
        let conducted = conductor.conduct().await;
        // The lock is held until nothing is written any more.
        let finished = match conducted? {
            Conducted::Waiting => Finished {
                status: RunStatus::Waiting,
                interrupted: None,
                no_space: None,
            },
            Conducted::Interrupted(signal) => Finished {
                status: RunStatus::Interrupted,
                interrupted: Some(signal),
                no_space: None,
            },
            Conducted::OutOfSpace(no_space) => Finished {
                status: RunStatus::Interrupted,
                interrupted: None,
                no_space: Some(no_space),
            },
            Conducted::Finished(status) => Finished {
                status: status.into(),
                interrupted: None,
                no_space: None,
            },
        };
        drop(lock);
        Ok(finished)
    }
}
