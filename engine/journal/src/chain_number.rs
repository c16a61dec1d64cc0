//! Where a chain's events lie in the table: its number, and their place in it, are one key.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::{StoreError, doing, signed, unsigned};

/// How many bits of an event's key are its place in its chain.
const SEQ_BITS: u32 = 32;

/// The number of a chain among those of its database: 0 for the ledger, then rising with each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainNumber(i64);

impl ChainNumber {
    /// That of the ledger, which is there from the beginning.
    pub(crate) const LEDGER: ChainNumber = ChainNumber(0);

    /// The number of the chain of this name, if it was begun.
    pub(crate) fn find(
        connection: &Connection,
        name: &str,
    ) -> Result<Option<ChainNumber>, StoreError> {
        let mut statement = connection
            .prepare_cached("SELECT number FROM chains WHERE name = ?1")
            .map_err(doing("be read"))?;
        let number = statement.query_row([name], |row| row.get(0).map(ChainNumber));
        number.optional().map_err(doing("be read"))
    }

    /// The number of a chain that begins at this time.
    pub(crate) fn begin(
        connection: &Connection,
        name: &str,
        time: u64,
    ) -> Result<ChainNumber, StoreError> {
        let mut statement = connection
            .prepare_cached("INSERT INTO chains (name, begun) VALUES (?1, ?2) RETURNING number")
            .map_err(doing("begin a chain"))?;
        statement
            .query_row(params![name, signed(time)], |row| {
                row.get(0).map(ChainNumber)
            })
            .map_err(doing("begin a chain"))
    }

    /// The key of the chain's event number `seq`. No run has more than 2^32 of them.
    pub(crate) fn key(self, seq: u64) -> i64 {
        let largest = (1 << SEQ_BITS) - 1;
        (self.0 << SEQ_BITS) | i64::try_from(seq.min(largest)).unwrap_or(0)
    }

    /// The place in its chain of the event with this key.
    pub(crate) fn seq(key: i64) -> u64 {
        unsigned(key & ((1 << SEQ_BITS) - 1))
    }

    /// The key after which all others are those of later chains.
    pub(crate) fn last_key(self) -> i64 {
        self.key(u64::MAX)
    }

    /// The number as the database has it.
    pub(crate) fn get(self) -> i64 {
        self.0
    }
}
