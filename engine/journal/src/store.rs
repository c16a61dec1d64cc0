//! The SQLite database: opening it the way the promises need, and its statements.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};

use crate::chain::{Head, Row};
use crate::chain_number::ChainNumber;
use crate::digest::Digest;
use crate::entry::{Content, Retention};
use crate::ledger::LEDGER;
use crate::schema;
use crate::state_dir::StateDirError;

/// 3.51.3: earlier versions can corrupt a database when its log file is reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long another process may keep the database locked.
const LONG: Duration = Duration::from_secs(30);

/// How many pages the write-ahead log may be left with, some twenty short runs: to read them takes half a millisecond,
/// and to empty it as long as a short run does.
const LONG_LOG: i64 = 256;

/// Whether another process that writes is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// As long as one may reasonably take.
    Long,
}

/// The database can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The SQLite library has a known fault.
    #[error("the SQLite library {found} can corrupt a journal: at least 3.51.3 is needed")]
    OldSqlite {
        /// Its version.
        found: &'static str,
    },
    /// The file can't be made.
    #[error("can't make the journal `{path}`")]
    Make {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Its version isn't known here.
    #[error(
        "the journal `{path}` has version {found}, and this sandbook knows {known}: use the newer one that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: i32,
        /// The newest that is known.
        known: i32,
    },
    /// It is a database of something else.
    #[error(
        "`{path}` is not a journal of sandbook: name another state directory, or move the file away"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite gave an error.
    #[error("the journal can't {doing}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// What the runs' ends are signed with isn't there.
    #[error("the journal's signing key can't be used")]
    Key(#[source] Box<StateDirError>),
    /// The thread that writes can't be started.
    #[error("the journal's thread can't be started")]
    Thread(#[source] io::Error),
}

impl StoreError {
    pub(crate) fn key(error: StateDirError) -> StoreError {
        StoreError::Key(Box::new(error))
    }
}

/// Says what was being done when SQLite gave an error.
pub(crate) fn doing(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sqlite { doing, source }
}

/// A connection that writes.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the journal, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Store, StoreError> {
        refuse_old_sqlite()?;
        make_file(path).map_err(|source| StoreError::Make {
            path: path.to_owned(),
            source,
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(path, flags)?;
        write_ahead(&connection)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(doing("be made durable"))?;
        // What is erased is overwritten, not just unlinked.
        connection
            .pragma_update(None, "secure_delete", true)
            .map_err(doing("be set to erase"))?;
        schema::prepare(&mut connection, path)?;
        Ok(Store { connection })
    }

    /// Begins to write. Says no when another process does, and it isn't to be waited for.
    pub(crate) fn begin(&self, patience: Patience) -> Result<bool, StoreError> {
        let begin = || {
            self.connection
                .prepare_cached("BEGIN IMMEDIATE")?
                .execute([])
        };
        let begun = match patience {
            Patience::Long => begin(),
            Patience::None => {
                self.wait_for_others(Duration::ZERO)?;
                let begun = begin();
                self.wait_for_others(LONG)?;
                begun
            }
        };
        match begun {
            Err(error) if patience == Patience::None && is_busy(&error) => Ok(false),
            begun => begun.map(|_| true).map_err(doing("be locked for writing")),
        }
    }

    /// Makes durable what was written.
    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        self.execute("COMMIT", "commit")
    }

    /// Drops what was written. There is nothing to be done about an error: the handle is poisoned then.
    pub(crate) fn roll_back(&self) {
        let _ = self.execute("ROLLBACK", "roll back");
    }

    /// A number that changes when another connection has written, and only then.
    pub(crate) fn foreign_writes(&self) -> Result<i64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .map_err(doing("be read"))?;
        statement
            .query_row([], |row| row.get(0))
            .map_err(doing("be read"))
    }

    /// How far a chain goes, without a look at whether it holds.
    pub(crate) fn head(&self, chain: &str) -> Result<Option<Head>, StoreError> {
        head_of(&self.connection, chain)
    }

    pub(crate) fn insert(&self, chain: ChainNumber, row: NewRow<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO events (id, time, kind, version, body, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("record an event"))?;
        let values = params![
            chain.key(row.seq),
            signed(row.time),
            row.kind,
            row.version,
            row.body,
            row.hash.as_bytes()
        ];
        statement
            .execute(values)
            .map(drop)
            .map_err(doing("record an event"))
    }

    /// Keeps a content. One that is already there is kept only as long as either wants.
    pub(crate) fn keep(&self, run: ChainNumber, content: &Content) -> Result<(), StoreError> {
        let sql = "INSERT INTO contents (chain, digest, until_run_end, bytes) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET until_run_end = max(until_run_end, excluded.until_run_end)";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("keep a content"))?;
        let digest = content.kept().digest;
        let until_run_end = content.retention() == Retention::RunEnd;
        let values = params![run.get(), digest.as_bytes(), until_run_end, content.bytes()];
        statement
            .execute(values)
            .map(drop)
            .map_err(doing("keep a content"))
    }

    /// Erases what was to be kept until the run's end only. Returns how many contents that were.
    pub(crate) fn erase(&self, run: ChainNumber) -> Result<usize, StoreError> {
        let sql = "DELETE FROM contents WHERE chain = ?1 AND until_run_end";
        let mut statement = self
            .connection
            .prepare_cached(sql)
            .map_err(doing("erase sensitive values"))?;
        statement
            .execute([run.get()])
            .map_err(doing("erase sensitive values"))
    }

    /// Empties the write-ahead log, which may still hold what was erased, unless somebody reads just now.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        self.wait_for_others(Duration::ZERO)?;
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.wait_for_others(LONG)?;
        match emptied {
            Err(error) if !is_busy(&error) => Err(doing("empty its log")(error)),
            _ => Ok(()),
        }
    }

    /// Empties the write-ahead log where it is long, unless somebody reads just now: whoever opens the database next
    /// would read all of it.
    pub(crate) fn empty_long_log(&self) -> Result<(), StoreError> {
        let frames: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))
            .map_err(doing("measure its log"))?;
        if frames > LONG_LOG {
            self.empty_log()?;
        }
        Ok(())
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sets how long another process may keep the database locked.
    fn wait_for_others(&self, time: Duration) -> Result<(), StoreError> {
        self.connection
            .busy_timeout(time)
            .map_err(doing("set its patience"))
    }

    fn execute(&self, sql: &str, what: &'static str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(doing(what))?;
        statement.execute([]).map(drop).map_err(doing(what))
    }
}

/// What is written of a link.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRow<'a> {
    pub(crate) seq: u64,
    pub(crate) time: u64,
    pub(crate) kind: &'a str,
    pub(crate) version: u32,
    pub(crate) body: &'a str,
    pub(crate) hash: Digest,
}

/// Opens the journal for reading only. It has to be there; one of an older version is brought up to date.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    refuse_old_sqlite()?;
    let connection = connect(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    match schema::check(&connection, path)? {
        schema::Found::Journal => Ok(connection),
        schema::Found::Older => {
            // Only who writes can bring its tables up to date.
            drop(connection);
            drop(Store::open(path)?);
            open_to_read(path)
        }
        schema::Found::Nothing => Err(StoreError::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// Whether the journal's ledger has an entry. One that isn't there, or that somebody is just making, has none.
pub(crate) fn ledger_has_begun(path: &Path) -> Result<bool, StoreError> {
    if !path.exists() {
        return Ok(false);
    }
    refuse_old_sqlite()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags)?;
    Ok(match schema::check(&connection, path)? {
        schema::Found::Nothing => false,
        schema::Found::Older | schema::Found::Journal => head_of(&connection, LEDGER)?.is_some(),
    })
}

/// How far a chain goes, without a look at whether it holds.
pub(crate) fn head_of(connection: &Connection, chain: &str) -> Result<Option<Head>, StoreError> {
    let Some(number) = ChainNumber::find(connection, chain)? else {
        return Ok(None);
    };
    let sql = "SELECT id, hash FROM events WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
    let keys = [number.key(0), number.last_key()];
    let head = connection.query_row(sql, keys, |row| {
        Ok(Head {
            seq: ChainNumber::seq(row.get(0)?),
            hash: Digest::from_bytes(row.get(1)?),
        })
    });
    head.optional().map_err(doing("be read"))
}

/// Hands out a chain's links after a given one, in their order, until one of them isn't liked.
pub(crate) fn each_row<E: From<StoreError>>(
    connection: &Connection,
    chain: &str,
    after: u64,
    mut each: impl FnMut(Row) -> Result<(), E>,
) -> Result<(), E> {
    let Some(number) = ChainNumber::find(connection, chain)? else {
        return Ok(());
    };
    let sql = "SELECT id, time, kind, version, body, hash FROM events WHERE id > ?1 AND id <= ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
    let mut rows = statement
        .query([number.key(after), number.last_key()])
        .map_err(doing("be read"))?;
    while let Some(row) = rows.next().map_err(doing("be read"))? {
        each(read_row(row).map_err(doing("be read"))?)?;
    }
    Ok(())
}

/// A chain's first link.
pub(crate) fn first_row(connection: &Connection, chain: &str) -> Result<Option<Row>, StoreError> {
    let Some(number) = ChainNumber::find(connection, chain)? else {
        return Ok(None);
    };
    let sql = "SELECT id, time, kind, version, body, hash FROM events WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
    let row = statement.query_row([number.key(1)], read_row).optional();
    row.map_err(doing("be read"))
}

/// A link from `id, time, kind, version, body, hash`. What can only come from tampering is read as something that
/// breaks the chain, so that it is found there and not taken for a database that can't be read.
pub(crate) fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let text = |column| -> rusqlite::Result<String> {
        Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes()?).into_owned())
    };
    Ok(Row {
        seq: ChainNumber::seq(row.get(0)?),
        time: unsigned(row.get(1)?),
        kind: text(2)?,
        version: row.get::<_, i64>(3)?.try_into().unwrap_or(0),
        body: text(4)?,
        hash: Digest::from_bytes(row.get_ref(5)?.as_blob()?.try_into().unwrap_or([0; 32])),
    })
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags).map_err(doing("be opened"))?;
    connection
        .busy_timeout(LONG)
        .map_err(doing("set its patience"))?;
    connection.set_prepared_statement_cache_capacity(32);
    // Checkpoints happen while the log grows, and at an exit that leaves it long; one at each exit would cost more
    // than a short run does.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(doing("be kept from a checkpoint at its close"))?;
    Ok(connection)
}

/// SQLite doesn't wait by itself when two processes switch a new database over at the same time.
fn write_ahead(connection: &Connection) -> Result<(), StoreError> {
    let begun = Instant::now();
    loop {
        let mode: rusqlite::Result<String> =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0));
        match mode {
            Err(error) if is_busy(&error) && begun.elapsed() < LONG => {
                std::thread::sleep(Duration::from_millis(5));
            }
            mode => {
                return mode
                    .map(drop)
                    .map_err(doing("be switched to a write-ahead log"));
            }
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn refuse_old_sqlite() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite {
            found: rusqlite::version(),
        });
    }
    Ok(())
}

/// SQLite gives the files beside it the mode of this one.
fn make_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// SQLite's integers are signed; times and numbers stay far below the limit.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A negative number can only come from tampering; as 0 it breaks the chain.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
