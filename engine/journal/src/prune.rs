//! Removing whole finished runs. The ledger stays, and says what was removed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Finding, Terms};
use crate::chain_number::ChainNumber;
use crate::digest::Digest;
use crate::ledger::{Ledger, LedgerEntry};
use crate::log::{Log, LogFault};
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::state_dir::{StateDir, StateDirError};
use crate::store::{Patience, Store, StoreError, doing, each_row};

/// How often it is tried to be alone with the contents, and how long is waited in between.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(50);

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// How many runs.
    pub runs: usize,
    /// How many contents by digest that no run names any more; nothing when runs kept starting meanwhile, so that they
    /// are left for the next time.
    pub contents: Option<usize>,
}

/// A run was not removed. Those before it were.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The database can't.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state directory can't.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The record can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its log isn't one.
    #[error(transparent)]
    Log(#[from] LogFault),
    /// It isn't over.
    #[error("run `{run}` is not over")]
    NotOver {
        /// The run.
        run: RunId,
    },
    /// A live process has it.
    #[error("run `{run}` goes on in another process")]
    Live {
        /// The run.
        run: RunId,
    },
    /// To remove it would hide that it was tampered with.
    #[error("the record of run `{}` is not as it was written", .0.place.run().map_or("?".to_owned(), |run| run.to_string()))]
    Unsound(Finding),
}

/// Removes finished runs with all that belongs to them, each all or nothing; then the contents by digest that no run
/// names any more. `now` is in milliseconds since the epoch.
///
/// # Errors
///
/// When one isn't over, is in use, or isn't sound; or something can't be read or written.
pub fn prune(state: &StateDir, runs: &[RunId], now: u64) -> Result<Pruned, PruneError> {
    let key = state.signing_key()?;
    let terms = Terms {
        key: key.public(),
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    };
    let audit = Reader::open(state)?.audit(&terms)?;
    let is_meant = |finding: &Finding| finding.place.run().is_some_and(|run| runs.contains(&run));
    if let Some(finding) = audit.findings.into_iter().find(is_meant) {
        return Err(PruneError::Unsound(finding));
    }
    let store = Store::open(&state.journal_path())?;
    let mut ledger = Ledger::new(Arc::new(key));
    for &run in runs {
        let mut lock = state.lock_run(run)?.ok_or(PruneError::Live { run })?;
        lock.is_recorded();
        store.begin(Patience::Long)?;
        if let Err(error) = remove(&store, &mut ledger, run, now) {
            store.roll_back();
            return Err(error);
        }
        store.commit()?;
    }
    store.empty_log()?;
    Ok(Pruned {
        runs: runs.len(),
        contents: sweep(state, &store)?,
    })
}

fn remove(store: &Store, ledger: &mut Ledger, run: RunId, now: u64) -> Result<(), PruneError> {
    let connection = store.connection();
    let mut log = Log::new(run);
    each_row(
        connection,
        run.as_str(),
        0,
        |row| -> Result<(), PruneError> {
            log.follow(row)?;
            Ok(())
        },
    )?;
    let number = ChainNumber::find(connection, run.as_str())?;
    let (Some(number), true) = (number, log.state.finish().is_some()) else {
        return Err(PruneError::NotOver { run });
    };
    // The chain's own row stays, so that neither its number nor its name is given to another run.
    let removing = doing("remove a run");
    connection
        .execute(
            "DELETE FROM events WHERE id BETWEEN ?1 AND ?2",
            [number.key(0), number.last_key()],
        )
        .and_then(|_| connection.execute("DELETE FROM contents WHERE chain = ?1", [number.get()]))
        .and_then(|_| {
            connection.execute("DELETE FROM foreign_keys WHERE chain = ?1", [number.get()])
        })
        .map_err(removing)?;
    ledger.catch_up(store)?;
    let head = log.chain.head();
    let entry = LedgerEntry::RunPruned {
        id: run,
        seq: head.seq,
        hash: head.hash,
        key: ledger.key(),
        signature: None,
    };
    ledger.enter(store, entry, now)?;
    Ok(())
}

fn sweep(state: &StateDir, store: &Store) -> Result<Option<usize>, PruneError> {
    for _ in 0..TRIES {
        if let Some(alone) = state.sweeping()? {
            // Only now: what was put before is named by now, or nobody's.
            let named = named(store)?;
            return Ok(Some(state.sweep(&named, &alone)?));
        }
        std::thread::sleep(BETWEEN);
    }
    Ok(None)
}

/// All digests that stand in an event, whatever for: rather too many than one too few.
fn named(store: &Store) -> Result<HashSet<Digest>, StoreError> {
    let sql = "SELECT body FROM events WHERE id >> 32 <> 0";
    let mut statement = store.connection().prepare(sql).map_err(doing("be read"))?;
    let mut rows = statement.query([]).map_err(doing("be read"))?;
    let mut named = HashSet::new();
    while let Some(row) = rows.next().map_err(doing("be read"))? {
        let body = row.get_ref(0).map_err(doing("be read"))?;
        named.extend(digests_in(body.as_str().unwrap_or_default()));
    }
    Ok(named)
}

/// The digests that a text names.
pub(crate) fn digests_in(text: &str) -> impl Iterator<Item = Digest> {
    const LENGTH: usize = "sha256:".len() + 64;
    text.match_indices("sha256:")
        .filter_map(move |(at, _)| text.get(at..at + LENGTH)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::FinalStatus;
    use crate::samples::{Place, finished, id, noted, started_with};

    fn run_of(place: &Place, run: &str, text: &[u8], over: bool) -> RunId {
        let digest = place.state.put_blob(text).unwrap();
        let mut events = vec![started_with(&[], |facts| facts.runbook.digest = digest).into()];
        if over {
            events.push(finished(FinalStatus::Succeeded).into());
        }
        let journal = place.journal();
        journal.append_blocking(id(run), events).unwrap();
        id(run)
    }

    fn audit(place: &Place) -> crate::audit::Audit {
        let terms = Terms {
            key: place.state.signing_key().unwrap().public(),
            others: Vec::new(),
            anchors: Vec::new(),
            only: None,
        };
        Reader::open(&place.state).unwrap().audit(&terms).unwrap()
    }

    #[test]
    fn a_run_goes_with_what_only_it_names_and_the_ledger_says_so() {
        let place = Place::new();
        let old = run_of(&place, "aaaaaaaaaaaa", b"old", true);
        let kept = run_of(&place, "bbbbbbbbbbbb", b"kept", false);
        let pruned = prune(&place.state, &[old], 99).unwrap();
        assert_eq!(
            pruned,
            Pruned {
                runs: 1,
                contents: Some(1)
            }
        );
        let reader = Reader::open(&place.state).unwrap();
        assert!(reader.resolve(old.as_str()).is_err());
        assert_eq!(reader.resolve("@last").unwrap(), kept);
        assert_eq!(reader.runs(None).unwrap().len(), 1);
        assert!(place.state.blob(&Digest::of(b"old")).is_err());
        assert_eq!(place.state.blob(&Digest::of(b"kept")).unwrap(), b"kept");
        let audit = audit(&place);
        assert_eq!(audit.findings, []);
        assert_eq!((audit.pruned, audit.entries), (1, 4));
        // Neither its number nor its name comes again.
        let journal = place.journal();
        let noted = journal.append_blocking(old, vec![noted("n").into()]);
        assert!(noted.is_err());
        run_of(&place, "cccccccccccc", b"new", false);
        let numbers: i64 = place
            .database()
            .query_row("SELECT max(number) FROM chains", [], |row| row.get(0))
            .unwrap();
        assert_eq!(numbers, 3);
    }

    #[test]
    fn what_is_not_over_or_not_sound_stays() {
        let place = Place::new();
        let open = run_of(&place, "aaaaaaaaaaaa", b"open", false);
        let bad = run_of(&place, "bbbbbbbbbbbb", b"bad", true);
        let refused = prune(&place.state, &[open], 99).unwrap_err();
        assert!(matches!(refused, PruneError::NotOver { .. }));
        let lock = place.state.lock_run(bad).unwrap();
        let refused = prune(&place.state, &[bad], 99).unwrap_err();
        assert!(matches!(refused, PruneError::Live { .. }));
        drop(lock);
        place
            .database()
            .execute(
                "UPDATE events SET time = 77 WHERE kind = 'run_finished'",
                [],
            )
            .unwrap();
        let refused = prune(&place.state, &[bad], 99).unwrap_err();
        assert!(matches!(refused, PruneError::Unsound(_)), "{refused}");
        assert_eq!(audit(&place).runs.len(), 2);
    }
}
