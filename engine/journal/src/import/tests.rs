use super::*;
use crate::audit::Audit;
use crate::entry::{Content, Entry, Retention};
use crate::event::{Event, FinalStatus};
use crate::samples::{Place, finished, id, noted, operator, started_with, step_started};

const RUN: &str = "aaaaaaaaaaaa";

fn append(place: &Place, events: Vec<Entry>) {
    place.journal().append_blocking(id(RUN), events).unwrap();
}

/// A run of one step, with a body and a sensitive value, under the key that `key_of` says.
fn begin(place: &Place) -> [Content; 2] {
    let digest = place.state.put_blob(b"runbook").unwrap();
    let key = place.state.key();
    let contents = [
        Content::new(key, b"body".to_vec(), Retention::Run),
        Content::new(key, b"secret".to_vec(), Retention::RunEnd),
    ];
    let started = Entry {
        event: started_with(&["a"], |facts| facts.runbook.digest = digest),
        contents: contents.to_vec(),
    };
    append(place, vec![started, step_started("a", 1).into()]);
    contents
}

fn end(place: &Place) {
    let end: [Event; 2] = [
        crate::samples::step_succeeded("a", 1),
        finished(FinalStatus::Succeeded),
    ];
    append(place, end.into_iter().map(Entry::from).collect());
}

fn added(events: u64) -> Added {
    Added {
        events,
        behind: None,
    }
}

fn bring(from: &Place, to: &Place) -> Imported {
    let mut all = import(&to.state, &from.state, &operator(), 50).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0).1
}

fn audit(place: &Place) -> Audit {
    let terms = Terms {
        key: place.state.signing_key().unwrap().public(),
        others: Vec::new(),
        anchors: Vec::new(),
        only: None,
    };
    Reader::open(&place.state).unwrap().audit(&terms).unwrap()
}

#[test]
fn a_run_comes_with_its_chain_its_contents_and_its_key() {
    let (there, here) = (Place::new(), Place::new());
    let [body, secret] = begin(&there);
    assert_eq!(bring(&there, &here), Imported::New(added(2)));
    assert_eq!(bring(&there, &here), Imported::AlreadyHere);
    let run = id(RUN);
    let reader = Reader::open(&here.state).unwrap();
    let original = Reader::open(&there.state).unwrap();
    assert_eq!(
        reader.events(run, 0).unwrap(),
        original.events(run, 0).unwrap()
    );
    for content in [&body, &secret] {
        assert_eq!(
            reader.content(run, &content.kept()).unwrap().unwrap(),
            content.bytes()
        );
    }
    assert!(reader.key_of(run).unwrap() == *there.state.key());
    assert_eq!(
        here.state
            .blob(&crate::digest::Digest::of(b"runbook"))
            .unwrap(),
        b"runbook"
    );
    assert_eq!(audit(&here).findings, []);
}

#[test]
fn what_was_added_there_is_added_here_and_sensitive_values_go_with_the_end() {
    let (there, here) = (Place::new(), Place::new());
    let [body, secret] = begin(&there);
    bring(&there, &here);
    end(&there);
    assert_eq!(bring(&there, &here), Imported::Extended(added(2)));
    let reader = Reader::open(&here.state).unwrap();
    assert_eq!(reader.content(id(RUN), &secret.kept()).unwrap(), None);
    assert!(reader.content(id(RUN), &body.kept()).unwrap().is_some());
    assert_eq!(audit(&here).findings, []);
    // And what goes on here is longer than what is there.
    append(&here, vec![noted("here").into()]);
    assert_eq!(bring(&there, &here), Imported::AlreadyHere);
    assert_eq!(bring(&here, &there), Imported::Extended(added(1)));
    assert!(Reader::open(&there.state).unwrap().key_of(id(RUN)).unwrap() == *there.state.key());
    assert_eq!(audit(&there).findings, []);
}

#[test]
fn a_run_that_lives_or_is_another_or_was_removed_or_altered_is_left() {
    let (there, here) = (Place::new(), Place::new());
    begin(&there);
    let lock = there.state.lock_run(id(RUN)).unwrap();
    assert_eq!(bring(&there, &here), Imported::Live);
    drop(lock);
    let other = Place::new();
    append(&other, vec![started_with(&["b"], |_| {}).into()]);
    bring(&there, &here);
    assert_eq!(bring(&other, &here), Imported::Other);
    assert_eq!(audit(&here).runs.len(), 1);
    end(&here);
    crate::prune::prune(&here.state, &[id(RUN)], &operator(), 60).unwrap();
    assert_eq!(bring(&there, &here), Imported::Pruned);
    there
        .database()
        .execute(
            "UPDATE events SET time = 77 WHERE kind = 'step_started'",
            [],
        )
        .unwrap();
    assert!(matches!(bring(&there, &Place::new()), Imported::Unsound(_)));
    assert!(matches!(
        import(&here.state, &here.state, &operator(), 1),
        Err(ImportError::Itself)
    ));
}

#[test]
fn a_run_that_comes_holds_its_group_until_it_has_ended_wherever_it_does() {
    let group = Some("site".to_owned());
    let other = "bbbbbbbbbbbb";
    let begin = |place: &Place, run: &str| {
        let started = started_with(&[], |facts| facts.group.clone_from(&group));
        let journal = place.journal();
        journal.append_blocking(id(run), vec![started.into()])
    };
    let (there, here) = (Place::new(), Place::new());
    begin(&there, RUN).unwrap();
    assert_eq!(bring(&there, &here), Imported::New(added(1)));
    let reader = Reader::open(&here.state).unwrap();
    assert_eq!(reader.holder("site").unwrap(), Some(id(RUN)));
    assert!(begin(&here, other).is_err());
    append(&there, vec![finished(FinalStatus::Succeeded).into()]);
    assert_eq!(bring(&there, &here), Imported::Extended(added(1)));
    assert_eq!(reader.holder("site").unwrap(), None);
    begin(&here, other).unwrap();

    let (there, late) = (Place::new(), id(other));
    begin(&there, RUN).unwrap();
    let here = Place::new();
    begin(&here, other).unwrap();
    let behind = Behind {
        group: "site".to_owned(),
        holder: late,
    };
    let events = 1;
    let behind = Some(behind);
    assert_eq!(
        bring(&there, &here),
        Imported::New(Added { events, behind })
    );
    let reader = Reader::open(&here.state).unwrap();
    assert_eq!(reader.holder("site").unwrap(), Some(late));
}
