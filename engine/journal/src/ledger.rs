//! The ledger: a chain over all runs, which holds where each one's own chain begins, and signed heads of them.
//!
//! Since each entry's hash covers the one before it, a signed entry vouches for the whole ledger up to itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chain::{Chain, Head, write_line};
use crate::chain_number::ChainNumber;
use crate::digest::Digest;
use crate::event::{Event, Operator};
use crate::run_id::RunId;
use crate::signing::{PublicKey, Signature, SigningKey};
use crate::store::{NewRow, Store, StoreError};

/// The ledger's name among the chains. No run has it: it is too short.
pub const LEDGER: &str = "ledger";

/// The version of the entries that are written, and the newest that are read.
const LEDGER_VERSION: u32 = 1;

/// One entry of the ledger. Those with a `signature` are signed, by `key`, when they are entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[expect(
    clippy::enum_variant_names,
    reason = "each is the kind of an entry as it is stored, and not all kinds have to be about runs"
)]
pub(crate) enum LedgerEntry {
    /// A run began.
    RunOpened {
        /// Its id.
        id: RunId,
        /// The hash of its first event.
        first: Digest,
    },
    /// How far a run went when it ended or was left, when a person said something about it, or when something was added
    /// after its end.
    RunClosed {
        /// Its id.
        id: RunId,
        /// The number of its last event.
        seq: u64,
        /// That event's hash.
        hash: Digest,
        key: PublicKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    },
    /// A run's events were removed.
    RunPruned {
        /// Its id.
        id: RunId,
        /// The number of the last event that it had.
        seq: u64,
        /// That event's hash.
        hash: Digest,
        /// Who removed them.
        by: Operator,
        key: PublicKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    },
    /// A run, or what was added to it elsewhere, was taken over from another state directory.
    RunImported {
        /// Its id.
        id: RunId,
        /// The hash of its first event.
        first: Digest,
        /// The number of its last event.
        seq: u64,
        /// That event's hash.
        hash: Digest,
        /// The other directory's key.
        from: PublicKey,
        /// Who took it over.
        by: Operator,
        key: PublicKey,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<Signature>,
    },
}

/// Who has signed an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// Nobody: it is of a sort that isn't.
    NotNeeded,
    /// The other half of this key.
    By(PublicKey),
    /// Nobody, or not as it says.
    Wrongly,
}

impl LedgerEntry {
    /// Reads an entry as it was stored; nothing when it isn't one of this version.
    pub(crate) fn decode(version: u32, body: &str) -> Option<LedgerEntry> {
        let entry: LedgerEntry = serde_json::from_str(body).ok()?;
        // What is signed is the entry as it is written here.
        (version == LEDGER_VERSION && entry.encode() == body).then_some(entry)
    }

    /// The run that it is about.
    pub(crate) fn run(&self) -> RunId {
        match self {
            LedgerEntry::RunOpened { id, .. }
            | LedgerEntry::RunClosed { id, .. }
            | LedgerEntry::RunPruned { id, .. }
            | LedgerEntry::RunImported { id, .. } => *id,
        }
    }

    /// Whether it was signed as an entry with this number and time, after the one with this hash.
    pub(crate) fn signed(&self, previous: &Digest, seq: u64, time: u64) -> Signed {
        let (key, signature) = match self {
            LedgerEntry::RunOpened { .. } => return Signed::NotNeeded,
            LedgerEntry::RunClosed { key, signature, .. }
            | LedgerEntry::RunPruned { key, signature, .. }
            | LedgerEntry::RunImported { key, signature, .. } => (key, signature),
        };
        let text = self.text_to_sign(previous, seq, time);
        match signature {
            Some(signature) if key.has_signed(&text, signature) => Signed::By(*key),
            _ => Signed::Wrongly,
        }
    }

    fn sign(&mut self, key: &SigningKey, previous: &Digest, seq: u64, time: u64) {
        let text = self.text_to_sign(previous, seq, time);
        if let Some(signature) = self.signature() {
            *signature = Some(key.sign(&text));
        }
    }

    /// The previous entry's hash, and the entry's line without its signature.
    fn text_to_sign(&self, previous: &Digest, seq: u64, time: u64) -> String {
        let mut unsigned = self.clone();
        if let Some(signature) = unsigned.signature() {
            *signature = None;
        }
        let mut text = format!("sandbook ledger entry 1\n{previous}\n");
        let body = unsigned.encode();
        write_line(&mut text, LEDGER, seq, time, LEDGER_VERSION, &body);
        text
    }

    fn signature(&mut self) -> Option<&mut Option<Signature>> {
        match self {
            LedgerEntry::RunOpened { .. } => None,
            LedgerEntry::RunClosed { signature, .. }
            | LedgerEntry::RunPruned { signature, .. }
            | LedgerEntry::RunImported { signature, .. } => Some(signature),
        }
    }

    fn encode(&self) -> String {
        serde_json::to_string(self).expect("invariant: a ledger entry is made of texts")
    }
}

/// The end of the ledger, where entries are added.
#[derive(Debug)]
pub(crate) struct Ledger {
    chain: Chain,
    key: Arc<SigningKey>,
}

impl Ledger {
    /// An empty ledger; what is stored of it is still to be caught up with.
    pub(crate) fn new(key: Arc<SigningKey>) -> Ledger {
        Ledger {
            chain: Chain::new(LEDGER),
            key,
        }
    }

    /// Goes to where the stored ledger ends.
    pub(crate) fn catch_up(&mut self, store: &Store) -> Result<(), StoreError> {
        if let Some(head) = store.head(LEDGER)? {
            self.chain = Chain::at(LEDGER, head);
        }
        Ok(())
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> PublicKey {
        self.key.public()
    }

    /// Adds an entry, signed where it is of a sort that is.
    pub(crate) fn enter(
        &mut self,
        store: &Store,
        mut entry: LedgerEntry,
        time: u64,
    ) -> Result<(), StoreError> {
        let Head { seq, hash } = self.chain.head();
        entry.sign(&self.key, &hash, seq + 1, time);
        let body = entry.encode();
        let head = self.chain.extend(time, LEDGER_VERSION, &body);
        let kind = Event::kind_of(&body).expect("invariant: an entry's JSON begins with its kind");
        let row = NewRow {
            seq: head.seq,
            time,
            kind,
            version: LEDGER_VERSION,
            body: &body,
            hash: head.hash,
        };
        store.insert(ChainNumber::LEDGER, row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_place_in_one_ledger() {
        let key = SigningKey::from_seed(&[1; 32]);
        let hash = Digest::of(b"head");
        let mut entry = LedgerEntry::RunClosed {
            id: "aaaaaaaaaaaa".parse().unwrap(),
            seq: 4,
            hash,
            key: key.public(),
            signature: None,
        };
        let previous = Digest::of(b"previous");
        assert_eq!(entry.signed(&previous, 2, 9), Signed::Wrongly);
        entry.sign(&key, &previous, 2, 9);
        assert_eq!(entry.signed(&previous, 2, 9), Signed::By(key.public()));
        assert_eq!(entry.signed(&hash, 2, 9), Signed::Wrongly);
        assert_eq!(entry.signed(&previous, 3, 9), Signed::Wrongly);
        assert_eq!(entry.signed(&previous, 2, 8), Signed::Wrongly);
        let body = entry.encode();
        assert_eq!(LedgerEntry::decode(1, &body).as_ref(), Some(&entry));
        assert_eq!(LedgerEntry::decode(2, &body), None);
        assert_eq!(LedgerEntry::decode(1, &body.replace(",", ", ")), None);
    }
}
