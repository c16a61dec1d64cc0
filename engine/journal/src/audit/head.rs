//! A signed head of the ledger, as it is sent elsewhere.

use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::digest::Digest;
use crate::run_id::RunId;
use crate::signing::{PublicKey, Signature, SigningKey};

/// How far the ledger goes, signed. It vouches for all that is before it, wherever it lies.
///
/// Its text is one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    kind: Kind,
    version: u32,
    /// The number of the ledger's last entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// The run at whose end it was made.
    pub run: Option<RunId>,
    /// When it was made, in milliseconds since the epoch.
    pub time: u64,
    /// The key that checks the signature.
    pub key: PublicKey,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "sandbook_ledger_head")]
    LedgerHead,
}

/// The version of the lines that are written, and the newest that are read.
const VERSION: u32 = 1;

impl SignedHead {
    /// Signs a head.
    pub(crate) fn sign(key: &SigningKey, head: Head, run: Option<RunId>, time: u64) -> SignedHead {
        let Head { seq, hash } = head;
        SignedHead {
            kind: Kind::LedgerHead,
            version: VERSION,
            seq,
            hash,
            run,
            time,
            key: key.public(),
            signature: key.sign(&text_to_sign(seq, &hash, run, time)),
        }
    }

    /// The head as one line of JSON, without a line end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("invariant: a head is made of texts and numbers")
    }

    /// Reads a line; nothing when it isn't one of this version that its key has signed.
    pub(crate) fn parse(line: &str) -> Option<SignedHead> {
        let head: SignedHead = serde_json::from_str(line).ok()?;
        head.is_signed().then_some(head)
    }

    pub(crate) fn is_signed(&self) -> bool {
        let text = text_to_sign(self.seq, &self.hash, self.run, self.time);
        self.version == VERSION && self.key.has_signed(&text, &self.signature)
    }
}

fn text_to_sign(seq: u64, hash: &Digest, run: Option<RunId>, time: u64) -> String {
    let run = run.as_ref().map_or("-", RunId::as_str);
    format!("sandbook ledger head 1\n{seq}\n{hash}\n{run}\n{time}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_line_that_nobody_else_can_write() {
        let key = SigningKey::from_seed(&[1; 32]);
        let head = Head {
            seq: 3,
            hash: Digest::of(b"x"),
        };
        let signed = SignedHead::sign(&key, head, None, 5);
        let line = signed.line();
        assert!(!line.contains('\n'));
        assert_eq!(SignedHead::parse(&line), Some(signed));
        assert_eq!(
            SignedHead::parse(&line.replace("\"seq\":3", "\"seq\":4")),
            None
        );
        assert_eq!(
            SignedHead::parse(&line.replace("\"version\":1", "\"version\":2")),
            None
        );
    }
}
