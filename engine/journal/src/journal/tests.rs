mod others;

use std::sync::Arc;

use super::*;
use crate::entry::Retention;
use crate::event::{Event, FinalStatus, Recorded as Value, Values};
use crate::reader::Reader;
use crate::samples::{Place, finished, id, logged, noted, started, started_with, step_started};

const RUN: &str = "aaaaaaaaaaaa";

fn entries(events: Vec<Event>) -> Vec<Entry> {
    events.into_iter().map(Entry::from).collect()
}

fn begin(journal: &Journal, run: RunId) {
    let log = entries(vec![started(&["a"]), step_started("a", 1)]);
    assert_eq!(journal.append_blocking(run, log).unwrap().len(), 2);
}

fn cause(error: &JournalError) -> String {
    match error {
        JournalError::Poisoned(cause) => cause.to_string(),
        other => panic!("not poisoned: {other}"),
    }
}

#[test]
fn what_is_appended_is_read_back_with_its_chain() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    begin(&journal, run);
    let stored = journal
        .append_blocking(run, entries(vec![logged("a", "hello")]))
        .unwrap();
    assert_eq!((stored[0].seq, stored[0].time), (3, 2));
    assert!(
        stored[0]
            .line()
            .starts_with(r#"{"run":"aaaaaaaaaaaa","seq":3,"time":2,"version":1,"kind":"logged","#)
    );
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(reader.events(run, 2).unwrap(), [stored[0].as_ref().clone()]);
    assert_eq!(reader.verify_run(run).unwrap().hash, stored[0].hash);
    assert_eq!(reader.ledger_head().unwrap().seq, 1);
}

#[tokio::test]
async fn appends_that_wait_at_the_same_time_share_a_commit() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    journal
        .append(run, entries(vec![started(&["a"]), step_started("a", 1)]))
        .await
        .unwrap();
    let before = journal.commits();
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting: Vec<_> = (0..1000)
        .map(|n| journal.append(run, entries(vec![logged("a", &n.to_string())])))
        .collect();
    other.execute_batch("COMMIT").unwrap();
    for (n, appended) in (3..).zip(waiting) {
        assert_eq!(
            appended.await.unwrap()[0].seq,
            n,
            "in the order in which they were called"
        );
    }
    let commits = journal.commits() - before;
    assert!(commits <= 2, "{commits} commits");
}

#[tokio::test]
async fn a_ride_goes_with_the_next_commit() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    journal
        .append(run, entries(vec![started(&["a"]), step_started("a", 1)]))
        .await
        .unwrap();
    let other = place.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = journal.commits();
    for _ in 0..10 {
        journal.ride(run, logged("a", "riding")).unwrap();
    }
    let appended = journal.append(run, entries(vec![logged("a", "waiting")]));
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(appended.await.unwrap()[0].seq, 13);
    // Two, when the queueing itself took longer than a ride waits.
    assert!(journal.commits() - before <= 2);
}

#[tokio::test]
async fn a_ride_goes_by_itself_when_nothing_else_does() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    let mut published = journal.subscribe(run);
    journal
        .append(run, entries(vec![started(&["a"]), step_started("a", 1)]))
        .await
        .unwrap();
    journal.ride(run, logged("a", "riding")).unwrap();
    for seq in 1..=3 {
        assert_eq!(published.recv().await.unwrap().seq, seq);
    }
    assert_eq!(
        Reader::open(&place.state)
            .unwrap()
            .events(run, 0)
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn what_rides_is_committed_before_the_last_handle_is_gone() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    begin(&journal, run);
    journal.ride(run, logged("a", "riding")).unwrap();
    drop(journal);
    assert_eq!(
        Reader::open(&place.state)
            .unwrap()
            .events(run, 0)
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn an_illegal_batch_is_refused_whole_and_spoils_nothing() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    begin(&journal, run);
    let error = journal
        .append_blocking(run, entries(vec![logged("a", "x"), step_started("a", 2)]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`step_started` doesn't fit into the log of run `aaaaaaaaaaaa`"
    );
    let unknown = journal.append_blocking(id("bbbbbbbbbbbb"), entries(vec![noted("x")]));
    assert!(matches!(unknown, Err(JournalError::Illegal { .. })));
    assert!(journal.poisoned().is_none());
    assert_eq!(
        journal
            .append_blocking(run, entries(vec![logged("a", "y")]))
            .unwrap()[0]
            .seq,
        3
    );
    Reader::open(&place.state).unwrap().verify_run(run).unwrap();
}

#[tokio::test]
async fn a_ride_that_can_not_be_recorded_poisons() {
    let place = Place::new();
    let journal = place.journal();
    journal.ride(id(RUN), noted("of no run")).unwrap();
    let error = journal
        .append(id(RUN), entries(vec![started(&[])]))
        .await
        .unwrap_err();
    assert_eq!(cause(&error), "a queued event was lost");
    assert!(
        journal
            .append(id(RUN), entries(vec![started(&[])]))
            .await
            .is_err()
    );
}

#[test]
fn the_first_error_of_the_database_is_the_last() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    begin(&journal, run);
    let other = place.database();
    other
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        .unwrap();
    let first = journal
        .append_blocking(run, entries(vec![logged("a", "x")]))
        .unwrap_err();
    assert_eq!(cause(&first), "the journal can't record an event");
    other.execute_batch("DROP TRIGGER full").unwrap();
    let second = journal
        .append_blocking(run, entries(vec![logged("a", "x")]))
        .unwrap_err();
    assert_eq!(cause(&second), cause(&first));
    assert!(journal.ride(run, logged("a", "x")).is_err());
    assert_eq!(
        Reader::open(&place.state)
            .unwrap()
            .events(run, 0)
            .unwrap()
            .len(),
        2
    );
    // A new handle begins where the log really ends.
    assert_eq!(
        place
            .journal()
            .append_blocking(run, entries(vec![logged("a", "x")]))
            .unwrap()[0]
            .seq,
        3
    );
}

#[test]
fn a_full_database_poisons_and_keeps_what_is_in_it() {
    let place = Place::new();
    let run = id(RUN);
    begin(&place.journal(), run);
    let store = Store::open(&place.state.journal_path()).unwrap();
    store
        .connection()
        .pragma_update(None, "max_page_count", 12)
        .unwrap();
    let key = place.state.signing_key().unwrap();
    let journal = Journal::with_store(store, key, Arc::new(crate::clock::SystemClock)).unwrap();
    let mut appended = 0;
    let error = loop {
        match journal.append_blocking(run, entries(vec![logged("a", &"x".repeat(4000))])) {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(cause(&error), "the journal can't record an event");
    assert_eq!(
        Reader::open(&place.state)
            .unwrap()
            .verify_run(run)
            .unwrap()
            .seq,
        appended + 2
    );
}

#[test]
fn a_tampered_log_is_not_continued() {
    let place = Place::new();
    let run = id(RUN);
    begin(&place.journal(), run);
    let altered = place
        .database()
        .execute(
            "UPDATE events SET time = 7 WHERE id = (SELECT (number << 32) + 2 FROM chains WHERE name = ?1)",
            [RUN],
        )
        .unwrap();
    assert_eq!(altered, 1);
    let journal = place.journal();
    let error = journal
        .append_blocking(run, entries(vec![logged("a", "x")]))
        .unwrap_err();
    assert!(matches!(&error, JournalError::Unreadable(_)), "{error}");
    begin(&journal, id("bbbbbbbbbbbb"));
}

#[test]
fn sensitive_values_are_erased_at_the_end_and_bodies_are_not() {
    let place = Place::new();
    let journal = place.journal();
    let run = id(RUN);
    let key = place.state.key();
    let sensitive = Content::new(key, b"\"correct horse\"".to_vec(), Retention::RunEnd);
    let body = Content::new(key, b"a body".to_vec(), Retention::Run);
    let (secret_kept, body_kept) = (sensitive.kept(), body.kept());
    let event = started_with(&[], |facts| {
        facts.inputs = Values::from([("password".to_owned(), Value::Sensitive(secret_kept))]);
    });
    journal
        .append_blocking(
            run,
            vec![Entry {
                event,
                contents: vec![sensitive, body],
            }],
        )
        .unwrap();
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(
        reader.content(run, &secret_kept).unwrap().unwrap(),
        b"\"correct horse\""
    );
    journal
        .append_blocking(run, entries(vec![finished(FinalStatus::Succeeded)]))
        .unwrap();
    drop(journal);
    assert_eq!(reader.content(run, &secret_kept).unwrap(), None);
    assert_eq!(reader.content(run, &body_kept).unwrap().unwrap(), b"a body");
    reader.verify_run(run).unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        let bytes = std::fs::read(place.state.path().join(file)).unwrap();
        assert!(
            !bytes.windows(13).any(|window| window == b"correct horse"),
            "{file}"
        );
    }
}

#[test]
fn a_newer_journal_and_a_foreign_database_are_refused() {
    let place = Place::new();
    drop(place.journal());
    let refused = || {
        Journal::open(&place.state, Arc::new(crate::clock::SystemClock))
            .unwrap_err()
            .to_string()
    };
    place
        .database()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    assert!(refused().contains("has version 99, and this sandbook knows"));
    let newer = Reader::open(&place.state).unwrap_err();
    assert!(matches!(newer, StoreError::Newer { found: 99, .. }));
    place
        .database()
        .pragma_update(None, "application_id", 7)
        .unwrap();
    assert!(refused().contains("is not a journal of sandbook"));
}

#[test]
fn a_journal_of_the_first_version_is_brought_up_to_date_by_whoever_opens_it() {
    for write in [false, true] {
        let place = Place::new();
        begin(&place.journal(), id(RUN));
        place
            .database()
            .execute_batch("DROP TABLE foreign_keys; DROP TABLE anchors; PRAGMA user_version = 1")
            .unwrap();
        if write {
            drop(place.journal());
        }
        let reader = Reader::open(&place.state).unwrap();
        assert!(reader.key_of(id(RUN)).unwrap() == *place.state.key());
        assert_eq!(reader.verify_run(id(RUN)).unwrap().seq, 2);
    }
}

#[test]
fn the_database_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let journal = place.journal();
    begin(&journal, id(RUN));
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        let mode = std::fs::metadata(place.state.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn an_event_of_a_newer_sandbook_stops_its_run_only() {
    let place = Place::new();
    let run = id(RUN);
    begin(&place.journal(), run);
    let mut chain = crate::chain::Chain::new(RUN);
    let reader = Reader::open(&place.state).unwrap();
    for stored in reader.events(run, 0).unwrap() {
        chain.extend(stored.time, stored.version, &stored.body);
    }
    let body = r#"{"kind":"step_flown","step":"a"}"#;
    let head = chain.extend(9, 1, body);
    place
        .database()
        .execute(
            "INSERT INTO events SELECT (number << 32) + 3, 9, 'step_flown', 1, ?2, ?3 FROM chains WHERE name = ?1",
            rusqlite::params![RUN, body, head.hash.as_bytes()],
        )
        .unwrap();
    let error = reader.state(run).unwrap_err();
    assert_eq!(
        error.to_string(),
        "event 3 of run `aaaaaaaaaaaa` can't be read"
    );
    let error = place
        .journal()
        .append_blocking(run, entries(vec![noted("x")]))
        .unwrap_err();
    assert!(matches!(error, JournalError::Unreadable(_)));
}

#[test]
fn a_long_write_ahead_log_is_left_to_nobody() {
    let place = Place::new();
    let left = || {
        let log = place.state.path().join("journal.db-wal");
        std::fs::metadata(log).unwrap().len()
    };
    begin(&place.journal(), id(RUN));
    assert!(left() > 0, "a short one is worth no checkpoint");
    let journal = place.journal();
    for _ in 0..300 {
        let one = entries(vec![logged("a", "x")]);
        journal.append_blocking(id(RUN), one).unwrap();
    }
    let other = place.database();
    other
        .execute_batch("BEGIN; SELECT count(*) FROM events")
        .unwrap();
    drop(journal);
    assert!(left() > 1 << 20, "nobody who reads is disturbed");
    drop(other);
    drop(place.journal());
    assert_eq!(left(), 0);
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(reader.verify_run(id(RUN)).unwrap().seq, 302);
}
