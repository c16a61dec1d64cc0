//! The database's form: what marks it as a journal, its version, its tables.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::store::{StoreError, doing};

/// Marks the file as a journal: "Sbjl".
const APPLICATION_ID: i32 = 0x5362_6a6c;

/// The version of the tables.
const SCHEMA_VERSION: i32 = 2;

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

/// What came with later versions. Version 2: `groups` says which run holds a group, as the events have it; it is an
/// index, so that this is known without reading them. `foreign_keys` has the keys of runs that were made in another
/// state directory, and `anchors` how far each anchor has the ledger.
const ADDED: &str = "
CREATE TABLE IF NOT EXISTS groups (
    name TEXT PRIMARY KEY,
    chain INTEGER NOT NULL REFERENCES chains
) STRICT;
CREATE TABLE IF NOT EXISTS foreign_keys (
    chain INTEGER PRIMARY KEY REFERENCES chains,
    key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS anchors (
    place TEXT PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
";

/// Makes the tables where there are none, adds those that an older version didn't have, and refuses a database that
/// isn't a journal, or one of a newer version.
pub(crate) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if check(connection, path)? == Found::Journal {
        return Ok(());
    }
    // Another process may be at it as well: look again with the lock held.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(doing("make its tables"))?;
    let found = check(&transaction, path)?;
    if found == Found::Nothing {
        transaction
            .execute_batch(TABLES)
            .map_err(doing("make its tables"))?;
    }
    if found != Found::Journal {
        transaction
            .execute_batch(ADDED)
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

#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    Nothing,
    /// A journal that lacks what later versions have added.
    Older,
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
        (APPLICATION_ID, 1..SCHEMA_VERSION) => Ok(Found::Older),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;
    use crate::reader::Reader;
    use crate::samples::{Place, id, noted, started};

    /// The database as version 1 left it, with a run on record.
    fn old() -> Place {
        let place = Place::new();
        let entries = vec![started(&[]).into()];
        let journal: Journal = place.journal();
        journal
            .append_blocking(id("aaaaaaaaaaaa"), entries)
            .unwrap();
        drop(journal);
        let database = place.database();
        database
            .execute_batch("DROP TABLE groups; PRAGMA user_version = 1")
            .unwrap();
        place
    }

    #[test]
    fn an_older_journal_is_brought_up_to_date_by_whoever_opens_it() {
        let place = old();
        let reader = Reader::open(&place.state).unwrap();
        assert_eq!(reader.holder("g").unwrap(), None);
        assert_eq!(reader.verify_run(id("aaaaaaaaaaaa")).unwrap().seq, 1);

        let place = old();
        let note = vec![noted("n").into()];
        place
            .journal()
            .append_blocking(id("aaaaaaaaaaaa"), note)
            .unwrap();
        assert_eq!(
            check(&place.database(), Path::new("")).unwrap(),
            Found::Journal
        );
    }
}
