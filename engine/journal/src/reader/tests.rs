use super::*;
use crate::entry::Entry;
use crate::event::{Decision, FinalStatus};
use crate::journal::Journal;
use crate::samples::{
    Place, approval, decided, finished, id, noted, run_waiting, started, step_started, step_waiting,
};

fn append(journal: &Journal, run: &str, event: crate::event::Event) {
    journal
        .append_blocking(id(run), vec![Entry::from(event)])
        .unwrap();
}

/// Three runs: `abcd…` finished, `abce…` with a step that runs, `bbbb…` just begun.
fn three() -> (Place, Reader) {
    let place = Place::new();
    let journal = place.journal();
    append(&journal, "abcd00000000", started(&[]));
    append(&journal, "abce00000000", started(&["a"]));
    append(&journal, "abce00000000", step_started("a", 1));
    append(&journal, "bbbb00000000", started(&[]));
    append(&journal, "abcd00000000", finished(FinalStatus::Cancelled));
    append(&journal, "abcd00000000", noted("a note after the end"));
    let reader = Reader::open(&place.state).unwrap();
    (place, reader)
}

#[test]
fn a_run_is_found_by_its_id_or_its_beginning_or_as_the_last() {
    let (_place, reader) = three();
    for text in ["abcd00000000", "abcd", "ABCD"] {
        assert_eq!(reader.resolve(text).unwrap(), id("abcd00000000"));
    }
    assert_eq!(reader.resolve("b").unwrap(), id("bbbb00000000"));
    assert_eq!(reader.resolve("@last").unwrap(), id("bbbb00000000"));
}

#[test]
fn a_text_that_names_no_run_or_several_says_what_to_do() {
    let (_place, reader) = three();
    for text in ["zz", "", "ledger", "l", "abcd000000000", "%", "é"] {
        let message = reader.resolve(text).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("there is no run `{text}`: `sandbook runs` lists them")
        );
    }
    assert_eq!(
        reader.resolve("abc").unwrap_err().to_string(),
        "`abc` fits several runs, `abcd00000000`, `abce00000000`: write more of the id"
    );
    let empty = Place::new();
    let reader = Reader::open(&empty.state).unwrap();
    assert!(matches!(reader.resolve("@last"), Err(ReadError::NoRuns)));
    assert_eq!(reader.runs(None).unwrap(), []);
}

#[test]
fn runs_are_listed_with_how_they_stand() {
    let (place, reader) = three();
    let _alive = place.state.lock_run(id("bbbb00000000")).unwrap().unwrap();
    let runs = reader.runs(None).unwrap();
    let standing: Vec<_> = runs
        .iter()
        .map(|run| (run.id.to_string(), run.status, run.finished_at))
        .collect();
    assert_eq!(
        standing,
        [
            ("bbbb00000000".to_owned(), RunStatus::Running, None),
            ("abce00000000".to_owned(), RunStatus::Interrupted, None),
            ("abcd00000000".to_owned(), RunStatus::Cancelled, Some(5)),
        ]
    );
    assert_eq!(reader.runs(Some(1)).unwrap(), runs[..1]);
}

#[test]
fn a_run_that_is_not_there_has_no_state() {
    let (_place, reader) = three();
    assert!(matches!(
        reader.state(id("000000000000")),
        Err(ReadError::NoSuchRun { .. })
    ));
    assert_eq!(reader.state(id("abce00000000")).unwrap().steps().len(), 1);
}

#[test]
fn a_content_that_was_altered_is_not_taken() {
    let (place, reader) = three();
    let content = crate::entry::Content::new(
        place.state.key(),
        b"body".to_vec(),
        crate::entry::Retention::Run,
    );
    let entry = Entry {
        event: noted("n"),
        contents: vec![content.clone()],
    };
    place
        .journal()
        .append_blocking(id("bbbb00000000"), vec![entry])
        .unwrap();
    assert_eq!(
        reader
            .content(id("bbbb00000000"), &content.kept())
            .unwrap()
            .unwrap(),
        b"body"
    );
    assert_eq!(
        reader.content(id("abcd00000000"), &content.kept()).unwrap(),
        None
    );
    place
        .database()
        .execute("UPDATE contents SET bytes = x'00'", [])
        .unwrap();
    assert!(matches!(
        reader.content(id("bbbb00000000"), &content.kept()),
        Err(ReadError::AlteredContent { .. })
    ));
}

#[test]
fn a_run_that_a_person_has_decided_about_and_nobody_goes_on_with_is_interrupted() {
    let place = Place::new();
    let journal = place.journal();
    let run = "abcd00000000";
    append(&journal, run, started(&["a"]));
    append(&journal, run, step_started("a", 1));
    append(&journal, run, step_waiting("a", 1, approval(1, |_| {})));
    append(&journal, run, run_waiting());
    let reader = Reader::open(&place.state).unwrap();
    let status = || {
        let state = reader.state(id(run)).unwrap();
        reader.status(id(run), &state).unwrap()
    };
    assert_eq!(status(), RunStatus::Waiting);
    append(&journal, run, decided("a", Decision::Approve));
    assert_eq!(status(), RunStatus::Interrupted);
    let _alive = place.state.lock_run(id(run)).unwrap().unwrap();
    assert_eq!(status(), RunStatus::Waiting);
}

#[test]
fn a_run_that_can_not_be_read_is_listed_as_such_beside_the_others() {
    let (place, reader) = three();
    let sql =
        "UPDATE events SET body = replace(body, 'attempt', 'tempt') WHERE kind = 'step_started'";
    place.database().execute(sql, []).unwrap();
    let listed = reader.list(None).unwrap();
    let readable: Vec<bool> = listed.iter().map(Result::is_ok).collect();
    assert_eq!(readable, [true, false, true]);
    assert_eq!(listed[1].as_ref().unwrap_err().id, id("abce00000000"));
    assert!(matches!(reader.runs(None), Err(ReadError::Log(_))));
}
