//! The look itself: rows in, findings out. Where the rows come from it doesn't know.

use std::collections::{BTreeMap, HashSet};

use super::finding::{Fault, Finding, Place};
use super::head::SignedHead;
use super::ledger::LedgerCheck;
use super::run::RunCheck;
use super::{AnchorText, Audit, Terms, Vouched, Voucher};
use crate::chain::Row;
use crate::digest::Digest;
use crate::run_id::RunId;
use crate::signing::PublicKey;

/// A record as it is looked at: first the ledger, then one run after the other.
pub(super) struct Checker<'a> {
    terms: &'a Terms,
    keys: Vec<PublicKey>,
    ledger: LedgerCheck,
    /// What anchors have of the ledger's entries.
    anchored: BTreeMap<u64, Vec<Anchored>>,
    vouched: Vec<Vouched>,
    /// What is signed by keys that nobody has named.
    strange: Vec<(Place, PublicKey)>,
    current: Option<RunCheck>,
    last: Option<RunId>,
    seen: HashSet<RunId>,
    audit: Audit,
}

/// A head that lies elsewhere.
struct Anchored {
    place: Place,
    hash: Digest,
    key: PublicKey,
    /// None for the head that an export carries itself, which vouches for no more than its signature does.
    by: Option<Voucher>,
    /// It is of a key that may belong to another ledger.
    may_be_foreign: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(terms: &'a Terms) -> Checker<'a> {
        let mut keys = vec![terms.key];
        keys.extend(&terms.others);
        let mut checker = Checker {
            terms,
            keys,
            ledger: LedgerCheck::new(),
            anchored: BTreeMap::new(),
            vouched: Vec::new(),
            strange: Vec::new(),
            current: None,
            last: None,
            seen: HashSet::new(),
            audit: Audit {
                entries: 0,
                runs: Vec::new(),
                pruned: 0,
                vouched: Vec::new(),
                findings: Vec::new(),
                remarks: Vec::new(),
            },
        };
        for anchor in &terms.anchors {
            match &anchor.text {
                Ok(text) => checker.anchor(anchor, text),
                Err(why) => {
                    let why = why.clone();
                    checker.find(anchor.place(None), Fault::UnreadableAnchor { why });
                }
            }
        }
        checker
    }

    /// Expects of the ledger what an anchor has.
    fn anchor(&mut self, anchor: &AnchorText, text: &str) {
        let mut has = 0;
        let lines = (1..).zip(text.lines());
        for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            let place = anchor.place(Some(line));
            match SignedHead::parse(text) {
                Some(head) => {
                    has = head.seq.max(has);
                    let (name, time) = (anchor.name.clone(), head.time);
                    self.expect(place, &head, Some(Voucher::Anchor { name, time }));
                }
                None => self.find(place, Fault::NotALine),
            }
        }
        let sent = anchor.sent;
        if has < sent {
            self.find(anchor.place(None), Fault::AnchorCut { has, sent });
        }
    }

    /// Whether a key may have signed. It is no fault yet: the ledger may know it as that of another directory.
    pub(super) fn refuse_strange(&mut self, place: Place, key: PublicKey) -> bool {
        let is_strange = !self.keys.contains(&key);
        if is_strange {
            self.strange.push((place, key));
        }
        is_strange
    }

    /// The ledger has to have this head.
    pub(super) fn expect(&mut self, place: Place, head: &SignedHead, by: Option<Voucher>) {
        let key = head.key;
        if self.refuse_strange(place.clone(), key) {
            return;
        }
        let anchored = Anchored {
            place,
            hash: head.hash,
            key,
            by,
            may_be_foreign: key != self.terms.key,
        };
        self.anchored.entry(head.seq).or_default().push(anchored);
    }

    pub(super) fn find(&mut self, place: Place, fault: Fault) {
        self.audit.findings.push(Finding { place, fault });
    }

    /// There is a chain that is no run, or there are events of no chain.
    pub(super) fn stray(&mut self, chain: &str) {
        let chain = chain.to_owned();
        self.find(Place::Database, Fault::Stray { chain });
    }

    /// The ledger's next entry.
    pub(super) fn ledger(&mut self, row: &Row) {
        self.ledger
            .follow(row, &self.keys, &mut self.audit.findings);
        for anchored in self.anchored.remove(&row.seq).unwrap_or_default() {
            if anchored.hash == row.hash {
                let to = row.seq;
                match anchored.by {
                    Some(by) => self.vouched.push(Vouched { by, to }),
                    None => self.ledger.signed = Some((to, anchored.key)),
                }
            } else if anchored.may_be_foreign {
                self.passed_over(&anchored.place);
            } else {
                let entry = row.seq;
                self.find(anchored.place, Fault::AnchorDiffers { entry });
            }
        }
    }

    /// A run's events follow.
    pub(super) fn begin(&mut self, run: RunId) {
        self.end();
        self.seen.insert(run);
        self.last = Some(run);
        if self.terms.only.is_none_or(|only| only == run) {
            let claims = self.ledger.claims.get(&run).cloned();
            self.current = Some(RunCheck::new(run, claims));
        }
    }

    /// The number of the ledger's last entry.
    pub(super) fn last_entry(&self) -> u64 {
        self.ledger.last()
    }

    /// Whether any run was begun.
    pub(super) fn has_begun(&self) -> bool {
        self.last.is_some()
    }

    /// Whether this run was begun last.
    pub(super) fn is_at(&self, run: RunId) -> bool {
        self.last == Some(run)
    }

    /// Whether a run was begun before.
    pub(super) fn has_seen(&self, run: RunId) -> bool {
        self.seen.contains(&run)
    }

    /// The next event of the run that was begun.
    pub(super) fn event(&mut self, row: &Row) {
        if let Some(run) = &mut self.current {
            run.follow(row, &mut self.audit.findings);
        }
    }

    /// What it all came to. A part of a record has only `partial` runs of those in its ledger.
    pub(super) fn finish(mut self, partial: Option<&[RunId]>) -> Audit {
        self.end();
        let last = self.ledger.last();
        for (entry, anchored) in std::mem::take(&mut self.anchored) {
            for anchored in anchored {
                if anchored.may_be_foreign {
                    self.passed_over(&anchored.place);
                } else {
                    self.find(anchored.place, Fault::AnchorBeyond { entry, last });
                }
            }
        }
        for (place, key) in std::mem::take(&mut self.strange) {
            let is_anchor = matches!(place, Place::Anchor { .. });
            if is_anchor && self.ledger.imported_from.contains(&key) {
                self.passed_over(&place);
            } else {
                self.find(place, Fault::StrangeKey { key });
            }
        }
        let claims = std::mem::take(&mut self.ledger.claims);
        self.audit.pruned = claims.values().filter(|run| run.pruned.is_some()).count();
        let unseen = claims.into_iter().filter(|(run, _)| {
            let asked = self.terms.only.is_none_or(|only| only == *run);
            asked && !self.seen.contains(run)
        });
        let mut left_out = 0;
        for (run, claims) in unseen {
            if partial.is_some_and(|runs| !runs.contains(&run)) {
                left_out += 1;
            } else {
                // Nothing is there of it.
                RunCheck::new(run, Some(claims)).finish(&mut self.audit.findings);
            }
        }
        if left_out > 0 {
            self.audit.remarks.push(match left_out {
                1 => "1 other run of the ledger is not in this export, and was not looked at".to_owned(),
                _ => format!(
                    "{left_out} other runs of the ledger are not in this export, and were not looked at"
                ),
            });
        }
        self.audit.entries = last;
        self.audit.vouched = self.vouchers();
        self.audit
    }

    /// Of each anchor the last head that fits, then the signature; none beyond what is sound.
    fn vouchers(&self) -> Vec<Vouched> {
        let mut vouched: Vec<Vouched> = Vec::new();
        for anchored in self.vouched.iter().rev() {
            let is_same = |other: &Vouched| match (&other.by, &anchored.by) {
                (Voucher::Anchor { name, .. }, Voucher::Anchor { name: same, .. }) => name == same,
                _ => false,
            };
            if anchored.to <= self.ledger.sound_to && !vouched.iter().any(is_same) {
                vouched.push(anchored.clone());
            }
        }
        if let Some((to, key)) = self.ledger.signed {
            let to = to.min(self.ledger.sound_to);
            let by = Voucher::Signature { key };
            vouched.extend((to > 0).then_some(Vouched { by, to }));
        }
        vouched
    }

    fn passed_over(&mut self, place: &Place) {
        self.audit.remarks.push(format!(
            "{place} was passed over: it is about another ledger, whose key is known"
        ));
    }

    fn end(&mut self) {
        if let Some(run) = self.current.take() {
            self.audit.runs.extend(run.finish(&mut self.audit.findings));
        }
    }
}
