//! Removing whole finished runs. The ledger stays, and says what was removed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::{Finding, Terms};
use crate::chain_number::ChainNumber;
use crate::digest::Digest;
use crate::event::Operator;
use crate::ledger::{Ledger, LedgerEntry};
use crate::log::{Log, LogFault};
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::state_dir::{StateDir, StateDirError};
use crate::store::{Patience, Store, StoreError, doing, each_row};

/// How often it is tried to be alone with the contents, and how long is waited in between.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(50);

/// What was removed, and what wasn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The runs.
    pub runs: Vec<RunId>,
    /// Those that were to be removed, and weren't.
    pub left: Vec<(RunId, Left)>,
    /// How many contents by digest that no run names any more; nothing when runs kept starting meanwhile, so that they
    /// are left for the next time.
    pub contents: Option<usize>,
}

/// Why a run was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// It isn't over.
    #[error("it is not over")]
    NotOver,
    /// A live process has it.
    #[error("it goes on in another process")]
    Live,
    /// To remove it would hide that it was tampered with.
    #[error("it is not as it was written: {0}")]
    Unsound(Finding),
}

/// Nothing more can be removed. Runs before this were.
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
    /// A log isn't one.
    #[error(transparent)]
    Log(#[from] LogFault),
}

/// Removes finished runs with all that belongs to them, each all or nothing; then the contents by digest that no run
/// names any more. One that can't be removed keeps none of the others. `now` is in milliseconds since the epoch.
///
/// # Errors
///
/// When something can't be read or written.
pub fn prune(
    state: &StateDir,
    runs: &[RunId],
    by: &Operator,
    now: u64,
) -> Result<Pruned, PruneError> {
    let key = state.signing_key()?;
    let terms = Terms {
        key: key.public(),
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    };
    let audit = Reader::open(state)?.audit(&terms)?;
    let findings = audit.findings;
    let store = Store::open(&state.journal_path())?;
    let mut ledger = Ledger::new(Arc::new(key));
    let (mut removed, mut left) = (Vec::new(), Vec::new());
    for &run in runs {
        let wrong = findings
            .iter()
            .find(|finding| finding.place.run() == Some(run));
        if let Some(finding) = wrong {
            left.push((run, Left::Unsound(finding.clone())));
            continue;
        }
        let Some(mut lock) = state.lock_run(run)? else {
            left.push((run, Left::Live));
            continue;
        };
        lock.is_recorded();
        store.begin(Patience::Long)?;
        match remove(&store, &mut ledger, run, by, now) {
            Ok(true) => {
                store.commit()?;
                removed.push(run);
            }
            Ok(false) => {
                store.roll_back();
                left.push((run, Left::NotOver));
            }
            Err(error) => {
                store.roll_back();
                return Err(error);
            }
        }
    }
    store.empty_log()?;
    Ok(Pruned {
        runs: removed,
        left,
        contents: sweep(state, &store)?,
    })
}

/// Removes a run; says no where it isn't over.
fn remove(
    store: &Store,
    ledger: &mut Ledger,
    run: RunId,
    by: &Operator,
    now: u64,
) -> Result<bool, PruneError> {
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
        return Ok(false);
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
    store.release(number)?;
    ledger.catch_up(store)?;
    let head = log.chain.head();
    let entry = LedgerEntry::RunPruned {
        id: run,
        seq: head.seq,
        hash: head.hash,
        by: by.clone(),
        key: ledger.key(),
        signature: None,
    };
    ledger.enter(store, entry, now)?;
    Ok(true)
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
    use crate::samples::{Place, finished, id, noted, operator, started_with};

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
        place.state.put_blob(b"stray").unwrap();
        let swept = prune(&place.state, &[], &operator(), 98).unwrap();
        assert_eq!((swept.runs, swept.contents), (vec![], Some(1)));
        let pruned = prune(&place.state, &[old], &operator(), 99).unwrap();
        assert_eq!(
            pruned,
            Pruned {
                runs: vec![old],
                left: vec![],
                contents: Some(1)
            }
        );
        let body: String = place
            .database()
            .query_row(
                "SELECT body FROM events WHERE kind = 'run_pruned'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert!(body.contains(r#""by":{"uid":1000,"name":"ann"}"#), "{body}");
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
        let good = run_of(&place, "cccccccccccc", b"good", true);
        let prune = |runs: &[RunId]| prune(&place.state, runs, &operator(), 99).unwrap();
        assert_eq!(prune(&[open]).left, [(open, Left::NotOver)]);
        let lock = place.state.lock_run(bad).unwrap();
        assert_eq!(prune(&[bad]).left, [(bad, Left::Live)]);
        drop(lock);
        place
            .database()
            .execute("UPDATE events SET time = 77 WHERE id = (2 << 32) + 2", [])
            .unwrap();
        let pruned = prune(&[open, bad, good]);
        assert_eq!(pruned.runs, [good]);
        let left = &pruned.left;
        assert!(
            matches!(left[..], [(_, Left::NotOver), (_, Left::Unsound(_))]),
            "{left:?}"
        );
        assert_eq!(audit(&place).runs.len(), 2);
    }
}
