//! The ledger: a chain over all runs, which holds where each one's own chain begins.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::run_id::RunId;

/// The ledger's name among the chains. No run has it: it is too short.
pub const LEDGER: &str = "ledger";

/// The version of the entries that are written, and the newest that are read.
pub(crate) const LEDGER_VERSION: u32 = 1;

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum LedgerEntry {
    /// A run began.
    RunOpened {
        /// Its id.
        id: RunId,
        /// The hash of its first event.
        first: Digest,
    },
}

impl LedgerEntry {
    pub(crate) fn encode(&self) -> String {
        serde_json::to_string(self).expect("invariant: a ledger entry is made of texts")
    }
}
