//! The list of runs, derived from their first and last events.

use rusqlite::{OptionalExtension as _, params};

use super::{ReadError, Reader};
use crate::chain::Row;
use crate::chain_number::ChainNumber;
use crate::event::{Event, RunStarted, StepId};
use crate::log::{self, LogFault, Stored};
use crate::run_id::RunId;
use crate::state::{Illegal, RunStatus};
use crate::store::{doing, read_row};

/// A run in short. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// What was fixed at its start: runbook, environment, operator and the rest.
    pub facts: Box<RunStarted>,
    /// When it started.
    pub started_at: u64,
    /// How it stands; without a live process, it doesn't run.
    pub status: RunStatus,
    /// When it was finished.
    pub finished_at: Option<u64>,
    /// The step whose failure ended it.
    pub failed_step: Option<StepId>,
}

/// A run whose log isn't one.
#[derive(Debug)]
pub struct UnreadableRun {
    /// Its id.
    pub id: RunId,
    /// When it started, as its first event has it.
    pub started_at: u64,
    /// What is wrong.
    pub fault: LogFault,
}

impl Reader {
    /// The runs, the newest first, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// When one can't be read.
    pub fn runs(&self, limit: Option<u32>) -> Result<Vec<RunSummary>, ReadError> {
        let all = self.list(limit)?.into_iter();
        Ok(all
            .map(|run| run.map_err(|unreadable| unreadable.fault))
            .collect::<Result<_, _>>()?)
    }

    /// The same; a run whose log isn't one keeps none of the others from being listed.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn list(
        &self,
        limit: Option<u32>,
    ) -> Result<Vec<Result<RunSummary, UnreadableRun>>, ReadError> {
        let sql = "SELECT id, time, kind, version, body, hash, name
                   FROM chains JOIN events ON id = (number << 32) + 1
                   WHERE number <> 0 ORDER BY begun DESC, number DESC LIMIT ?1";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("be read"))?;
        let mut rows = statement
            .query(params![limit.map_or(-1, i64::from)])
            .map_err(doing("be read"))?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next().map_err(doing("be read"))? {
            let id: String = row.get(6).map_err(doing("be read"))?;
            // A name that is no id can only come from tampering.
            let Ok(id) = id.parse() else { continue };
            let first = read_row(row).map_err(doing("be read"))?;
            let started_at = first.time;
            runs.push(match self.summary(id, first) {
                Ok(summary) => Ok(summary),
                Err(ReadError::Log(fault)) => Err(UnreadableRun {
                    id,
                    started_at,
                    fault,
                }),
                Err(error) => return Err(error),
            });
        }
        Ok(runs)
    }

    fn summary(&self, id: RunId, first: Row) -> Result<RunSummary, ReadError> {
        let Stored {
            time,
            event: Event::RunStarted(facts),
            ..
        } = log::read(id, first)?
        else {
            return Err(LogFault::Illegal {
                run: id,
                seq: 1,
                source: Illegal::NotStarted,
            }
            .into());
        };
        let mut summary = RunSummary {
            id,
            facts,
            started_at: time,
            status: RunStatus::Running,
            finished_at: None,
            failed_step: None,
        };
        match self.last(id)? {
            Some(Stored {
                time,
                event:
                    Event::RunFinished {
                        status,
                        failed_step,
                        ..
                    },
                ..
            }) => {
                summary.status = status.into();
                summary.finished_at = Some(time);
                summary.failed_step = failed_step;
            }
            _ => summary.status = self.status(id, &self.state(id)?)?,
        }
        Ok(summary)
    }

    /// The event that finished a run, or that had it go on after that.
    fn last(&self, run: RunId) -> Result<Option<Stored>, ReadError> {
        let Some(number) = ChainNumber::find(&self.connection, run.as_str())? else {
            return Ok(None);
        };
        // Little follows it, so that it is among the first that are looked at from the end.
        let sql = "SELECT id, time, kind, version, body, hash FROM events
                   WHERE id > ?1 AND id <= ?2 AND kind IN ('run_finished', 'undo_requested') ORDER BY id DESC LIMIT 1";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("be read"))?;
        let row = statement
            .query_row([number.key(0), number.last_key()], read_row)
            .optional()
            .map_err(doing("be read"))?;
        Ok(row.map(|row| log::read(run, row)).transpose()?)
    }
}
