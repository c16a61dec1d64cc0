//! That nothing is left out: of an export, of what has to be signed, of anchors, of contents.

use rusqlite::params;

use super::*;

#[test]
fn a_header_that_the_key_did_not_sign_is_found() {
    let place = record();
    let reader = Reader::open(&place.state).unwrap();
    let key = place.state.signing_key().unwrap();
    let what = Exporting {
        runs: None,
        with_contents: false,
        now: 50,
    };
    let mut lines = Vec::new();
    reader
        .export(&key, &what, |line| lines.push(line.to_owned()))
        .unwrap();
    let look = |lines: &[String]| {
        let text = lines.join("\n");
        found(&audit_export(text.as_bytes(), &terms(&place)).unwrap())
    };
    assert_eq!(look(&lines), []);
    let header = |change: fn(&mut serde_json::Value)| {
        let mut header = serde_json::from_str(&lines[0]).unwrap();
        change(&mut header);
        header.to_string()
    };
    let wrong = at("export, line 1", "wrongly_signed");
    // Without a head, the ledger can be cut and the runs with it.
    let mut cut = lines[..2].to_vec();
    cut[0] = header(|header| header["head"] = serde_json::Value::Null);
    assert!(look(&cut).contains(&wrong));
    // A run is left out, as if it had never been asked for.
    let mut part: Vec<String> = lines.clone();
    part.retain(|line| !line.contains(&format!(r#""entry":{{"run":"{OVER}"#)));
    part[0] = header(|header| header["runs"] = serde_json::json!([OPEN]));
    assert_eq!(look(&part), std::slice::from_ref(&wrong));
    let mut unsigned = lines.clone();
    unsigned[0] = header(|header| drop(header.as_object_mut().unwrap().remove("signature")));
    assert_eq!(look(&unsigned), [wrong]);
    // An entry behind the head needs no key.
    let mut longer = lines.clone();
    let third = lines[3].clone();
    longer.insert(4, third.replace(r#""seq":3"#, r#""seq":4"#));
    assert!(look(&longer).contains(&at("export, line 1", "behind_head")));
}

#[test]
fn what_people_say_and_where_a_run_is_left_is_vouched_for() {
    let place = record();
    let journal = place.journal();
    let append = |event: Event| {
        journal
            .append_blocking(id(OPEN), vec![event.into()])
            .unwrap()
    };
    append(Event::RunInterrupted {
        cause: crate::event::Signal::Terminate.into(),
    });
    assert_eq!(audit(&place).runs[1].head, Some((4, 4)));
    let sql = format!("DELETE FROM events WHERE id = {}", key(2, 4));
    place.database().execute(&sql, []).unwrap();
    assert_eq!(found(&audit(&place)), [in_run(OPEN, 4, "cut_off")]);
}

#[test]
fn who_has_no_key_can_not_have_a_finished_run_go_on() {
    let place = Place::new();
    let mut done = step_succeeded("a", 1);
    if let Event::StepSucceeded { changed, .. } = &mut done {
        *changed = true;
    }
    let events = [
        crate::samples::undoable(&["a"]),
        step_started("a", 1),
        done,
        finished(FinalStatus::Succeeded),
    ];
    let entries = events.into_iter().map(Into::into).collect();
    place.journal().append_blocking(id(OVER), entries).unwrap();
    let mut chain = Chain::new(OVER);
    let reader = Reader::open(&place.state).unwrap();
    chain.resume_at(reader.verify_run(id(OVER)).unwrap());
    let mut event = Event::UndoRequested {
        by: crate::samples::operator(),
        reason: "forged".to_owned(),
    };
    let body = event.encode();
    let hash = chain.extend(9, 1, &body).hash;
    place
        .database()
        .execute(
            "INSERT INTO events VALUES (?1, 9, 'undo_requested', 1, ?2, ?3)",
            params![key(1, 5), body, hash.as_bytes()],
        )
        .unwrap();
    assert_eq!(found(&audit(&place)), [in_run(OVER, 5, "unsigned_end")]);
}

#[test]
fn a_row_before_the_first_and_a_chain_of_nothing_are_found() {
    let sql = format!(
        "INSERT INTO events SELECT {}, time, kind, version, body, hash FROM events WHERE id = {}",
        key(1, 0),
        key(1, 1)
    );
    assert_eq!(after(&sql), [at("database", "stray")]);
    let sql = "INSERT INTO chains VALUES (7, 'cccccccccccc', 1)";
    assert_eq!(after(sql), [at("run cccccccccccc", "empty")]);
}

#[test]
fn an_anchor_that_lost_what_it_got_or_can_not_be_read_is_found() {
    let place = record();
    let mut terms = terms(&place);
    let mut cut = anchor(&place, "cut");
    cut.sent = 4;
    let mut unreadable = anchor(&place, "far");
    unreadable.text = Err("no such device".to_owned());
    let mut emptied = anchor(&place, "near");
    (emptied.text, emptied.sent) = (Ok(String::new()), 2);
    terms.anchors = vec![cut, unreadable, emptied];
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(
        found(&reader.audit(&terms).unwrap()),
        [
            at("anchor cut", "anchor_cut"),
            at("anchor far", "unreadable_anchor"),
            at("anchor near", "anchor_cut"),
        ]
    );
}

#[test]
fn the_lines_of_a_directory_that_was_imported_are_passed_over() {
    let place = record();
    let there = Place::new();
    let journal = there.journal();
    journal
        .append_blocking(id("cccccccccccc"), vec![started(&[]).into()])
        .unwrap();
    let mut terms = terms(&place);
    terms.anchors = vec![anchor(&there, "shared")];
    let reader = Reader::open(&place.state).unwrap();
    let strange = at("anchor shared, line 1", "strange_key");
    assert_eq!(found(&reader.audit(&terms).unwrap()), [strange]);
    crate::import::import(&place.state, &there.state, &crate::samples::operator(), 60).unwrap();
    let audit = reader.audit(&terms).unwrap();
    assert_eq!((found(&audit), audit.remarks.len()), (vec![], 1));
}

#[test]
fn what_lies_outside_the_chains_is_looked_at() {
    let place = Place::new();
    let runbook = place.state.put_blob(b"text").unwrap();
    let content = crate::entry::Content::new(
        place.state.key(),
        b"body".to_vec(),
        crate::entry::Retention::Run,
    );
    let entry = crate::entry::Entry {
        event: crate::samples::started_with(&[], |facts| facts.runbook.digest = runbook),
        contents: vec![content],
    };
    place
        .journal()
        .append_blocking(id(OVER), vec![entry])
        .unwrap();
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(reader.audit_contents(None).unwrap(), []);
    place
        .database()
        .execute("UPDATE contents SET bytes = x'00'", [])
        .unwrap();
    let path = place.state.path().join("blobs/sha256").join(runbook.hex());
    std::fs::write(path, "test").unwrap();
    let found = reader.audit_contents(None).unwrap();
    let words: Vec<_> = found.iter().map(|found| found.fault.word()).collect();
    assert_eq!(words, ["content", "content"], "{found:?}");
    assert_eq!(reader.audit_contents(Some(id(OPEN))).unwrap(), []);
}
