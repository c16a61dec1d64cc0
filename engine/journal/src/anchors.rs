//! How far each anchor has the ledger.

use rusqlite::{Connection, OptionalExtension as _};

use crate::audit::SignedHead;
use crate::chain::Head;
use crate::ledger::LEDGER;
use crate::reader::Reader;
use crate::run_id::RunId;
use crate::signing::SigningKey;
use crate::state_dir::StateDir;
use crate::store::{Patience, Store, StoreError, doing, signed, unsigned};

/// What was sent to which anchor. Only the last head is owed to one: it vouches for all before it.
#[derive(Debug)]
pub struct Anchors {
    store: Store,
    key: SigningKey,
}

impl Anchors {
    /// Opens the state directory's book of anchors.
    ///
    /// # Errors
    ///
    /// When its journal or its key can't be used.
    pub fn open(state: &StateDir) -> Result<Anchors, StoreError> {
        Ok(Anchors {
            key: state.signing_key().map_err(StoreError::key)?,
            store: Store::open(&state.journal_path())?,
        })
    }

    /// The ledger's head, signed at this time, because of a run's end or by hand; nothing while the ledger is empty.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn head(&self, run: Option<RunId>, now: u64) -> Result<Option<SignedHead>, StoreError> {
        let head: Option<Head> = self.store.head(LEDGER)?;
        Ok(head.map(|head| SignedHead::sign(&self.key, head, run, now)))
    }

    /// The last entry of the ledger that this anchor has got a head of; 0 for none.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn has(&self, place: &str) -> Result<u64, StoreError> {
        sent_to(self.store.connection(), place)
    }

    /// Notes that these anchors have got this head.
    ///
    /// # Errors
    ///
    /// When it can't be written: they will get it once more.
    pub fn have<'a>(
        &self,
        places: impl IntoIterator<Item = &'a str>,
        head: &SignedHead,
    ) -> Result<(), StoreError> {
        self.store.begin(Patience::Long)?;
        let sql = "INSERT INTO anchors (place, seq) VALUES (?1, ?2)
                   ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)";
        for place in places {
            let noted = self
                .store
                .connection()
                .execute(sql, (place, signed(head.seq)));
            if let Err(error) = noted {
                self.store.roll_back();
                return Err(doing("note what an anchor has")(error));
            }
        }
        self.store.commit()
    }
}

impl Reader {
    /// [`Anchors::has`], for who only reads.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn anchor_has(&self, place: &str) -> Result<u64, StoreError> {
        sent_to(self.connection(), place)
    }
}

fn sent_to(connection: &Connection, place: &str) -> Result<u64, StoreError> {
    let sql = "SELECT seq FROM anchors WHERE place = ?1";
    let seq = connection
        .query_row(sql, [place], |row| row.get(0).map(unsigned))
        .optional()
        .map_err(doing("be read"))?;
    Ok(seq.unwrap_or(0))
}
