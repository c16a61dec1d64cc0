mod whole;

use rusqlite::params;

use super::*;
use crate::chain::{Chain, Head};
use crate::digest::Digest;
use crate::event::{Event, FinalStatus};
use crate::journal::Journal;
use crate::samples::{Place, finished, id, logged, noted, started, step_started, step_succeeded};

const OVER: &str = "aaaaaaaaaaaa";
const OPEN: &str = "bbbbbbbbbbbb";

/// A run that is over, with 5 events, and one that isn't, with 3. The ledger has 3 entries.
fn record() -> Place {
    let place = Place::new();
    let journal = place.journal();
    let append = |run: &str, events: Vec<Event>| {
        let entries = events.into_iter().map(Into::into).collect();
        Journal::append_blocking(&journal, id(run), entries).unwrap();
    };
    append(
        OVER,
        vec![
            started(&["a"]),
            step_started("a", 1),
            logged("a", "one"),
            step_succeeded("a", 1),
            finished(FinalStatus::Succeeded),
        ],
    );
    append(
        OPEN,
        vec![started(&["a"]), step_started("a", 1), logged("a", "one")],
    );
    place
}

fn terms(place: &Place) -> Terms {
    Terms {
        key: place.state.signing_key().unwrap().public(),
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    }
}

fn audit(place: &Place) -> Audit {
    let reader = Reader::open(&place.state).unwrap();
    reader.audit(&terms(place)).unwrap()
}

fn found(audit: &Audit) -> Vec<(String, &'static str)> {
    let findings = audit.findings.iter();
    findings
        .map(|finding| (finding.place.to_string(), finding.fault.word()))
        .collect()
}

/// What is found after this was done to the database.
fn after(sql: &str) -> Vec<(String, &'static str)> {
    let place = record();
    place.database().execute_batch(sql).unwrap();
    found(&audit(&place))
}

fn at(place: &str, word: &'static str) -> (String, &'static str) {
    (place.to_owned(), word)
}

fn in_run(run: &str, event: u64, word: &'static str) -> (String, &'static str) {
    (format!("run {run}, event {event}"), word)
}

/// A chain's number and an event's, as one key: the first run has number 1.
fn key(number: i64, seq: i64) -> i64 {
    (number << 32) + seq
}

/// Gives every link of a chain the hash that fits.
fn rehash(place: &Place, number: i64, name: &str) {
    let database = place.database();
    let mut statement = database
        .prepare("SELECT id, time, version, body FROM events WHERE id >> 32 = ?1 ORDER BY id")
        .unwrap();
    let mut chain = Chain::new(name);
    let rows: Vec<(i64, u64, u32, String)> = statement
        .query_map([number], |row| {
            Ok((
                row.get(0)?,
                row.get::<_, i64>(1)?.unsigned_abs(),
                row.get(2)?,
                row.get(3)?,
            ))
        })
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (id, time, version, body) in rows {
        let head = chain.extend(time, version, &body);
        database
            .execute(
                "UPDATE events SET hash = ?1 WHERE id = ?2",
                params![head.hash.as_bytes(), id],
            )
            .unwrap();
    }
}

fn anchor(place: &Place, name: &str) -> AnchorText {
    let anchors = crate::anchors::Anchors::open(&place.state).unwrap();
    let head = anchors.head(None, 40).unwrap().unwrap();
    AnchorText {
        name: name.to_owned(),
        text: Ok(head.line() + "\n"),
        sent: 0,
    }
}

#[test]
fn an_untouched_record_is_sound_and_its_ranges_are_vouched_for() {
    let place = record();
    let audit = audit(&place);
    assert_eq!(found(&audit), []);
    assert_eq!(audit.entries, 3);
    let heads: Vec<_> = audit
        .runs
        .iter()
        .map(|run| (run.events, run.head))
        .collect();
    assert_eq!(heads, [(5, Some((5, 2))), (3, None)]);
    let key = terms(&place).key;
    let signed = Vouched {
        by: Voucher::Signature { key },
        to: 2,
    };
    assert_eq!(audit.vouched, vec![signed.clone()]);

    let mut terms = terms(&place);
    terms.anchors = vec![anchor(&place, "far")];
    let audit = Reader::open(&place.state).unwrap().audit(&terms).unwrap();
    let by = Voucher::Anchor {
        name: "far".to_owned(),
        time: 40,
    };
    assert_eq!(audit.vouched, [Vouched { by, to: 3 }, signed]);
    assert_eq!(found(&audit), []);
}

#[test]
fn what_follows_an_end_is_signed_as_well() {
    let place = record();
    let journal = place.journal();
    journal
        .append_blocking(id(OVER), vec![noted("later").into()])
        .unwrap();
    let audit = audit(&place);
    assert_eq!(found(&audit), []);
    assert_eq!(audit.runs[0].head, Some((6, 4)));
}

#[test]
fn a_changed_removed_inserted_or_moved_event_is_named() {
    let third = key(1, 3);
    let altered = in_run(OVER, 3, "altered");
    for sql in [
        format!("UPDATE events SET body = replace(body, 'one', 'two') WHERE id = {third}"),
        format!("UPDATE events SET time = 9 WHERE id = {third}"),
        format!("UPDATE events SET kind = 'noted' WHERE id = {third}"),
        format!("UPDATE events SET version = 7 WHERE id = {third}"),
        format!("UPDATE events SET body = CAST(x'ff' AS TEXT) WHERE id = {third}"),
    ] {
        assert_eq!(after(&sql), vec![altered.clone()], "{sql}");
    }
    // Whose hash is another one, so that the next doesn't follow from it.
    let next = in_run(OVER, 4, "altered");
    let sql = format!("UPDATE events SET hash = x'00' WHERE id = {third}");
    assert_eq!(after(&sql), [altered.clone(), next.clone()]);
    let sql = format!("DELETE FROM events WHERE id = {third}");
    assert_eq!(after(&sql), [in_run(OVER, 3, "missing")]);
    let sql = format!(
        "UPDATE events SET id = id + 10 WHERE id > {third} AND id < {end};
         UPDATE events SET id = id - 9 WHERE id > {third} + 9 AND id < {end};
         INSERT INTO events SELECT id + 1, time, kind, version, body, hash FROM events WHERE id = {third}",
        end = key(2, 0)
    );
    let inserted = after(&sql);
    assert!(inserted.contains(&next), "{inserted:?}");
    let sql = format!(
        "UPDATE events SET id = -1 WHERE id = {third};
         UPDATE events SET id = {third} WHERE id = {third} + 1;
         UPDATE events SET id = {third} + 1 WHERE id = -1"
    );
    let moved = after(&sql);
    assert!(
        moved.contains(&altered) && moved.contains(&next),
        "{moved:?}"
    );
}

#[test]
fn every_fault_of_every_run_is_found() {
    let sql = format!(
        "UPDATE events SET time = 9 WHERE id IN ({}, {}, {})",
        key(1, 2),
        key(1, 4),
        key(2, 2)
    );
    assert_eq!(
        after(&sql),
        [
            in_run(OVER, 2, "altered"),
            in_run(OVER, 4, "altered"),
            in_run(OPEN, 2, "altered")
        ]
    );
}

#[test]
fn the_cut_end_of_a_finished_run_is_found_and_that_of_an_open_one_can_not_be() {
    let sql = format!("DELETE FROM events WHERE id = {}", key(1, 5));
    assert_eq!(after(&sql), [in_run(OVER, 5, "cut_off")]);
    let sql = format!("DELETE FROM events WHERE id = {}", key(2, 3));
    assert_eq!(after(&sql), []);
}

#[test]
fn a_run_that_was_written_anew_has_no_signed_head_that_fits() {
    let place = record();
    let sql = "UPDATE events SET body = replace(body, '\"one\"', '\"two\"') WHERE id >> 32 = 1";
    place.database().execute(sql, []).unwrap();
    rehash(&place, 1, OVER);
    assert_eq!(found(&audit(&place)), [in_run(OVER, 5, "other_head")]);
}

#[test]
fn a_run_that_was_taken_out_or_put_in_is_found() {
    let sql = "DELETE FROM events WHERE id >> 32 = 1; DELETE FROM chains WHERE number = 1";
    assert_eq!(after(sql), [at(&format!("run {OVER}"), "removed")]);
    let sql = "UPDATE chains SET name = 'cccccccccccc' WHERE number = 2";
    let words: Vec<_> = after(sql).into_iter().map(|(_, word)| word).collect();
    assert!(words.contains(&"not_in_ledger") && words.contains(&"removed"));
    let sql = format!(
        "INSERT INTO events SELECT {}, time, kind, version, body, hash FROM events WHERE id = {}",
        key(9, 1),
        key(1, 1)
    );
    assert_eq!(after(&sql), [at("database", "stray")]);
}

#[test]
fn a_ledger_that_was_written_anew_without_the_key_is_found() {
    let place = record();
    let sql = "UPDATE events SET time = 9 WHERE id = 1";
    place.database().execute(sql, []).unwrap();
    assert_eq!(found(&audit(&place)), [at("ledger, entry 1", "altered")]);
    rehash(&place, 0, LEDGER);
    assert_eq!(
        found(&audit(&place)),
        [at("ledger, entry 2", "wrongly_signed")]
    );
}

#[test]
fn whoever_has_the_key_is_found_out_by_an_anchor_alone() {
    let place = record();
    let anchored = anchor(&place, "far");
    // The operator begins anew, with the same key.
    let anew = record();
    let key = place.state.path().join("signing-key");
    std::fs::copy(key, anew.state.path().join("signing-key")).unwrap();
    std::fs::remove_file(anew.state.journal_path()).unwrap();
    let journal = anew.journal();
    journal
        .append_blocking(id(OPEN), vec![started(&["b"]).into()])
        .unwrap();
    drop(journal);
    assert_eq!(found(&audit(&anew)), []);
    let mut terms = terms(&anew);
    terms.anchors = vec![anchored];
    let reader = Reader::open(&anew.state).unwrap();
    assert_eq!(
        found(&reader.audit(&terms).unwrap()),
        [at("anchor far, line 1", "anchor_beyond")]
    );
    for run in ["cccccccccccc", "dddddddddddd"] {
        let journal = anew.journal();
        journal
            .append_blocking(id(run), vec![started(&["b"]).into()])
            .unwrap();
    }
    assert_eq!(
        found(&reader.audit(&terms).unwrap()),
        [at("anchor far, line 1", "anchor_differs")]
    );
}

#[test]
fn an_anchor_counts_only_with_its_own_signature() {
    let place = record();
    let mut terms = terms(&place);
    let mut forged = anchor(&place, "far");
    forged.text = forged
        .text
        .map(|text| text.replace("\"seq\":3", "\"seq\":2"));
    terms.anchors = vec![forged, anchor(&record(), "foreign")];
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(
        found(&reader.audit(&terms).unwrap()),
        [
            at("anchor far, line 1", "not_a_line"),
            at("anchor foreign, line 1", "strange_key")
        ]
    );
}

#[test]
fn an_export_is_checked_with_the_key_alone() {
    let place = record();
    let reader = Reader::open(&place.state).unwrap();
    let key = place.state.signing_key().unwrap();
    let export = |runs: Option<&[RunId]>| {
        let what = Exporting {
            runs,
            with_contents: true,
            now: 50,
        };
        let mut text = String::new();
        let line = |line: &str| text.push_str(&format!("{line}\n"));
        reader.export(&key, &what, line).unwrap();
        text
    };
    let look = |text: &str| {
        let audit = audit_export(text.as_bytes(), &terms(&place)).unwrap();
        found(&audit)
    };
    let whole = export(None);
    assert_eq!(look(&whole), []);
    assert_eq!(whole.lines().count(), 1 + 3 + 8);
    let part = export(Some(&[id(OPEN)]));
    assert_eq!(look(&part), []);
    assert_eq!(part.lines().count(), 1 + 3 + 3);

    assert_eq!(
        look(&whole.replacen("\"one\"", "\"two\"", 1)),
        [in_run(OVER, 3, "altered")]
    );
    let without = |at: usize| {
        let mut lines: Vec<&str> = whole.lines().collect();
        lines.remove(at);
        lines.join("\n")
    };
    assert_eq!(
        look(&without(3)),
        [
            at("export, line 1", "anchor_beyond"),
            at(&format!("run {OPEN}"), "not_in_ledger"),
        ]
        .into_iter()
        .rev()
        .collect::<Vec<_>>()
    );
    assert_eq!(look(&without(8)), [in_run(OVER, 5, "cut_off")]);
    assert!(matches!(
        audit_export(without(0).as_bytes(), &terms(&place)),
        Err(NotAnExport::Header)
    ));
    let stranger = audit_export(whole.as_bytes(), &terms(&record())).unwrap();
    assert!(found(&stranger).contains(&at("export, line 1", "strange_key")));
}

#[test]
fn one_run_can_be_looked_at_alone() {
    let place = record();
    let sql = format!("UPDATE events SET time = 9 WHERE id = {}", key(1, 2));
    place.database().execute(&sql, []).unwrap();
    let mut terms = terms(&place);
    terms.only = Some(id(OPEN));
    let audit = Reader::open(&place.state).unwrap().audit(&terms).unwrap();
    assert_eq!((found(&audit), audit.runs.len()), (vec![], 1));
}

#[test]
fn a_head_is_that_of_the_ledger() {
    let place = record();
    let reader = Reader::open(&place.state).unwrap();
    let Head { seq, hash } = reader.ledger_head().unwrap();
    assert_eq!(seq, 3);
    assert_ne!(hash, Digest::of(b""));
}
