//! Taking over runs from another state directory, with their chains as they are.

use std::fs;
use std::sync::Arc;

use rusqlite::params;
use rusqlite::types::Value;

use crate::audit::{Finding, Terms};
use crate::chain::Row;
use crate::chain_number::ChainNumber;
use crate::event::Operator;
use crate::ledger::{Ledger, LedgerEntry};
use crate::log::{Log, LogFault};
use crate::prune::digests_in;
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::signing::PublicKey;
use crate::state_dir::{StateDir, StateDirError, StateKey};
use crate::store::{NewRow, Patience, Store, StoreError, doing, each_row};

/// What came of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Imported {
    /// It is here now.
    New(Added),
    /// What it has more than the one here was added.
    Extended(Added),
    /// It was here already, with all that it has there.
    AlreadyHere,
    /// It was removed here.
    Pruned,
    /// A live process has it, there or here.
    Live,
    /// There is a run of that id here whose log is another one.
    Other,
    /// It isn't as it was written.
    Unsound(Finding),
}

/// What was taken over of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// How many events.
    pub events: u64,
    /// The run isn't over and would hold this group, but another run here does: it can be gone on with after that one.
    pub behind: Option<Behind>,
}

/// A group that another run holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The group.
    pub group: String,
    /// The run that holds it.
    pub holder: RunId,
}

impl Imported {
    /// Whether all that the other directory has of it is here now, or was to be removed.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !matches!(
            self,
            Imported::Live | Imported::Other | Imported::Unsound(_)
        )
    }
}

/// Nothing more can be taken over. Runs before this were.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A database can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A state directory can't.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The record can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A log isn't one.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// Both are the same.
    #[error("that is this state directory itself")]
    Itself,
    /// The other ledger isn't as it was written.
    #[error("the other directory's record is not as it was written: {0}")]
    Unsound(Finding),
}

/// Takes over all runs of another state directory, each all or nothing. `now` is in milliseconds since the epoch.
/// Nothing is changed there, beside what shows whether a live process has a run.
///
/// # Errors
///
/// When something can't be read or written, or the other ledger isn't sound.
pub fn import(
    state: &StateDir,
    from: &StateDir,
    by: &Operator,
    now: u64,
) -> Result<Vec<(RunId, Imported)>, ImportError> {
    let canonical = |path| fs::canonicalize(path).ok();
    if canonical(state.path()) == canonical(from.path()) {
        return Err(ImportError::Itself);
    }
    let there = Reader::open_existing(from)?;
    let their_key = from.existing_signing_key()?.public();
    let terms = Terms {
        key: their_key,
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    };
    let findings = there.audit(&terms)?.findings;
    if let Some(finding) = findings
        .iter()
        .find(|finding| finding.place.run().is_none())
    {
        return Err(ImportError::Unsound(finding.clone()));
    }
    let mut importer = Importer {
        state,
        from,
        store: Store::open(&state.journal_path())?,
        ledger: Ledger::new(Arc::new(state.signing_key()?)),
        there: &there,
        their_key,
        by,
        now,
    };
    let mut all = Vec::new();
    for run in there.chains()?.iter().filter_map(|name| name.parse().ok()) {
        let found = findings
            .iter()
            .find(|finding| finding.place.run() == Some(run));
        let imported = match found {
            Some(finding) => Imported::Unsound(finding.clone()),
            None => importer.run(run)?,
        };
        all.push((run, imported));
    }
    importer.store.empty_log()?;
    Ok(all)
}

struct Importer<'a> {
    state: &'a StateDir,
    from: &'a StateDir,
    store: Store,
    ledger: Ledger,
    there: &'a Reader,
    their_key: PublicKey,
    by: &'a Operator,
    now: u64,
}

/// A run as the other directory has it.
struct Theirs {
    run: RunId,
    rows: Vec<Row>,
    is_over: bool,
    /// The group that it holds until it is over.
    group: Option<String>,
    /// The key of its keyed digests.
    key: StateKey,
}

impl Importer<'_> {
    fn run(&mut self, run: RunId) -> Result<Imported, ImportError> {
        // Ours keeps what is put from being swept until it is named.
        let (Some(_theirs), Some(_ours)) = (self.from.lock_run(run)?, self.state.lock_run(run)?)
        else {
            return Ok(Imported::Live);
        };
        let theirs = self.read(run)?;
        if theirs.rows.is_empty() {
            return Ok(Imported::Pruned);
        }
        for digest in theirs.rows.iter().flat_map(|row| digests_in(&row.body)) {
            // Not all that reads like a digest is a content's.
            match self.from.blob(&digest) {
                Ok(bytes) => drop(self.state.put_blob(&bytes)?),
                Err(StateDirError::NoBlob { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.store.begin(Patience::Long)?;
        match self.write(&theirs) {
            Ok(imported) => {
                self.store.commit()?;
                Ok(imported)
            }
            Err(error) => {
                self.store.roll_back();
                Err(error)
            }
        }
    }

    fn read(&self, run: RunId) -> Result<Theirs, ImportError> {
        let mut rows = Vec::new();
        let mut log = Log::new(run);
        each_row(
            self.there.connection(),
            run.as_str(),
            0,
            |row| -> Result<(), ImportError> {
                log.follow(row.clone())?;
                rows.push(row);
                Ok(())
            },
        )?;
        Ok(Theirs {
            run,
            rows,
            is_over: log.state.finish().is_some(),
            group: log.state.facts().and_then(|facts| facts.group.clone()),
            key: self.there.key_of(run)?,
        })
    }

    fn write(&mut self, theirs: &Theirs) -> Result<Imported, ImportError> {
        let connection = self.store.connection();
        let name = theirs.run.as_str();
        let mut ours = Vec::new();
        each_row(connection, name, 0, |row| -> Result<(), StoreError> {
            ours.push(row);
            Ok(())
        })?;
        let number = match ChainNumber::find(connection, name)? {
            Some(_) if ours.is_empty() => return Ok(Imported::Pruned),
            Some(number) => number,
            None => ChainNumber::begin(connection, name, theirs.rows[0].time)?,
        };
        if ours
            .iter()
            .zip(&theirs.rows)
            .any(|(our, their)| our != their)
        {
            return Ok(Imported::Other);
        }
        if ours.len() >= theirs.rows.len() {
            return Ok(Imported::AlreadyHere);
        }
        for row in &theirs.rows[ours.len()..] {
            self.store.insert(number, new_row(row))?;
        }
        self.contents(theirs, number)?;
        if theirs.is_over {
            self.store.erase(number)?;
        }
        let behind = self.settle_group(theirs, number)?;
        if theirs.key != *self.state.key() {
            connection
                .execute(
                    "INSERT OR REPLACE INTO foreign_keys (chain, key) VALUES (?1, ?2)",
                    params![number.get(), theirs.key.bytes()],
                )
                .map_err(doing("keep a run's key"))?;
        }
        self.ledger.catch_up(&self.store)?;
        let last = &theirs.rows[theirs.rows.len() - 1];
        let entry = LedgerEntry::RunImported {
            id: theirs.run,
            first: theirs.rows[0].hash,
            seq: last.seq,
            hash: last.hash,
            from: self.their_key,
            by: self.by.clone(),
            key: self.ledger.key(),
            signature: None,
        };
        self.ledger.enter(&self.store, entry, self.now)?;
        let added = Added {
            events: (theirs.rows.len() - ours.len()) as u64,
            behind,
        };
        Ok(if ours.is_empty() {
            Imported::New(added)
        } else {
            Imported::Extended(added)
        })
    }

    /// Has the run hold its group, or nothing, as its log now has it; tells of another run that holds it.
    fn settle_group(
        &self,
        theirs: &Theirs,
        number: ChainNumber,
    ) -> Result<Option<Behind>, StoreError> {
        self.store.release(number)?;
        let Some(group) = theirs.group.as_ref().filter(|_| !theirs.is_over) else {
            return Ok(None);
        };
        if let Some(holder) = self.store.holder_to_wait_for(group)? {
            let group = group.clone();
            return Ok(Some(Behind { group, holder }));
        }
        self.store.hold(group, number)?;
        Ok(None)
    }

    /// Takes over what lies outside the chain; what is sensitive only while the run goes on.
    fn contents(&self, theirs: &Theirs, number: ChainNumber) -> Result<(), StoreError> {
        let there = self.there.connection();
        let Some(their_number) = ChainNumber::find(there, theirs.run.as_str())? else {
            return Ok(());
        };
        let sql = "SELECT digest, until_run_end, bytes FROM contents
                   WHERE chain = ?1 AND NOT (until_run_end AND ?2)";
        let mut statement = there.prepare_cached(sql).map_err(doing("be read"))?;
        let mut rows = statement
            .query(params![their_number.get(), theirs.is_over])
            .map_err(doing("be read"))?;
        let sql = "INSERT OR IGNORE INTO contents (chain, digest, until_run_end, bytes) VALUES (?1, ?2, ?3, ?4)";
        while let Some(row) = rows.next().map_err(doing("be read"))? {
            let column = |column| row.get::<_, Value>(column).map_err(doing("be read"));
            let values = params![number.get(), column(0)?, column(1)?, column(2)?];
            self.store
                .connection()
                .execute(sql, values)
                .map_err(doing("keep a content"))?;
        }
        Ok(())
    }
}

fn new_row(row: &Row) -> NewRow<'_> {
    NewRow {
        seq: row.seq,
        time: row.time,
        kind: &row.kind,
        version: row.version,
        body: &row.body,
        hash: row.hash,
    }
}

#[cfg(test)]
mod tests;
