//! Which run holds a group of concurrency: from the event that takes it until the one that gives it back.
//!
//! The table `groups` is written in the same transaction as these events, so that of two processes that take a
//! group at the same time one is refused.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain_number::ChainNumber;
use crate::event::{Event, RunStarted};
use crate::run_id::RunId;
use crate::store::{Store, StoreError, doing};

/// What an event does to the group of its run. This is the one place that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move<'a> {
    /// The run takes this group.
    Take(&'a str),
    /// The run gives back what it holds.
    Release,
}

impl<'a> Move<'a> {
    /// What this event does in a run that was started like this; most do nothing.
    pub(crate) fn of(event: &'a Event, started: Option<&'a RunStarted>) -> Option<Move<'a>> {
        match event {
            Event::RunStarted(facts) => facts.group.as_deref().map(Move::Take),
            // What a finished run did is undone: it goes on. One that goes on has its group already, unless it was
            // imported.
            Event::UndoRequested { .. } | Event::RunResumed { .. } => {
                started?.group.as_deref().map(Move::Take)
            }
            Event::RunFinished { .. } => {
                let group = started?.group.as_ref();
                group.map(|_| Move::Release)
            }
            _ => None,
        }
    }
}

impl Store {
    /// The run that holds a group, for whoever is about to take it: a void row is removed.
    pub(crate) fn holder_to_wait_for(&self, group: &str) -> Result<Option<RunId>, StoreError> {
        let holder = holder(self.connection(), group)?;
        if holder.is_none() {
            let mut statement = self
                .connection()
                .prepare_cached("DELETE FROM groups WHERE name = ?1")
                .map_err(doing("give back a group"))?;
            statement
                .execute([group])
                .map_err(doing("give back a group"))?;
        }
        Ok(holder)
    }

    /// Has a run hold a group that no other run holds.
    pub(crate) fn hold(&self, group: &str, run: ChainNumber) -> Result<(), StoreError> {
        let sql = "INSERT INTO groups (name, chain) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let mut statement = self
            .connection()
            .prepare_cached(sql)
            .map_err(doing("take a group"))?;
        statement
            .execute(params![group, run.get()])
            .map(drop)
            .map_err(doing("take a group"))
    }

    /// Gives back what a run holds.
    pub(crate) fn release(&self, run: ChainNumber) -> Result<(), StoreError> {
        let sql = "DELETE FROM groups WHERE chain = ?1";
        let mut statement = self
            .connection()
            .prepare_cached(sql)
            .map_err(doing("give back a group"))?;
        statement
            .execute([run.get()])
            .map(drop)
            .map_err(doing("give back a group"))
    }
}

/// The run that holds a group. A row whose run isn't there, or is over, is void: it holds nothing.
pub(crate) fn holder(connection: &Connection, group: &str) -> Result<Option<RunId>, StoreError> {
    let sql = "SELECT number, chains.name FROM groups JOIN chains ON number = chain WHERE groups.name = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
    let row: Option<(i64, String)> = statement
        .query_row([group], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(doing("be read"))?;
    // A name that is no id can only come from tampering: the run isn't there.
    let Some((number, Ok(run))) = row.map(|(number, name)| (number, name.parse())) else {
        return Ok(None);
    };
    Ok(is_open(connection, number)?.then_some(run))
}

/// Whether a chain has events, and those of a run that isn't over.
fn is_open(connection: &Connection, number: i64) -> Result<bool, StoreError> {
    let sql = "SELECT kind FROM events
               WHERE id > ?1 << 32 AND id < (?1 + 1) << 32
                 AND kind IN ('run_started', 'run_finished', 'undo_requested')
               ORDER BY id DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(doing("be read"))?;
    let kind: Option<String> = statement
        .query_row([number], |row| row.get(0))
        .optional()
        .map_err(doing("be read"))?;
    Ok(kind.is_some_and(|kind| kind != "run_finished"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Entry;
    use crate::event::{FinalStatus, Signal};
    use crate::journal::{Journal, JournalError};
    use crate::reader::Reader;
    use crate::samples::{Place, finished, id, noted, resumed, started, started_with};

    const ONE: &str = "aaaaaaaaaaaa";
    const TWO: &str = "bbbbbbbbbbbb";

    fn taking(group: &str) -> Vec<Entry> {
        let group = Some(group.to_owned());
        vec![
            started_with(&[], |facts| facts.group = group).into(),
            noted("begun").into(),
        ]
    }

    fn append(journal: &Journal, run: &str, event: Event) {
        journal
            .append_blocking(id(run), vec![event.into()])
            .unwrap();
    }

    #[track_caller]
    fn assert_held(refused: Result<Vec<std::sync::Arc<crate::Stored>>, JournalError>, by: &str) {
        match refused {
            Err(JournalError::GroupHeld { group, holder }) => {
                assert_eq!((group.as_str(), holder), ("site", id(by)));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_group_is_held_from_the_start_to_the_end() {
        let place = Place::new();
        let (one, two) = (place.journal(), place.journal());
        let reader = Reader::open(&place.state).unwrap();
        one.append_blocking(id(ONE), taking("site")).unwrap();
        assert_eq!(reader.holder("site").unwrap(), Some(id(ONE)));
        for journal in [&one, &two] {
            assert_held(journal.append_blocking(id(TWO), taking("site")), ONE);
        }
        let cause = Signal::Terminate.into();
        append(&one, ONE, Event::RunInterrupted { cause });
        assert_held(two.append_blocking(id(TWO), taking("site")), ONE);
        append(&two, ONE, resumed());
        assert_held(one.append_blocking(id(TWO), taking("site")), ONE);
        let end = one.append_blocking(id(ONE), vec![finished(FinalStatus::Failed).into()]);
        end.unwrap();
        assert_eq!(reader.holder("site").unwrap(), None);
        append(&one, ONE, noted("that was it"));
        // Whoever was refused can begin then: nothing of what was refused is left, in neither handle.
        one.append_blocking(id(TWO), taking("site")).unwrap();
        assert_eq!(reader.holder("site").unwrap(), Some(id(TWO)));
        assert_eq!(reader.verify_run(id(TWO)).unwrap().seq, 2);
        // Of two starts, an interruption, an end and a remark.
        assert_eq!(reader.ledger_head().unwrap().seq, 5);
        assert!(one.poisoned().is_none() && two.poisoned().is_none());
    }

    #[test]
    fn a_row_whose_run_is_over_or_gone_holds_nothing() {
        let place = Place::new();
        let journal = place.journal();
        append(&journal, ONE, started(&[]));
        append(&journal, ONE, finished(FinalStatus::Succeeded));
        let reader = Reader::open(&place.state).unwrap();
        // Number 1 is over, and of number 2 nothing is there.
        let sql = "INSERT INTO chains VALUES (2, 'cccccccccccc', 1);
                   INSERT INTO groups VALUES ('site', 1), ('gone', 2)";
        place.database().execute_batch(sql).unwrap();
        for group in ["site", "gone"] {
            assert_eq!(reader.holder(group).unwrap(), None);
        }
        journal.append_blocking(id(TWO), taking("site")).unwrap();
        let three = "dddddddddddd";
        journal.append_blocking(id(three), taking("gone")).unwrap();
        assert_eq!(reader.holder("site").unwrap(), Some(id(TWO)));
        assert_eq!(reader.holder("gone").unwrap(), Some(id(three)));
    }

    #[test]
    fn of_many_at_once_one_gets_it() {
        let place = Place::new();
        drop(place.journal());
        let got: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|number| {
                    let journal = place.journal();
                    let run = id(&"abcdefgh"[number..=number].repeat(12));
                    scope.spawn(move || journal.append_blocking(run, taking("site")).is_ok())
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(got.iter().filter(|got| **got).count(), 1, "{got:?}");
        assert_eq!(
            Reader::open(&place.state)
                .unwrap()
                .runs(None)
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn other_groups_and_runs_without_one_go_beside_it() {
        let place = Place::new();
        let journal = place.journal();
        journal.append_blocking(id(ONE), taking("site")).unwrap();
        journal.append_blocking(id(TWO), taking("site 2")).unwrap();
        append(&journal, "cccccccccccc", started(&[]));
        append(&journal, "cccccccccccc", finished(FinalStatus::Succeeded));
        let reader = Reader::open(&place.state).unwrap();
        assert_eq!(reader.holder("site").unwrap(), Some(id(ONE)));
        assert_eq!(reader.holder("site 2").unwrap(), Some(id(TWO)));
    }
}
