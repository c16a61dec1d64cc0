use proptest::prelude::*;

use super::*;
use crate::event::{Decision, Outcome, Signal, SkipReason, Waiting};
use crate::samples::{
    answered, approval, asked, attempt_failed, begun, cancel_requested, decided, ended, failure,
    finished, logged, noted, operator, resumed, run_waiting, started, started_with, step_failed,
    step_started, step_succeeded, step_waiting, undoable, unknown,
};

mod deciding;

fn fold(events: &[Event]) -> Result<RunState, Illegal> {
    let mut state = RunState::default();
    for (time, event) in (1..).zip(events) {
        state.apply(event, time)?;
    }
    Ok(state)
}

fn refused(events: &[Event]) -> String {
    let (last, before) = events.split_last().unwrap();
    let mut state = fold(before).expect("all but the last event are legal");
    state
        .apply(last, 99)
        .expect_err("the last event is illegal")
        .to_string()
}

fn skipped(step: &str) -> Event {
    Event::StepSkipped {
        step: step.into(),
        reason: SkipReason::Condition,
    }
}

#[test]
fn a_log_comes_to_where_the_run_stands() {
    let state = fold(&[
        started(&["a", "b", "c"]),
        step_started("a", 1),
        begun("a", 1, 1, true),
        ended("a", 1, 1, answered(503)),
        attempt_failed("a", 1),
        step_started("a", 2),
        begun("a", 2, 1, false),
        ended("a", 2, 1, answered(201)),
        step_succeeded("a", 2),
        skipped("b"),
        step_started("c", 1),
        logged("c", "hm"),
        step_failed("c", 1, None, true),
        finished(FinalStatus::Succeeded),
        noted("well done"),
    ])
    .unwrap();
    assert_eq!(state.status(), RunStatus::Succeeded);
    assert_eq!(state.started_at(), Some(1));
    assert_eq!(state.finish().unwrap().at, 14);
    let a = state.step("a").unwrap();
    assert_eq!(
        (a.status, a.attempt, a.failed_attempts),
        (StepStatus::Succeeded, 2, 1)
    );
    assert_eq!(
        (a.first_started_at, a.started_at, a.ended_at),
        (Some(2), Some(6), Some(9))
    );
    assert_eq!(a.requests.len(), 2);
    assert_eq!(a.latest_requests().len(), 1);
    assert_eq!(a.failure, None);
    assert_eq!(
        state.step("b").unwrap().skipped,
        Some(SkipReason::Condition)
    );
    assert!(state.step("c").unwrap().let_pass);
}

#[test]
fn a_run_begins_with_its_start_and_only_once() {
    assert_eq!(refused(&[noted("hello")]), "the run has not started");
    assert_eq!(
        refused(&[started(&[]), started(&[])]),
        "the run has started already"
    );
    assert_eq!(refused(&[started(&["a", "a"])]), "step `a` is listed twice");
}

#[test]
fn only_notes_follow_the_end() {
    let log = [started(&[]), finished(FinalStatus::Succeeded)];
    for event in [finished(FinalStatus::Failed), resumed(), started(&[])] {
        assert_eq!(
            refused(&[log[0].clone(), log[1].clone(), event]),
            "the run is finished: only notes may follow"
        );
    }
}

#[test]
fn a_step_is_one_of_the_run_s_and_takes_its_attempts_in_order() {
    assert_eq!(
        refused(&[started(&["a"]), step_started("b", 1)]),
        "the run has no step `b`"
    );
    assert_eq!(
        refused(&[started(&["a"]), step_started("a", 2)]),
        "attempt 2 of step `a` is out of order: attempt 1 is next"
    );
    assert_eq!(
        refused(&[started(&["a"]), step_started("a", 1), step_started("a", 2)]),
        "attempt 2 of step `a` is out of order: attempt 1 is open"
    );
    assert_eq!(
        refused(&[
            started(&["a"]),
            step_started("a", 1),
            step_succeeded("a", 1),
            step_started("a", 2)
        ]),
        "step `a` is succeeded, so it can't be started"
    );
    assert_eq!(
        refused(&[started(&["a"]), step_started("a", 1), skipped("a")]),
        "step `a` is running, so it can't be skipped"
    );
}

#[test]
fn an_outcome_has_an_intent_and_an_intent_one_outcome() {
    let log = |rest: &[Event]| refused(&[&[started(&["a"]), step_started("a", 1)], rest].concat());
    assert_eq!(
        log(&[ended("a", 1, 1, answered(200))]),
        "request 1 of step `a` has no intent"
    );
    assert_eq!(
        log(&[
            begun("a", 1, 1, true),
            ended("a", 1, 1, answered(200)),
            ended("a", 1, 1, answered(200))
        ]),
        "request 1 of step `a` has an outcome already"
    );
    assert_eq!(
        log(&[begun("a", 1, 1, true), begun("a", 1, 2, true)]),
        "request 2 of step `a` came before the outcome of the one before it"
    );
    assert_eq!(
        log(&[
            begun("a", 1, 2, true),
            ended("a", 1, 2, answered(200)),
            begun("a", 1, 2, true)
        ]),
        "request 2 of step `a` is out of order"
    );
}

#[test]
fn nothing_goes_over_a_request_in_doubt() {
    for outcome in [None, Some(unknown()), Some(answered(500))] {
        let mut log = vec![
            started(&["a"]),
            step_started("a", 1),
            begun("a", 1, 1, false),
        ];
        log.extend(outcome.clone().map(|outcome| ended("a", 1, 1, outcome)));
        let with = |events: &[Event]| [log.as_slice(), events].concat();
        let doubt = "request 1 of it is in doubt";
        assert_eq!(
            refused(&with(&[attempt_failed("a", 1)])),
            format!("step `a` can't be tried again: {doubt}")
        );
        assert_eq!(
            refused(&with(&[step_failed("a", 1, None, false)])),
            format!("step `a` can't be failed without saying so: {doubt}")
        );
        assert_eq!(
            refused(&with(&[resumed(), step_started("a", 2)])),
            format!("step `a` can't be started: {doubt}")
        );
        fold(&with(&[step_failed("a", 1, Some(1), false)])).unwrap();
        let succeeded = fold(&with(&[step_succeeded("a", 1)]));
        assert_eq!(
            succeeded.is_ok(),
            outcome == Some(answered(500)),
            "an answer is enough for a success"
        );
    }
    assert_eq!(
        refused(&[
            started(&["a"]),
            step_started("a", 1),
            step_failed("a", 1, Some(1), false)
        ]),
        "request 1 of step `a` is not in doubt"
    );
}

#[test]
fn what_is_safe_to_repeat_stands_in_nobody_s_way() {
    let begun = [
        started(&["a"]),
        step_started("a", 1),
        begun("a", 1, 1, true),
    ];
    fold(&[&begun[..], &[resumed(), step_started("a", 2)]].concat()).unwrap();
    fold(
        &[
            &begun[..],
            &[
                ended("a", 1, 1, unknown()),
                attempt_failed("a", 1),
                step_started("a", 2),
            ],
        ]
        .concat(),
    )
    .unwrap();
}

#[test]
fn an_interrupted_run_is_resumed_before_it_goes_on() {
    let interrupted = Event::RunInterrupted {
        cause: Signal::Interrupt.into(),
    };
    let log = [started(&["a"]), step_started("a", 1), interrupted];
    assert_eq!(fold(&log).unwrap().status(), RunStatus::Interrupted);
    let refused = refused(&[&log[..], &[step_succeeded("a", 1)]].concat());
    assert_eq!(
        refused,
        "the run is interrupted: it has to be resumed first"
    );
    let state = fold(
        &[
            &log[..],
            &[resumed(), step_started("a", 2), step_succeeded("a", 2)],
        ]
        .concat(),
    )
    .unwrap();
    assert_eq!(state.status(), RunStatus::Running);
    assert_eq!(
        state.step("a").unwrap().failed_attempts,
        0,
        "being cut off is no failure"
    );
}

#[test]
fn a_run_ends_when_its_steps_have() {
    let running = [started(&["a", "b"]), step_started("a", 1)];
    for status in [
        FinalStatus::Succeeded,
        FinalStatus::Failed,
        FinalStatus::Cancelled,
    ] {
        let refused = refused(&[&running[..], &[finished(status)]].concat());
        assert_eq!(refused, "the run can't be finished: step `a` is running");
    }
    let pending = [
        &running[..],
        &[step_succeeded("a", 1), finished(FinalStatus::Succeeded)],
    ]
    .concat();
    assert_eq!(
        refused(&pending),
        "the run can't be finished: step `b` is pending"
    );
    let failed = [
        &running[..],
        &[step_failed("a", 1, None, false), skipped("b")],
    ]
    .concat();
    assert_eq!(
        refused(&[&failed[..], &[finished(FinalStatus::Succeeded)]].concat()),
        "the run can't be finished: step `a` is failed"
    );
    fold(&[&failed[..], &[finished(FinalStatus::Failed)]].concat()).unwrap();
}

#[test]
fn steps_for_a_failure_are_not_owed_by_a_run_that_succeeds() {
    let start = started_with(&["a"], |facts| facts.sections.on_failure.push("f".into()));
    fold(&[
        start,
        step_started("a", 1),
        step_succeeded("a", 1),
        finished(FinalStatus::Succeeded),
    ])
    .unwrap();
}

#[test]
fn a_dry_run_begins_nothing_and_only_a_dry_run_holds_back() {
    let dry = started_with(&["a", "b"], |facts| facts.dry_run = true);
    let held = Event::RequestHeld {
        step: "a".into(),
        attempt: 1,
        request: 1,
        asked: asked(false),
    };
    assert_eq!(
        refused(&[dry.clone(), step_started("a", 1), begun("a", 1, 1, true)]),
        "a changing request can't happen in a dry run"
    );
    assert_eq!(
        refused(&[started(&["a"]), step_started("a", 1), held.clone()]),
        "a held-back request can't happen in a run that is not dry"
    );
    let listed = Event::StepSkipped {
        step: "b".into(),
        reason: SkipReason::Listed {
            unknown: vec!["steps.a.outputs.x".into()],
        },
    };
    let state = fold(&[
        dry,
        step_started("a", 1),
        held,
        step_failed("a", 1, None, false),
        listed,
    ])
    .unwrap();
    assert_eq!(state.step("a").unwrap().held, 1);
}

fn waiting(request: u32) -> Waiting {
    match request {
        1 => Waiting::InDoubt { request },
        2 => approval(2, |_| {}),
        _ => Waiting::Paused,
    }
}

fn decision(which: u32, request: u32, fresh: bool) -> Decision {
    match which {
        2 => Decision::Approve,
        3 => Decision::Retry {
            request: fresh.then_some(request),
            fresh,
        },
        4 => Decision::Happened {
            request,
            answer: answered(200),
        },
        5 => Decision::Done {
            outputs: Values::new(),
        },
        _ => Decision::Abort,
    }
}

/// Any event about two steps, legal or not.
fn any_event() -> impl Strategy<Value = Event> {
    let step = prop::sample::select(vec!["a", "b", "x", "a.rollback"]);
    let outcome = prop_oneof![
        3 => prop::sample::select(vec![200u16, 404, 500]).prop_map(answered),
        1 => Just(unknown()),
        1 => Just(Outcome::NotSent { why: "refused".into() }),
    ];
    (step, 1u32..4, 1u32..4, any::<bool>(), outcome, 0usize..44).prop_map(
        |(step, attempt, request, flag, outcome, which)| match which {
            0..6 => step_started(step, attempt),
            6..11 => begun(step, attempt, request, flag),
            11..16 => ended(step, attempt, request, outcome),
            16 => Event::RequestRead {
                step: step.into(),
                attempt,
                request,
                asked: asked(true),
                outcome,
                took_ms: 1,
            },
            17..19 => attempt_failed(step, attempt),
            19..22 => step_succeeded(step, attempt),
            22 => step_failed(step, attempt, flag.then_some(request), flag),
            23 => skipped(step),
            24 => logged(step, "l"),
            25 => noted("n"),
            26 => Event::RunInterrupted {
                cause: Signal::Terminate.into(),
            },
            27 => resumed(),
            28 => finished(if flag {
                FinalStatus::Succeeded
            } else {
                FinalStatus::Failed
            }),
            29..32 => step_waiting(step, attempt, waiting(request)),
            32..39 => decided(step, decision(attempt + request, request, flag)),
            39 => run_waiting(),
            40 => cancel_requested(flag),
            41 => Event::UndoRequested {
                by: operator(),
                reason: "wrong".into(),
            },
            42 => Event::RollbackStarted {
                steps: vec!["a.rollback".into()],
            },
            _ => Event::AttemptFailed {
                step: step.into(),
                attempt,
                failure: failure(),
                retry_at: 7,
            },
        },
    )
}

/// Finds afresh which steps run or wait, and counts what the tally keeps.
fn recount(state: &RunState) -> (BTreeSet<usize>, Tally) {
    let is_busy = |status| matches!(status, StepStatus::Running | StepStatus::Waiting);
    let busy = (0..)
        .zip(state.steps())
        .filter(|(_, step)| is_busy(step.status));
    let count = |is_it: fn(&StepState) -> bool| state.steps().filter(|step| is_it(step)).count();
    let tally = Tally {
        owed: count(|step| !step.status.is_ended() && is_owed(step.section)),
        broke: count(|step| step.status == StepStatus::Failed && !step.let_pass),
    };
    (busy.map(|(at, _)| at).collect(), tally)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_refusal_changes_nothing_and_every_prefix_folds(events in prop::collection::vec(any_event(), 0..120)) {
        let mut state = RunState::default();
        let mut log = vec![undoable(&["a", "b"])];
        let mut states = Vec::new();
        state.apply(&log[0], 0).unwrap();
        states.push(state.clone());
        for event in events {
            let before = state.clone();
            match state.apply(&event, log.len() as u64) {
                Ok(()) => {
                    let late = matches!(event, Event::Noted { .. } | Event::UndoRequested { .. });
                    prop_assert!(late || before.finish().is_none());
                    log.push(event);
                    states.push(state.clone());
                }
                Err(_) => prop_assert_eq!(&before, &state),
            }
            prop_assert_eq!(recount(&state), (state.busy.clone(), state.tally.clone()));
        }
        let mut again = RunState::default();
        for (time, event) in log.iter().enumerate() {
            again.apply(event, time as u64).unwrap();
            prop_assert_eq!(&again, &states[time]);
        }
    }

    #[test]
    fn a_request_that_is_in_doubt_is_the_last_of_its_step(events in prop::collection::vec(any_event(), 0..120)) {
        let mut state = RunState::default();
        state.apply(&undoable(&["a", "b"]), 0).unwrap();
        for event in events {
            let _ = state.apply(&event, 1);
            for step in state.steps() {
                for request in &step.requests {
                    prop_assert!(!request.is_in_doubt() || request.attempt == step.attempt);
                }
                if step.status == StepStatus::Failed {
                    prop_assert_eq!(step.doubt().is_some(), step.in_doubt.is_some());
                }
            }
        }
    }
}
