//! Looking whether the record is what was written: chains, folds, signatures, and heads that lie elsewhere.
//!
//! What is wrong is never an error of the look: it becomes a [`Finding`], and the look goes on behind it.

mod checker;
mod contents;
mod export;
mod exported;
mod finding;
mod head;
mod ledger;
mod run;

use self::checker::Checker;
pub use self::export::Exporting;
pub use self::exported::{NotAnExport, audit_export};
pub use self::finding::{Fault, Finding, Place};
pub use self::head::SignedHead;
use crate::ledger::LEDGER;
use crate::reader::{ReadError, Reader};
use crate::run_id::RunId;
use crate::signing::PublicKey;
use crate::store::{doing, each_row};

/// Against what a record is held.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The key that signs the ledger.
    pub key: PublicKey,
    /// Other keys that may sign as well: one that was replaced, or another directory's at the same anchor.
    pub others: Vec<PublicKey>,
    /// What was sent elsewhere.
    pub anchors: Vec<AnchorText>,
    /// The only run that is looked at, beside the ledger.
    pub only: Option<RunId>,
}

/// What an anchor has got: [`SignedHead`]s, a line each.
#[derive(Debug, Clone)]
pub struct AnchorText {
    /// How the anchor is called.
    pub name: String,
    /// Its lines, or why they can't be read.
    pub text: Result<String, String>,
    /// The last entry of the ledger that it was sent a head of, as far as that is known here; 0 for none.
    pub sent: u64,
}

impl AnchorText {
    fn place(&self, line: Option<usize>) -> Place {
        let name = self.name.clone();
        Place::Anchor { name, line }
    }
}

/// What a look at a record came to.
#[derive(Debug, Clone)]
pub struct Audit {
    /// How many entries the ledger has.
    pub entries: u64,
    /// The runs that were looked at, in the order of the record.
    pub runs: Vec<AuditedRun>,
    /// How many runs were pruned.
    pub pruned: usize,
    /// What vouches for the ledger up to where, the strongest first.
    pub vouched: Vec<Vouched>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What isn't wrong, but should be known.
    pub remarks: Vec<String>,
}

/// A run that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedRun {
    /// Its id.
    pub id: RunId,
    /// How many events it has.
    pub events: u64,
    /// The last of its events that a head in the ledger vouches for, and that head's entry.
    pub head: Option<(u64, u64)>,
}

/// Something that vouches for the beginning of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// What it is.
    pub by: Voucher,
    /// The last entry that it vouches for.
    pub to: u64,
}

/// What can vouch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voucher {
    /// A head lies elsewhere: nobody who can't get there can have changed what is before it.
    Anchor {
        /// The anchor.
        name: String,
        /// When the head was made, in milliseconds since the epoch.
        time: u64,
    },
    /// A signature: nobody without the key can have changed what is before it.
    Signature {
        /// The key that checks it.
        key: PublicKey,
    },
}

impl Reader {
    /// Looks at the whole record, or at one run and the ledger.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub fn audit(&self, terms: &Terms) -> Result<Audit, ReadError> {
        let connection = self.connection();
        // What is written meanwhile is left out as a whole.
        let _snapshot = connection
            .unchecked_transaction()
            .map_err(doing("be read"))?;
        let mut checker = Checker::new(terms);
        each_row(connection, LEDGER, 0, |row| -> Result<(), ReadError> {
            checker.ledger(&row);
            Ok(())
        })?;
        for chain in self.chains()? {
            let Ok(run) = chain.parse() else {
                checker.stray(&chain);
                continue;
            };
            checker.begin(run);
            each_row(connection, &chain, 0, |row| -> Result<(), ReadError> {
                checker.event(&row);
                Ok(())
            })?;
        }
        if self.has_stray_events()? {
            checker.stray("");
        }
        Ok(checker.finish(None))
    }

    /// The names of the runs' chains, in the order in which they began.
    pub(crate) fn chains(&self) -> Result<Vec<String>, ReadError> {
        let sql = "SELECT name FROM chains WHERE number <> 0 ORDER BY number";
        let mut statement = self.connection().prepare(sql).map_err(doing("be read"))?;
        let names = statement
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(doing("be read"))?;
        Ok(names)
    }

    fn has_stray_events(&self) -> Result<bool, ReadError> {
        // Numbers in a chain begin at 1.
        let sql = "SELECT EXISTS (SELECT 1 FROM events
                   WHERE id & 4294967295 = 0 OR id >> 32 NOT IN (SELECT number FROM chains))";
        let found = self
            .connection()
            .query_row(sql, [], |row| row.get(0))
            .map_err(doing("be read"))?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
