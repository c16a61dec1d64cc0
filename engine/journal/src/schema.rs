//! The database's form: what marks it as a journal, its version, its tables.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::{StoreError, doing};

/// Marks the file as a journal: "Sbjl".
const APPLICATION_ID: i32 = 0x5362_6a6c;

/// The version of the tables.
const SCHEMA_VERSION: i32 = 1;

/// A chain is a run's, or the ledger, which has number 0. An event's `id` is its chain's number and its place in
/// the chain in one, so that they are unique together, and so that an append goes to the end of the table's tree:
/// it writes one page where a key that begins with a run's random id would write three.
///
/// The view is for people who look at the database with other tools.
const TABLES: &str = "
CREATE TABLE chains (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    begun INTEGER NOT NULL
) STRICT;
INSERT INTO chains VALUES (0, 'ledger', 0);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE VIEW log AS
    SELECT name AS run, id & 4294967295 AS seq, time, kind, version, body, hash
    FROM events JOIN chains ON number = id >> 32;
CREATE TABLE contents (
    chain INTEGER NOT NULL REFERENCES chains,
    digest BLOB NOT NULL,
    until_run_end INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (chain, digest)
) STRICT;
";

/// Makes the tables where there are none, and refuses a database that isn't a journal of this version.
pub(crate) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if check(connection, path)? == Found::Journal {
        return Ok(());
    }
    // Another process may be at it as well: look again with the lock held.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(doing("make its tables"))?;
    if check(&transaction, path)? == Found::Nothing {
        transaction
            .execute_batch(TABLES)
            .map_err(doing("make its tables"))?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(doing("mark it"))?;
        transaction
            .pragma_update(None, "user_version", SCHEMA_VERSION)
            .map_err(doing("mark it"))?;
    }
    transaction.commit().map_err(doing("make its tables"))
}

#[derive(PartialEq)]
pub(crate) enum Found {
    Nothing,
    Journal,
}

/// What the database holds.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<Found, StoreError> {
    let number = |pragma| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i32>(0))
            .map_err(doing("read its version"))
    };
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, SCHEMA_VERSION) => Ok(Found::Journal),
        (APPLICATION_ID, found) if found > SCHEMA_VERSION => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA_VERSION,
        }),
        (0, 0) => {
            let tables: i64 = connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
                .map_err(doing("read its tables"))?;
            if tables == 0 {
                Ok(Found::Nothing)
            } else {
                Err(StoreError::Foreign {
                    path: path.to_owned(),
                })
            }
        }
        _ => Err(StoreError::Foreign {
            path: path.to_owned(),
        }),
    }
}
