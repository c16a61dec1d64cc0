//! Reading what is recorded, beside whoever writes.

mod find;
mod listing;

use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;

pub use self::listing::{RunSummary, UnreadableRun};
use crate::chain::{Chain, Head};
use crate::chain_number::ChainNumber;
use crate::digest::KeyedDigest;
use crate::event::{Kept, RunbookFacts};
use crate::groups;
use crate::ledger::LEDGER;
use crate::log::{self, Log, LogFault, Stored};
use crate::run_id::RunId;
use crate::state::{RunState, RunStatus};
use crate::state_dir::{StateDir, StateDirError, StateKey};
use crate::store::{Store, StoreError, doing, each_row, first_row, head_of, open_to_read};

/// Reads the journal through a connection of its own that can't write.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    state: StateDir,
}

/// What was asked for can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state directory can't.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// A log isn't one.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// There is no such run.
    #[error("there is no run `{text}`: `sandbook runs` lists them")]
    NoSuchRun {
        /// What was asked for.
        text: String,
    },
    /// There is no run at all.
    #[error("there are no runs yet: `sandbook run` starts one")]
    NoRuns,
    /// Several runs fit.
    #[error("`{text}` fits several runs, {}: write more of the id", listed(.matches))]
    Ambiguous {
        /// What was asked for.
        text: String,
        /// Some of those that fit.
        matches: Vec<RunId>,
    },
    /// A content was altered.
    #[error("the content `{digest}` of run `{run}` was altered")]
    AlteredContent {
        /// The run.
        run: RunId,
        /// The digest that it should have.
        digest: KeyedDigest,
    },
}

impl Reader {
    /// Opens the state directory's journal; makes an empty one where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be opened, was made by a newer version, or isn't a journal.
    pub fn open(state: &StateDir) -> Result<Reader, StoreError> {
        let path = state.journal_path();
        if !path.exists() {
            Store::open(&path)?;
        }
        Ok(Reader {
            connection: open_to_read(&path)?,
            state: state.clone(),
        })
    }

    /// Opens the state directory's journal, which has to be there.
    ///
    /// # Errors
    ///
    /// When it isn't there, can't be opened, was made by a newer version, or isn't a journal.
    pub(crate) fn open_existing(state: &StateDir) -> Result<Reader, StoreError> {
        Ok(Reader {
            connection: open_to_read(&state.journal_path())?,
            state: state.clone(),
        })
    }

    /// A run's events after a given number (0: all), in their order. Their chain isn't looked at.
    ///
    /// # Errors
    ///
    /// When one can't be read. A run that isn't there has no events.
    pub fn events(&self, run: RunId, after: u64) -> Result<Vec<Stored>, ReadError> {
        let mut events = Vec::new();
        each_row(
            &self.connection,
            run.as_str(),
            after,
            |row| -> Result<(), ReadError> {
                events.push(log::read(run, row)?);
                Ok(())
            },
        )?;
        Ok(events)
    }

    /// What a run's log comes to, checked along its chain.
    ///
    /// # Errors
    ///
    /// When there is no such run, or its log isn't one.
    pub fn state(&self, run: RunId) -> Result<RunState, ReadError> {
        Ok(self.follow(run, |_, _| {})?.state)
    }

    /// The runbook that a run was started from, by its log's first event, of which nothing else is read.
    ///
    /// # Errors
    ///
    /// When there is no such run, or its log doesn't begin as one.
    pub fn runbook(&self, run: RunId) -> Result<RunbookFacts, ReadError> {
        #[derive(Deserialize)]
        struct Start {
            runbook: RunbookFacts,
        }
        let first = first_row(&self.connection, run.as_str())?.ok_or_else(|| no_such_run(run))?;
        match serde_json::from_str::<Start>(&first.body) {
            Ok(start) => Ok(start.runbook),
            // Says what is wrong with it.
            Err(_) => Err(log::read(run, first).map_or_else(ReadError::from, |_| no_such_run(run))),
        }
    }

    /// How a run stands, given what its log comes to: one that goes on without a live process is interrupted, and so is
    /// one about which all is decided, where whoever was to go on with it has died.
    ///
    /// # Errors
    ///
    /// When its lock can't be looked at.
    pub fn status(&self, run: RunId, state: &RunState) -> Result<RunStatus, ReadError> {
        match state.status() {
            RunStatus::Running if !self.state.is_live(run)? => Ok(RunStatus::Interrupted),
            RunStatus::Waiting
                if state.questions().next().is_none() && !self.state.is_live(run)? =>
            {
                Ok(RunStatus::Interrupted)
            }
            status => Ok(status),
        }
    }

    /// A content that one of the run's events speaks of; nothing when it was erased.
    ///
    /// # Errors
    ///
    /// When it can't be read, or isn't what was recorded.
    pub fn content(&self, run: RunId, kept: &Kept) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(number) = ChainNumber::find(&self.connection, run.as_str())? else {
            return Ok(None);
        };
        let sql = "SELECT bytes FROM contents WHERE chain = ?1 AND digest = ?2";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("be read"))?;
        let bytes: Option<Vec<u8>> = statement
            .query_row((number.get(), kept.digest.as_bytes()), |row| row.get(0))
            .optional()
            .map_err(doing("be read"))?;
        match bytes {
            Some(bytes) if self.key_of(run)?.digest(&bytes) != kept.digest => {
                Err(ReadError::AlteredContent {
                    run,
                    digest: kept.digest,
                })
            }
            bytes => Ok(bytes),
        }
    }

    /// The unfinished run that holds a group of concurrency.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn holder(&self, group: &str) -> Result<Option<RunId>, ReadError> {
        Ok(groups::holder(&self.connection, group)?)
    }

    /// How far the ledger of runs goes.
    pub(crate) fn ledger_head(&self) -> Result<Head, StoreError> {
        let head = head_of(&self.connection, LEDGER)?;
        Ok(head.unwrap_or_else(|| Chain::new(LEDGER).head()))
    }

    pub(crate) fn state_dir(&self) -> &StateDir {
        &self.state
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The key of the run's keyed digests: the state directory's, unless the run was imported from another one.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn key_of(&self, run: RunId) -> Result<StateKey, ReadError> {
        let sql = "SELECT key FROM foreign_keys JOIN chains ON number = chain WHERE name = ?1";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("be read"))?;
        let key = statement
            .query_row([run.as_str()], |row| row.get(0).map(StateKey::from_bytes))
            .optional()
            .map_err(doing("be read"))?;
        Ok(key.unwrap_or_else(|| self.state.key().clone()))
    }

    /// Hands out a run's events in their order, each with what the log comes to up to it. Returns how far the log goes.
    ///
    /// # Errors
    ///
    /// When there is no such run, or its log isn't one.
    pub fn walk(
        &self,
        run: RunId,
        each: impl FnMut(&RunState, Stored),
    ) -> Result<(RunState, Head), ReadError> {
        let log = self.follow(run, each)?;
        Ok((log.state, log.chain.head()))
    }

    /// Follows a run's chain and fold to their end.
    ///
    /// # Errors
    ///
    /// Names the first event that was altered, removed, inserted or moved. A cut end can't be noticed here.
    pub fn verify_run(&self, run: RunId) -> Result<Head, ReadError> {
        Ok(self.follow(run, |_, _| {})?.chain.head())
    }

    fn follow(
        &self,
        run: RunId,
        mut each: impl FnMut(&RunState, Stored),
    ) -> Result<Log, ReadError> {
        let mut log = Log::new(run);
        each_row(
            &self.connection,
            run.as_str(),
            0,
            |row| -> Result<(), ReadError> {
                let stored = log.follow(row)?;
                each(&log.state, stored);
                Ok(())
            },
        )?;
        if log.chain.head().seq == 0 {
            return Err(no_such_run(run));
        }
        Ok(log)
    }
}

fn no_such_run(run: RunId) -> ReadError {
    ReadError::NoSuchRun {
        text: run.to_string(),
    }
}

fn listed(runs: &[RunId]) -> String {
    runs.iter()
        .map(|run| format!("`{run}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests;
