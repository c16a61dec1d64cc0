//! Several processes on one journal.

use super::*;

#[test]
fn two_processes_write_one_run_in_turns() {
    let place = Place::new();
    let (one, two) = (place.journal(), place.journal());
    let run = id(RUN);
    begin(&one, run);
    let mut published = one.subscribe(run);
    let seq = |journal: &Journal| {
        journal
            .append_blocking(run, entries(vec![logged("a", "x")]))
            .unwrap()[0]
            .seq
    };
    assert_eq!(
        [seq(&two), seq(&one), seq(&one), seq(&two), seq(&one)],
        [3, 4, 5, 6, 7]
    );
    drop(one);
    let seen: Vec<u64> = std::iter::from_fn(|| published.blocking_recv())
        .map(|stored| stored.seq)
        .collect();
    assert_eq!(
        seen,
        [3, 4, 5, 6, 7],
        "what the other wrote is published too"
    );
    begin(&two, id("bbbbbbbbbbbb"));
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(reader.verify_run(run).unwrap().seq, 7);
    assert_eq!(reader.ledger_head().unwrap().seq, 2);
}

#[test]
fn a_log_that_was_read_already_is_gone_on_with() {
    let place = Place::new();
    let run = id(RUN);
    let one = place.journal();
    begin(&one, run);
    let reader = Reader::open(&place.state).unwrap();
    let (state, head) = reader.walk(run, |_, _| {}).unwrap();
    let two = place.journal();
    let mut noticed = two.listen(run);
    two.know(run, head, &state);
    let append =
        |journal: &Journal, event: Event| journal.append_blocking(run, entries(vec![event]));
    // What another process adds after that is not overlooked.
    append(&one, logged("a", "x")).unwrap();
    let illegal = append(&two, step_started("a", 1)).unwrap_err();
    assert!(matches!(illegal, JournalError::Illegal { .. }), "{illegal}");
    assert_eq!(append(&two, logged("a", "y")).unwrap()[0].seq, 4);
    assert_eq!(noticed.blocking_recv().unwrap().seq, 3);
    assert_eq!(reader.verify_run(run).unwrap().seq, 4);
}

#[test]
fn two_processes_write_at_the_same_time() {
    let place = Place::new();
    begin(&place.journal(), id(RUN));
    std::thread::scope(|scope| {
        for run in ["bbbbbbbbbbbb", "cccccccccccc"] {
            let journal = place.journal();
            scope.spawn(move || {
                begin(&journal, id(run));
                for _ in 0..50 {
                    journal
                        .append_blocking(id(RUN), entries(vec![logged("a", run)]))
                        .unwrap();
                    journal
                        .append_blocking(id(run), entries(vec![logged("a", run)]))
                        .unwrap();
                }
            });
        }
    });
    let reader = Reader::open(&place.state).unwrap();
    assert_eq!(reader.verify_run(id(RUN)).unwrap().seq, 102);
    assert_eq!(reader.verify_run(id("bbbbbbbbbbbb")).unwrap().seq, 52);
    assert_eq!(reader.ledger_head().unwrap().seq, 3);
}

#[test]
fn a_second_end_by_another_process_is_refused() {
    let place = Place::new();
    let (one, two) = (place.journal(), place.journal());
    let run = id(RUN);
    one.append_blocking(run, entries(vec![started(&[])]))
        .unwrap();
    two.append_blocking(run, entries(vec![finished(FinalStatus::Succeeded)]))
        .unwrap();
    let second = one.append_blocking(run, entries(vec![finished(FinalStatus::Failed)]));
    assert!(matches!(
        second,
        Err(JournalError::Illegal { source, .. }) if *source == Illegal::Finished
    ));
    assert_eq!(
        one.append_blocking(run, entries(vec![noted("after the end")]))
            .unwrap()[0]
            .seq,
        3
    );
}
