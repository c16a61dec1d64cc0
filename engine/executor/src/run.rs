//! A run that was started.

use std::sync::Arc;

use sandbook_journal::{self as journal, RunId, RunLock, RunState, RunStatus, Stored};
use sandbook_runbook::{Plan, Scope};
use tokio::sync::{broadcast, mpsc, watch};

use crate::anchoring::{Anchored, Anchoring};
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
    /// What people say about it meanwhile.
    pub(crate) news: mpsc::UnboundedReceiver<Arc<Stored>>,
    /// Held for as long as this process has the run.
    pub(crate) lock: RunLock,
    /// Who gets the ledger's head at its end.
    pub(crate) anchoring: Anchoring,
    /// Becomes a signal when it is to be interrupted.
    pub(crate) stop: watch::Receiver<Option<journal::Signal>>,
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
    /// Why an anchor doesn't have the ledger's head: a line each. It is owed it.
    pub unanchored: Vec<String>,
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
            id,
            prepared,
            past,
            scope,
            setting,
            news,
            lock,
            anchoring,
            stop,
        } = self;
        let conductor = Conductor::new(&prepared.plan, past, scope, setting, news)?;
        let conducted = conductor.conduct().await;
        // The lock is held until nothing is written any more.
        let conducted = conducted?;
        drop(lock);
        // How it was left is vouched for as its end is. The signal that interrupted it ends no sending; a second one ends all.
        let was_interrupted = matches!(conducted, Conducted::Interrupted(_));
        let stop = if was_interrupted {
            watch::channel(None).1
        } else {
            stop
        };
        let stands = Finished {
            status: RunStatus::Interrupted,
            interrupted: None,
            no_space: None,
            unanchored: anchor(&anchoring, id, stop).await,
        };
        Ok(match conducted {
            Conducted::Waiting => Finished {
                status: RunStatus::Waiting,
                ..stands
            },
            Conducted::Interrupted(signal) => Finished {
                interrupted: Some(signal),
                ..stands
            },
            Conducted::OutOfSpace(no_space) => Finished {
                no_space: Some(no_space),
                ..stands
            },
            Conducted::Finished(status) => Finished {
                status: status.into(),
                ..stands
            },
        })
    }
}

/// Sends the ledger's head, until a signal comes. Whatever goes wrong with it, the run stands as it does.
async fn anchor(
    anchoring: &Anchoring,
    run: RunId,
    mut stop: watch::Receiver<Option<journal::Signal>>,
) -> Vec<String> {
    let stopped = async {
        if stop.wait_for(Option::is_some).await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
    };
    let sent = tokio::select! {
        sent = anchoring.send(Some(run)) => sent,
        () = stopped => return vec!["the ledger's head was not sent to its anchors: interrupted".to_owned()],
    };
    let told = |anchored: Anchored| {
        let why = anchored.outcome.err()?;
        Some(format!(
            "anchor `{}` did not get the ledger's head: {why}",
            anchored.anchor
        ))
    };
    match sent {
        Ok(sent) => sent.into_iter().filter_map(told).collect(),
        Err(error) => vec![format!(
            "the project's anchors may not have the ledger's head: {error}"
        )],
    }
}
