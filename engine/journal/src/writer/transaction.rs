//! One transaction: read what others appended, fold, check, insert, commit.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use crate::chain::{Chain, Head};
use crate::chain_number::ChainNumber;
use crate::event::{EVENT_VERSION, Event, RunStarted};
use crate::failpoint::Kinds;
use crate::groups::Move;
use crate::journal::{Appended, Batch, JournalError, Poison, Prepared, kind};
use crate::ledger::{Ledger, LedgerEntry};
use crate::log::{Log, LogFault, Stored};
use crate::run_id::RunId;
use crate::signing::SigningKey;
use crate::state::RunState;
use crate::store::{NewRow, Store, StoreError, each_row};

/// The logs as far as they are known, which spares reading back what this process wrote itself.
#[derive(Debug)]
pub(crate) struct Runs {
    logs: HashMap<RunId, Known>,
    ledger: Ledger,
    ledger_checked: u64,
    /// SQLite's number of what others wrote, when it was last looked at, and how often it has changed.
    foreign: Option<i64>,
    generation: u64,
    /// What the present transaction adds, in its order.
    fresh: Vec<Arc<Stored>>,
    /// What it came upon of other processes, and what people say through this one.
    noticed: Vec<Arc<Stored>>,
    erased: bool,
}

#[derive(Debug)]
struct Known {
    log: Log,
    /// None until its first event is written or read.
    number: Option<ChainNumber>,
    /// The generation in which it was last complete.
    checked: u64,
}

/// Why a batch isn't recorded: because of itself, or because of the database.
enum Refused {
    Batch(JournalError),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        Refused::Store(error)
    }
}

impl From<LogFault> for Refused {
    fn from(fault: LogFault) -> Refused {
        Refused::Batch(JournalError::Unreadable(Arc::new(fault)))
    }
}

impl Runs {
    pub(super) fn new(key: Arc<SigningKey>) -> Runs {
        Runs {
            logs: HashMap::new(),
            ledger: Ledger::new(key),
            ledger_checked: 0,
            foreign: None,
            generation: 0,
            fresh: Vec::new(),
            noticed: Vec::new(),
            erased: false,
        }
    }

    /// Writes the batches and commits the transaction, which was begun; tells what came of each. An error means that none was written,
    /// and that what is known here may be wrong: nothing may be written after it.
    pub(super) fn write(
        &mut self,
        store: &Store,
        batches: &mut [Batch],
    ) -> Result<Vec<Appended>, Poison> {
        self.fresh.clear();
        self.noticed.clear();
        self.erased = false;
        let kinds = Kinds::of(batches);
        kinds.pass("before");
        self.notice_others(store)?;
        let mut answers = Vec::with_capacity(batches.len());
        for batch in batches {
            let rides = batch.reply.is_none();
            let answer = match self.add(store, batch.run, mem::take(&mut batch.entries)) {
                Ok(stored) => Ok(stored),
                Err(Refused::Batch(error)) if rides => {
                    return Err(Poison::LostRide(Box::new(error)));
                }
                Err(Refused::Batch(error)) => Err(error),
                Err(Refused::Store(error)) => return Err(error.into()),
            };
            answers.push(answer);
        }
        kinds.pass("within");
        store.commit()?;
        kinds.pass("after");
        // Only notes can follow a run's end: its log is read again if one does.
        self.logs
            .retain(|_, known| known.log.state.finish().is_none());
        Ok(answers)
    }

    /// What the last transaction has committed.
    pub(super) fn committed(&mut self) -> Vec<Arc<Stored>> {
        mem::take(&mut self.fresh)
    }

    /// What the last transaction came upon of other processes, and what people said through this one.
    pub(super) fn noticed(&mut self) -> Vec<Arc<Stored>> {
        mem::take(&mut self.noticed)
    }

    /// Goes on from a log that was read elsewhere as far as this, and comes to this.
    pub(super) fn know(&mut self, run: RunId, head: Head, state: &RunState) {
        let log = Log {
            run,
            state: state.clone(),
            chain: Chain::at(run.as_str(), head),
        };
        // What came after it is read in any case.
        self.logs.entry(run).or_insert(Known {
            log,
            number: None,
            checked: 0,
        });
    }

    /// SQLite's number of what others wrote, when it was last looked at.
    pub(super) fn foreign(&self) -> Option<i64> {
        self.foreign
    }

    /// Whether the last transaction has erased something.
    pub(super) fn has_erased(&self) -> bool {
        self.erased
    }

    fn notice_others(&mut self, store: &Store) -> Result<(), StoreError> {
        let foreign = store.foreign_writes()?;
        if self.foreign != Some(foreign) {
            self.foreign = Some(foreign);
            self.generation += 1;
        }
        Ok(())
    }

    fn add(
        &mut self,
        store: &Store,
        run: RunId,
        entries: Vec<Prepared>,
    ) -> Result<Vec<Arc<Stored>>, Refused> {
        self.catch_up(store, run)?;
        self.refuse_held(store, run, &entries)?;
        self.fold(run, &entries)?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let number = self.number(store, run, entries[0].time)?;
        let mut answer = Vec::with_capacity(entries.len());
        for prepared in entries {
            for content in prepared.contents() {
                store.keep(number, content)?;
            }
            let stored = Arc::new(self.insert(store, run, number, prepared)?);
            if stored.seq == 1 {
                let (id, first) = (run, stored.hash);
                let opened = LedgerEntry::RunOpened { id, first };
                self.enter_in_ledger(store, opened, stored.time)?;
            }
            match Move::of(&stored.event, self.facts(run)) {
                Some(Move::Take(group)) => store.hold(group, number)?,
                Some(Move::Release) => store.release(number)?,
                None => {}
            }
            if matches!(stored.event, Event::RunFinished { .. }) {
                self.erased |= store.erase(number)? > 0;
            }
            if stored.event.is_said_by_a_person() {
                self.noticed.push(Arc::clone(&stored));
            }
            self.fresh.push(Arc::clone(&stored));
            answer.push(stored);
        }
        if let Some(last) = answer.last()
            && self.is_to_be_signed(run, &answer)
        {
            let closed = LedgerEntry::RunClosed {
                id: run,
                seq: last.seq,
                hash: last.hash,
                key: self.ledger.key(),
                signature: None,
            };
            self.enter_in_ledger(store, closed, last.time)?;
        }
        Ok(answer)
    }

    /// Whether the run's head is signed as it is now that this was added. What follows a run's end is signed as well. All
    /// of it comes at the pace of people, or once a run.
    fn is_to_be_signed(&self, run: RunId, added: &[Arc<Stored>]) -> bool {
        let known = self.logs.get(&run);
        known.is_some_and(|known| known.log.state.finish().is_some())
            || added.iter().any(|stored| stored.event.is_to_be_signed())
    }

    /// Reads what others have appended to the run.
    fn catch_up(&mut self, store: &Store, run: RunId) -> Result<(), Refused> {
        let generation = self.generation;
        let known = self.logs.entry(run).or_insert_with(|| Known {
            log: Log::new(run),
            number: None,
            checked: 0,
        });
        if known.checked == generation {
            return Ok(());
        }
        let after = known.log.chain.head().seq;
        let (fresh, noticed) = (&mut self.fresh, &mut self.noticed);
        // A log that is read from its beginning was published when it was written.
        let news = after > 0;
        let read = each_row(
            store.connection(),
            run.as_str(),
            after,
            |row| -> Result<(), Refused> {
                let stored = known.log.follow(row)?;
                if news {
                    let stored = Arc::new(stored);
                    fresh.push(Arc::clone(&stored));
                    noticed.push(stored);
                }
                Ok(())
            },
        );
        match read {
            Ok(()) => known.checked = generation,
            Err(_) => drop(self.logs.remove(&run)),
        }
        read
    }

    /// Refuses a batch that takes a group which another run holds. Nobody else writes meanwhile.
    fn refuse_held(
        &mut self,
        store: &Store,
        run: RunId,
        entries: &[Prepared],
    ) -> Result<(), Refused> {
        for prepared in entries {
            let Some(Move::Take(group)) = Move::of(&prepared.entry.event, self.facts(run)) else {
                continue;
            };
            let Some(holder) = store
                .holder_to_wait_for(group)?
                .filter(|holder| *holder != run)
            else {
                continue;
            };
            let group = group.to_owned();
            self.logs.remove(&run);
            return Err(Refused::Batch(JournalError::GroupHeld { group, holder }));
        }
        Ok(())
    }

    /// What was fixed at a run's start, as far as its log is known.
    fn facts(&self, run: RunId) -> Option<&RunStarted> {
        self.logs.get(&run)?.log.state.facts()
    }

    /// Folds all of a batch, or forgets the log as far as it is known: then it is read again.
    fn fold(&mut self, run: RunId, entries: &[Prepared]) -> Result<(), Refused> {
        let known = self
            .logs
            .get_mut(&run)
            .expect("invariant: the run was caught up with");
        for (position, prepared) in entries.iter().enumerate() {
            if let Err(source) = known.log.state.apply(&prepared.entry.event, prepared.time) {
                if position > 0 || known.log.chain.head().seq == 0 {
                    self.logs.remove(&run);
                }
                return Err(Refused::Batch(JournalError::Illegal {
                    run,
                    kind: kind(&prepared.body),
                    source: Box::new(source),
                }));
            }
        }
        Ok(())
    }

    /// The number of a run's chain. It begins with the run's first event, which was found legal by now.
    fn number(&mut self, store: &Store, run: RunId, now: u64) -> Result<ChainNumber, StoreError> {
        let known = self
            .logs
            .get_mut(&run)
            .expect("invariant: the run was folded");
        if let Some(number) = known.number {
            return Ok(number);
        }
        let connection = store.connection();
        let number = match ChainNumber::find(connection, run.as_str())? {
            Some(number) => number,
            None => ChainNumber::begin(connection, run.as_str(), now)?,
        };
        known.number = Some(number);
        Ok(number)
    }

    fn insert(
        &mut self,
        store: &Store,
        run: RunId,
        number: ChainNumber,
        prepared: Prepared,
    ) -> Result<Stored, StoreError> {
        let known = self
            .logs
            .get_mut(&run)
            .expect("invariant: the run was folded");
        let Prepared { entry, body, time } = prepared;
        let head = known.log.chain.extend(time, EVENT_VERSION, &body);
        let kind = Event::kind_of(&body).expect("invariant: an event's JSON begins with its kind");
        let row = NewRow {
            seq: head.seq,
            time,
            kind,
            version: EVENT_VERSION,
            body: &body,
            hash: head.hash,
        };
        store.insert(number, row)?;
        Ok(Stored {
            run,
            seq: head.seq,
            time,
            event: entry.event,
            hash: head.hash,
            version: EVENT_VERSION,
            body,
        })
    }

    fn enter_in_ledger(
        &mut self,
        store: &Store,
        entry: LedgerEntry,
        time: u64,
    ) -> Result<(), StoreError> {
        if self.ledger_checked != self.generation {
            self.ledger.catch_up(store)?;
            self.ledger_checked = self.generation;
        }
        self.ledger.enter(store, entry, time)
    }
}
