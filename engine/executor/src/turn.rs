//! When it is a run's turn: its group has to be free, and where its runbook has it wait, those who came before it go
//! first. That nobody takes the group in between is the journal's to see to.

use std::fmt;
use std::time::Duration;

use sandbook_journal::{Operator, ReadError, Reader, RunId, RunState, RunStatus, StateDir, Ticket};
use sandbook_runbook::Behavior;

use crate::conductor::interrupted;
use crate::engine::{Engine, Options, Waits};
use crate::failed::Failed;
use crate::start_error::StartError;

/// How often who waits looks whether it is his turn.
const LOOK: Duration = Duration::from_millis(200);

/// A run that holds a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its id.
    pub run: RunId,
    /// The name of its runbook.
    pub runbook: String,
    /// Who started it.
    pub operator: Operator,
    /// How it stands.
    pub status: RunStatus,
}

/// A run can't begin, since another one holds its group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("group `{group}` is held by {holder}")]
pub struct Held {
    /// The group.
    pub group: String,
    /// Who holds it.
    pub holder: Holder,
}

/// What a run waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The group.
    pub group: String,
    /// Who holds it; nobody for as long as the one whose turn it is gets ready.
    pub holder: Option<Holder>,
    /// How many wait before it.
    pub before: usize,
}

/// A run that is to take a group.
pub(crate) struct Turn {
    group: String,
    behavior: Behavior,
    state: StateDir,
    reader: Reader,
    /// Its place in the line, where it waits in one. It is given up once the run has begun, or isn't to.
    ticket: Option<Ticket>,
    /// Who was last seen to hold the group, and how much of its log was read.
    seen: Option<Seen>,
}

struct Seen {
    run: RunId,
    state: RunState,
    read: u64,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder {
            run,
            runbook,
            operator,
            status,
        } = self;
        let how = match status {
            RunStatus::Running => "is running",
            RunStatus::Interrupted => "is interrupted",
            RunStatus::Waiting => "waits for a person",
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled => "is just through",
        };
        write!(
            f,
            "run {run} of `{runbook}` by {}, which {how}",
            operator.name
        )
    }
}

/// Lets some time pass before the next look, unless a signal comes.
pub(crate) async fn look_later(options: &mut Options) -> Result<(), StartError> {
    tokio::select! {
        biased;
        signal = interrupted(&mut options.stop) => Err(StartError::Interrupted(signal)),
        () = tokio::time::sleep(LOOK) => Ok(()),
    }
}

impl Turn {
    pub(crate) fn new(engine: &Engine, group: &str, behavior: Behavior) -> Result<Turn, Failed> {
        let state = engine.state().clone();
        let reader = engine.reader()?;
        Ok(Turn {
            group: group.to_owned(),
            behavior,
            state,
            reader,
            ticket: None,
            seen: None,
        })
    }

    /// Waits until it is the run's turn, or refuses it.
    pub(crate) async fn come(&mut self, options: &mut Options) -> Result<(), StartError> {
        match self.behavior {
            Behavior::Reject => self.refuse_held(None),
            Behavior::Queue => self.wait(options).await,
        }
    }

    /// Refuses the run while another one holds its group; one that is on record already is `own`.
    pub(crate) fn refuse_held(&mut self, own: Option<RunId>) -> Result<(), StartError> {
        match self.holder()?.filter(|holder| Some(holder.run) != own) {
            None => Ok(()),
            Some(holder) => Err(StartError::GroupHeld(Box::new(Held {
                group: self.group.clone(),
                holder,
            }))),
        }
    }

    async fn wait(&mut self, options: &mut Options) -> Result<(), StartError> {
        let failed = |error: sandbook_journal::StateDirError| Failed::State(error.into());
        if self.ticket.is_none() {
            self.ticket = Some(self.state.queue_up(&self.group).map_err(failed)?);
        }
        let mut told = None;
        loop {
            let before = match &self.ticket {
                Some(ticket) => ticket.before().map_err(failed)?,
                None => 0,
            };
            let holder = self.holder()?;
            if before == 0 && holder.is_none() {
                return Ok(());
            }
            let queued = Queued {
                group: self.group.clone(),
                holder,
                before,
            };
            if told.as_ref() != Some(&queued) {
                // Nobody listens: it waits all the same.
                let _ = options.waits.send(Waits::Queued(queued.clone()));
                told = Some(queued);
            }
            look_later(options).await?;
        }
    }

    /// Who holds the group now. Of a log that grows, only what is new is read.
    fn holder(&mut self) -> Result<Option<Holder>, Failed> {
        let look = |error: ReadError| Failed::State(error.into());
        let Some(run) = self.reader.holder(&self.group).map_err(look)? else {
            self.seen = None;
            return Ok(None);
        };
        if self.seen.as_ref().is_none_or(|seen| seen.run != run) {
            self.seen = Some(Seen {
                run,
                state: RunState::default(),
                read: 0,
            });
        }
        let seen = self.seen.as_mut().expect("it was just seen");
        for stored in self.reader.events(run, seen.read).map_err(look)? {
            seen.read = stored.seq;
            // The journal stores only what may follow.
            let _ = seen.state.apply(&stored.event, stored.time);
        }
        let status = self.reader.status(run, &seen.state).map_err(look)?;
        Ok(seen.state.facts().map(|facts| Holder {
            run,
            runbook: facts.runbook.name.clone(),
            operator: facts.operator.clone(),
            status,
        }))
    }
}
