//! The ledger as it is followed, and what it says of each run.

use std::collections::{BTreeMap, HashSet};

use super::finding::{Fault, Finding, Place};
use crate::chain::{Broken, Chain, Head, Row};
use crate::digest::Digest;
use crate::ledger::{LEDGER, LedgerEntry, Signed};
use crate::run_id::RunId;
use crate::signing::PublicKey;

/// What the ledger says of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    /// The hash of its first event, and the entry that says so.
    pub(super) first: Option<(Digest, u64)>,
    /// Its heads, each with the entry that has it.
    pub(super) heads: Vec<(Head, u64)>,
    /// The entry by which it was pruned.
    pub(super) pruned: Option<u64>,
}

/// The ledger up to some entry.
#[derive(Debug)]
pub(super) struct LedgerCheck {
    chain: Chain,
    pub(super) claims: BTreeMap<RunId, Claims>,
    /// The last entry that is signed by a key that may, and that key.
    pub(super) signed: Option<(u64, PublicKey)>,
    /// The keys of directories that runs were imported from, by entries that are signed as they should.
    pub(super) imported_from: HashSet<PublicKey>,
    /// The last entry before which nothing is wrong.
    pub(super) sound_to: u64,
    is_sound: bool,
}

impl LedgerCheck {
    pub(super) fn new() -> LedgerCheck {
        LedgerCheck {
            chain: Chain::new(LEDGER),
            claims: BTreeMap::new(),
            signed: None,
            imported_from: HashSet::new(),
            sound_to: 0,
            is_sound: true,
        }
    }

    /// The number of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.chain.head().seq
    }

    /// Follows the ledger by an entry, signed by one of `keys` where it has to be.
    pub(super) fn follow(&mut self, row: &Row, keys: &[PublicKey], findings: &mut Vec<Finding>) {
        let before = findings.len();
        let previous = self.chain.head();
        let link = follow(&mut self.chain, row);
        let mut find = |entry: u64, fault: Fault| {
            findings.push(Finding {
                place: Place::Ledger { entry: Some(entry) },
                fault,
            });
        };
        if let Err((entry, fault)) = &link {
            find(*entry, fault.clone());
        }
        match LedgerEntry::decode(row.version, &row.body) {
            None => find(row.seq, Fault::Unreadable),
            Some(entry) => {
                // Without the entry before it, a signature can't be checked.
                let signed = link
                    .is_ok()
                    .then(|| entry.signed(&previous.hash, row.seq, row.time));
                match signed {
                    Some(Signed::By(key)) if keys.contains(&key) => {
                        self.signed = Some((row.seq, key));
                        if let LedgerEntry::RunImported { from, .. } = &entry {
                            self.imported_from.insert(*from);
                        }
                    }
                    Some(Signed::By(key)) => find(row.seq, Fault::StrangeKey { key }),
                    Some(Signed::Wrongly) => find(row.seq, Fault::WronglySigned),
                    Some(Signed::NotNeeded) | None => {}
                }
                if self.claim(&entry, row.seq) {
                    let run = entry.run();
                    find(row.seq, Fault::SecondBeginning { run });
                }
            }
        }
        self.is_sound &= findings.len() == before;
        if self.is_sound {
            self.sound_to = row.seq;
        }
    }

    /// Takes in what an entry says; says whether it has a run begin a second time.
    fn claim(&mut self, entry: &LedgerEntry, seq: u64) -> bool {
        let claims = self.claims.entry(entry.run()).or_default();
        let mut again = false;
        match *entry {
            LedgerEntry::RunOpened { first, .. } => {
                again = claims.first.replace((first, seq)).is_some();
            }
            LedgerEntry::RunClosed {
                seq: last, hash, ..
            } => claims.heads.push((Head { seq: last, hash }, seq)),
            LedgerEntry::RunPruned { .. } => claims.pruned = Some(seq),
            LedgerEntry::RunImported {
                first,
                seq: last,
                hash,
                ..
            } => {
                let (known, _) = *claims.first.get_or_insert((first, seq));
                again = known != first;
                claims.heads.push((Head { seq: last, hash }, seq));
            }
        }
        again
    }
}

/// Follows a chain by a link; behind one that doesn't follow, goes on from what is stored.
pub(super) fn follow(chain: &mut Chain, row: &Row) -> Result<(), (u64, Fault)> {
    let Err(broken) = chain.follow(row) else {
        return Ok(());
    };
    let stored = Head {
        seq: row.seq,
        hash: row.hash,
    };
    chain.resume_at(stored);
    Err(match broken {
        Broken::Gap { expected, found } if found > expected => {
            let to = (found - 1 > expected).then_some(found - 1);
            (expected, Fault::Missing { to })
        }
        Broken::Gap { found, .. } => (found, Fault::OutOfOrder),
        Broken::Altered { seq } => (seq, Fault::Altered),
    })
}
