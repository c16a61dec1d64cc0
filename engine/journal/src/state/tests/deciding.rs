//! Steps that wait for people, and what people say.

use super::*;
use crate::samples::decided_by;

fn asks(waiting: Waiting) -> Vec<Event> {
    vec![
        started(&["a", "b"]),
        step_started("a", 1),
        step_waiting("a", 1, waiting),
    ]
}

/// A step whose request's answer was lost.
fn in_doubt() -> Vec<Event> {
    vec![
        started(&["a", "b"]),
        step_started("a", 1),
        begun("a", 1, 1, false),
        ended("a", 1, 1, unknown()),
        step_waiting("a", 1, Waiting::InDoubt { request: 1 }),
    ]
}

fn and(log: &[Event], more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    log.iter().cloned().chain(more).collect()
}

const RETRY: Decision = Decision::Retry {
    request: None,
    fresh: false,
};

fn not_happened(request: u32) -> Decision {
    Decision::Retry {
        request: Some(request),
        fresh: false,
    }
}

fn done() -> Decision {
    Decision::Done {
        outputs: Values::new(),
    }
}

fn happened() -> Decision {
    Decision::Happened {
        request: 1,
        answer: answered(201),
    }
}

#[test]
fn a_decision_that_does_not_fit_is_refused_and_says_which_do() {
    let log = asks(approval(1, |_| {}));
    assert_eq!(
        refused(&and(&log, [decided("a", RETRY)])),
        "step `a` waits (approval), and `retry` doesn't fit: say approve or reject"
    );
    assert_eq!(
        refused(&and(&in_doubt(), [decided("a", Decision::Skip)])),
        "step `a` waits (in doubt), and `skip` doesn't fit: say happened or retry or done or abort"
    );
    assert_eq!(
        refused(&and(&log, [decided("b", Decision::Approve)])),
        "step `b` is pending, so it can't be decided about"
    );
}

#[test]
fn a_second_decision_is_refused() {
    let log = asks(Waiting::Paused);
    for second in [RETRY, Decision::Abort, Decision::Skip] {
        let twice = [decided("a", RETRY), decided("a", second)];
        assert_eq!(
            refused(&and(&log, twice)),
            "step `a` was decided already: ann said `retry`"
        );
    }
}

#[test]
fn nothing_but_an_approval_goes_without_a_reason() {
    for why in [None, Some(" ")] {
        let skip = decided_by("a", Decision::Skip, "ann", why);
        let log = and(&asks(Waiting::Paused), [skip]);
        assert!(refused(&log).contains("`skip` needs a reason"), "{why:?}");
    }
    let approve = decided_by("a", Decision::Approve, "ann", None);
    fold(&and(&asks(approval(1, |_| {})), [approve])).unwrap();
}

#[test]
fn an_approval_takes_as_many_people_as_it_says() {
    let log = asks(approval(2, |_| {}));
    let ann = || decided_by("a", Decision::Approve, "ann", None);
    let ben = || decided_by("a", Decision::Approve, "ben", None);
    assert_eq!(
        refused(&and(&log, [ann(), ann()])),
        "`ann` has approved step `a` already: another person has to"
    );
    assert_eq!(
        refused(&and(&log, [ann(), step_succeeded("a", 1)])),
        "step `a` is waiting, so it can't be succeeded"
    );
    let state = fold(&and(&log, [ann(), ben(), step_succeeded("a", 1)])).unwrap();
    assert_eq!(state.step("a").unwrap().status, StepStatus::Succeeded);
}

#[test]
fn who_may_approve_is_looked_at() {
    let log = asks(approval(1, |it| {
        it.approvers = vec!["ben".into(), "cat".into()];
    }));
    let says = |who| decided_by("a", Decision::Approve, who, None);
    assert_eq!(
        refused(&and(&log, [says("ann")])),
        "`ann` may not decide about step `a`: ben, cat may"
    );
    fold(&and(&log, [says("cat")])).unwrap();

    let log = asks(approval(1, |it| it.allow_self = false));
    assert_eq!(
        refused(&and(&log, [says("ann")])),
        "step `a` is to be approved by somebody else than who started the run"
    );
    fold(&and(&log, [decided("a", Decision::Reject)])).expect("who started it may reject it");
}

#[test]
fn an_approval_that_nobody_gave_in_time_is_a_rejection() {
    let at = |expires_at| asks(approval(1, |it| it.expires_at = Some(expires_at)));
    let late = and(&at(3), [decided("a", Decision::Approve)]);
    assert!(refused(&late).contains("is over: resume the run"));
    fold(&and(&at(4), [step_failed("a", 1, None, false)])).expect("its time is over");
    let never = asks(approval(1, |_| {}));
    assert_eq!(
        refused(&and(&never, [step_failed("a", 1, None, false)])),
        "step `a` is waiting, so it can't be failed"
    );
}

#[test]
fn what_would_be_approved_in_vain_fails_with_the_run() {
    let broken = [step_started("b", 1), step_failed("b", 1, None, false)];
    let fails = step_failed("a", 1, None, false);
    for waiting in [approval(1, |_| {}), Waiting::Paused] {
        let in_vain = matches!(waiting, Waiting::Approval { .. });
        let log = and(&and(&asks(waiting), broken.clone()), [fails.clone()]);
        assert_eq!(fold(&log).is_ok(), in_vain);
    }
}

#[test]
fn a_doubt_is_emptied_by_a_decision_and_by_nothing_else() {
    let log = in_doubt();
    for event in [
        step_started("a", 2),
        step_succeeded("a", 1),
        step_failed("a", 1, None, true),
        skipped("a"),
    ] {
        assert!(
            refused(&and(&log, [event.clone()])).contains("waiting"),
            "{event:?}"
        );
    }
    let state = fold(&and(&log, [decided("a", happened()), step_started("a", 2)])).unwrap();
    let a = state.step("a").unwrap();
    assert_eq!((a.status, a.doubt()), (StepStatus::Running, None));
    assert_eq!(
        a.requests[0].settled,
        Some(Settled::Happened(answered(201)))
    );
    assert!(a.decided.is_some());
    fold(&and(&log, [decided("a", done()), step_succeeded("a", 1)])).unwrap();
    // Given up, it stays.
    let given_up = and(&log, [decided("a", Decision::Abort)]);
    assert_eq!(
        refused(&and(&given_up, [step_failed("a", 1, None, false)])),
        "step `a` can't be failed without saying so: request 1 of it is in doubt"
    );
    fold(&and(&given_up, [step_failed("a", 1, Some(1), false)])).unwrap();
}

#[test]
fn of_several_doubts_each_is_decided() {
    let log = [
        started(&["a"]),
        step_started("a", 1),
        begun("a", 1, 1, false),
        ended("a", 1, 1, unknown()),
        begun("a", 1, 2, false),
        ended("a", 1, 2, unknown()),
        step_waiting("a", 1, Waiting::InDoubt { request: 1 }),
        decided("a", happened()),
    ];
    assert_eq!(
        refused(&and(&log, [step_started("a", 2)])),
        "step `a` is waiting, so it can't be started"
    );
    let state = fold(&log).unwrap();
    let question = state.step("a").unwrap().question.clone().unwrap();
    assert_eq!(question.waiting, Waiting::InDoubt { request: 2 });
    fold(&and(
        &log,
        [decided("a", not_happened(2)), step_started("a", 2)],
    ))
    .unwrap();
}

#[test]
fn a_decision_is_about_the_attempt_and_the_request_that_it_names() {
    let mut stale = decided("a", happened());
    if let Event::Decided { attempt, .. } = &mut stale {
        *attempt = 2;
    }
    assert!(refused(&and(&in_doubt(), [stale])).contains("attempt 2 of step `a`"));
    assert_eq!(
        refused(&and(&in_doubt(), [decided("a", not_happened(2))])),
        "request 2 of step `a` is not the one in doubt"
    );
    assert!(refused(&and(&in_doubt(), [decided("a", RETRY)])).contains("not the one in doubt"));
    assert_eq!(
        refused(&and(
            &asks(Waiting::Paused),
            [decided("a", not_happened(1))]
        )),
        "request 1 of step `a` is not the one in doubt"
    );
}

#[test]
fn what_is_asked_after_a_cancellation_is_given_up_at_once_but_in_finally() {
    let finally = started_with(&["a"], |facts| facts.sections.finally.push("f".into()));
    let log = [
        finally,
        step_started("a", 1),
        step_started("f", 1),
        cancel_requested(false),
        step_waiting("a", 1, Waiting::Paused),
        step_waiting("f", 1, Waiting::Paused),
    ];
    let state = fold(&log).unwrap();
    let asked: Vec<_> = state.questions().map(|(step, _)| step.id.clone()).collect();
    assert_eq!(asked, [StepId::from("f")]);
    assert!(refused(&and(&log, [decided("a", RETRY)])).contains("nobody is asked"));
    assert!(refused(&and(&log, [run_waiting()])).contains("something to do"));
    fold(&and(
        &log,
        [step_failed("a", 1, None, false), run_waiting()],
    ))
    .unwrap();
}

#[test]
fn an_answer_that_is_no_success_has_not_happened() {
    let refusal = Decision::Happened {
        request: 1,
        answer: answered(404),
    };
    assert!(refused(&and(&in_doubt(), [decided("a", refusal)])).contains("isn't a success"));
}

#[test]
fn what_was_decided_is_what_comes_of_it() {
    let log = asks(Waiting::Paused);
    let skip = Event::StepSkipped {
        step: "a".into(),
        reason: SkipReason::Decided,
    };
    let ends = |decision: &Decision| {
        let decided = decided("a", decision.clone());
        let comes = |event: Event| fold(&and(&log, [decided.clone(), event])).is_ok();
        [
            comes(step_started("a", 2)),
            comes(skip.clone()),
            comes(step_succeeded("a", 1)),
            comes(step_failed("a", 1, None, false)),
        ]
    };
    assert_eq!(ends(&RETRY), [true, false, false, false]);
    assert_eq!(ends(&Decision::Skip), [false, true, false, false]);
    assert_eq!(ends(&done()), [false, false, true, false]);
    assert_eq!(ends(&Decision::Abort), [false, false, false, true]);
    assert_eq!(
        refused(&[started(&["a"]), skip.clone()]),
        "step `a` is pending, so it can't be skipped by a decision"
    );
}

#[test]
fn a_run_waits_for_people_alone() {
    let log = asks(Waiting::Paused);
    assert_eq!(
        refused(&and(&log, [step_started("b", 1), run_waiting()])),
        "there is something to do in the run, so it doesn't wait"
    );
    let decided_already = and(&log, [decided("a", RETRY), run_waiting()]);
    assert!(refused(&decided_already).contains("something to do"));
    let waits = and(&log, [run_waiting()]);
    let state = fold(&waits).unwrap();
    assert_eq!(state.status(), RunStatus::Waiting);
    assert_eq!(state.questions().count(), 1);
    assert_eq!(
        refused(&and(&waits, [step_started("b", 1)])),
        "the run waits for a person: it has to be resumed first"
    );
    let goes_on = and(
        &waits,
        [decided("a", RETRY), resumed(), step_started("a", 2)],
    );
    assert_eq!(fold(&goes_on).unwrap().status(), RunStatus::Running);
    assert!(refused(&and(&log, [finished(FinalStatus::Failed)])).contains("is waiting"));
}

#[test]
fn a_cancelled_run_asks_nobody_but_about_doubts() {
    let log = and(&asks(Waiting::Paused), [cancel_requested(false)]);
    assert_eq!(fold(&log).unwrap().questions().count(), 0);
    assert!(refused(&and(&log, [run_waiting()])).contains("something to do"));
    fold(&and(&log, [step_failed("a", 1, None, false)])).unwrap();
    assert_eq!(
        refused(&and(&log, [cancel_requested(true)])),
        "the run is being cancelled already"
    );
    let log = and(&in_doubt(), [cancel_requested(false)]);
    assert_eq!(fold(&log).unwrap().questions().count(), 1);
    fold(&and(&log, [run_waiting()])).unwrap();
    let not_done = and(
        &log,
        [
            decided("a", not_happened(1)),
            step_failed("a", 1, None, false),
        ],
    );
    fold(&not_done).unwrap();
}

#[test]
fn what_a_finished_run_has_done_can_be_undone_once() {
    let changed = Event::StepSucceeded {
        step: "a".into(),
        attempt: 1,
        outputs: Values::new(),
        changed: true,
        summary: None,
        unknown: false,
    };
    let undo = || Event::UndoRequested {
        by: operator(),
        reason: "wrong".into(),
    };
    let begins = || Event::RollbackStarted {
        steps: vec!["a.rollback".into()],
    };
    let log = [
        undoable(&["a"]),
        step_started("a", 1),
        changed,
        finished(FinalStatus::Succeeded),
    ];
    assert!(refused(&and(&log[..3], [step_started("a.rollback", 1)])).contains("isn't among"));
    let unchanged = [
        undoable(&["a"]),
        step_started("a", 1),
        step_succeeded("a", 1),
        finished(FinalStatus::Succeeded),
        undo(),
    ];
    assert!(refused(&unchanged).contains("nothing to undo"));
    let undone = and(
        &log,
        [
            undo(),
            begins(),
            step_started("a.rollback", 1),
            step_succeeded("a.rollback", 1),
            finished(FinalStatus::Cancelled),
        ],
    );
    let state = fold(&undone).unwrap();
    assert_eq!(state.status(), RunStatus::Cancelled);
    assert_eq!(state.step("a").unwrap().status, StepStatus::RolledBack);
    assert!(refused(&and(&undone, [undo()])).contains("undone already"));
}
