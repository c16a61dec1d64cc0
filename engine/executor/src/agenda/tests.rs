use super::*;

fn steps(needs: Vec<Wants>) -> Order {
    let end = needs.len();
    Order {
        needs,
        steps: 0..end,
        on_failure: end..end,
        finally: end..end,
        rollbacks: end..end,
    }
}

fn fresh(order: Order) -> Agenda {
    taken_up(order, |_| Standing::Pending)
}

fn taken_up(order: Order, standing: impl Fn(usize) -> Standing) -> Agenda {
    Agenda::new(order, standing, Undo::No, false)
}

fn all_due(agenda: &mut Agenda) -> Vec<Due> {
    std::iter::from_fn(|| agenda.next().filter(|due| *due != Due::Finish)).collect()
}

#[test]
fn an_empty_run_finishes_at_once() {
    assert_eq!(fresh(Order::default()).next(), Some(Due::Finish));
}

#[test]
fn a_step_without_needs_waits_for_all_before_it() {
    let mut agenda = fresh(steps(vec![
        Wants::These(vec![]),
        Wants::These(vec![]),
        Wants::AllBefore,
    ]));
    assert_eq!(all_due(&mut agenda), [Due::Consider(0), Due::Consider(1)]);
    agenda.done(1, Done::Satisfied);
    assert_eq!(agenda.next(), None);
    agenda.done(0, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(2)));
    assert_eq!(agenda.next(), None);
    agenda.done(2, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}

#[test]
fn named_needs_start_a_step_before_slower_siblings_end() {
    let mut agenda = fresh(steps(vec![
        Wants::These(vec![]),
        Wants::These(vec![]),
        Wants::These(vec![0]),
    ]));
    assert_eq!(all_due(&mut agenda).len(), 2);
    agenda.done(0, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(2)));
}

#[test]
fn a_break_skips_what_has_not_started_and_lets_the_rest_end() {
    let mut order = steps(vec![
        Wants::These(vec![]),
        Wants::These(vec![]),
        Wants::AllBefore,
    ]);
    order.needs.push(Wants::AllBefore);
    order.needs.push(Wants::AllBefore);
    order.on_failure = 3..4;
    order.finally = 4..5;
    let mut agenda = fresh(order);
    assert_eq!(all_due(&mut agenda).len(), 2);
    agenda.done(0, Done::Broke);
    assert_eq!(agenda.next(), Some(Due::SkipStopped(2)));
    agenda.done(2, Done::Unsatisfied);
    assert_eq!(agenda.next(), None, "step 1 still runs");
    agenda.done(1, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(3)), "on_failure runs");
    agenda.done(3, Done::Broke);
    assert_eq!(
        agenda.next(),
        Some(Due::Consider(4)),
        "finally runs whatever happened"
    );
    agenda.done(4, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}

#[test]
fn on_failure_does_not_run_when_nothing_failed() {
    let order = Order {
        needs: vec![Wants::AllBefore, Wants::AllBefore],
        steps: 0..1,
        on_failure: 1..2,
        finally: 2..2,
        rollbacks: 2..2,
    };
    let mut agenda = fresh(order);
    assert_eq!(agenda.next(), Some(Due::Consider(0)));
    agenda.done(0, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}

#[test]
fn an_unsatisfied_need_is_named() {
    let mut agenda = fresh(steps(vec![
        Wants::These(vec![]),
        Wants::These(vec![0]),
        Wants::AllBefore,
    ]));
    assert_eq!(agenda.next(), Some(Due::Consider(0)));
    agenda.done(0, Done::Unsatisfied);
    assert_eq!(agenda.next(), Some(Due::SkipFor { step: 1, need: 0 }));
    agenda.done(1, Done::Unsatisfied);
    assert_eq!(agenda.next(), Some(Due::SkipFor { step: 2, need: 0 }));
}

#[test]
fn what_was_begun_is_not_handed_out_again_and_is_waited_for() {
    let order = steps(vec![
        Wants::These(vec![]),
        Wants::These(vec![]),
        Wants::AllBefore,
    ]);
    let begun = [
        Standing::Done(Done::Broke),
        Standing::Begun,
        Standing::Pending,
    ];
    let mut agenda = taken_up(order, |step| begun[step]);
    assert!(agenda.is_stopped());
    assert_eq!(agenda.next(), Some(Due::SkipStopped(2)));
    agenda.done(2, Done::Unsatisfied);
    assert_eq!(agenda.next(), None, "step 1 goes on");
    agenda.done(1, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}

#[test]
fn an_agenda_built_from_any_state_ends_like_one_that_was_moved_there() {
    let order = || Order {
        needs: vec![
            Wants::These(vec![]),
            Wants::These(vec![]),
            Wants::These(vec![0]),
            Wants::AllBefore,
            Wants::These(vec![1, 3]),
            Wants::AllBefore,
        ],
        steps: 0..5,
        on_failure: 5..5,
        finally: 5..6,
        rollbacks: 6..6,
    };
    let mut finished: Vec<Option<Done>> = vec![None; 6];
    let mut moved = fresh(order());
    let mut running = VecDeque::new();
    loop {
        while let Some(Due::Consider(step)) = moved.next() {
            running.push_back(step);
        }
        let mut built = taken_up(order(), |step| {
            finished[step].map_or(Standing::Pending, Standing::Done)
        });
        let mut due: Vec<Due> = all_due(&mut built);
        due.sort_by_key(|due| format!("{due:?}"));
        let mut expected: Vec<Due> = running.iter().map(|&step| Due::Consider(step)).collect();
        expected.sort_by_key(|due| format!("{due:?}"));
        assert_eq!(due, expected, "after {finished:?}");
        let Some(step) = running.pop_back() else {
            break;
        };
        finished[step] = Some(Done::Satisfied);
        moved.done(step, Done::Satisfied);
    }
    assert_eq!(moved.next(), Some(Due::Finish));
}

/// Two steps with their rollbacks, one that runs on failure and one that runs in any case.
fn undoable() -> Order {
    Order {
        needs: vec![
            Wants::AllBefore,
            Wants::AllBefore,
            Wants::AllBefore,
            Wants::AllBefore,
            Wants::These(vec![]),
            Wants::These(vec![]),
        ],
        steps: 0..2,
        on_failure: 2..3,
        finally: 3..4,
        rollbacks: 4..6,
    }
}

#[test]
fn what_was_done_is_undone_one_after_the_other_before_the_next_section() {
    let mut agenda = fresh(undoable());
    for step in [0, 1] {
        assert_eq!(agenda.next(), Some(Due::Consider(step)));
        if step == 1 {
            agenda.want_rollback();
        }
        let how = if step == 1 {
            Done::Broke
        } else {
            Done::Satisfied
        };
        agenda.done(step, how);
    }
    assert_eq!(agenda.next(), Some(Due::RollBack));
    agenda.roll_back(vec![5, 4]);
    for rollback in [5, 4] {
        assert_eq!(all_due(&mut agenda), [Due::Consider(rollback)]);
        agenda.done(rollback, Done::Satisfied);
    }
    assert_eq!(agenda.next(), Some(Due::Consider(2)), "on_failure");
}

#[test]
fn an_undoing_that_breaks_off_leaves_the_rest() {
    let mut agenda = Agenda::new(
        undoable(),
        |step| match step {
            0 | 1 => Standing::Done(Done::Satisfied),
            _ => Standing::Pending,
        },
        Undo::By(vec![5, 4]),
        true,
    );
    assert_eq!(agenda.next(), Some(Due::Consider(5)));
    agenda.done(5, Done::Broke);
    assert_eq!(agenda.next(), Some(Due::SkipStopped(4)));
    agenda.done(4, Done::Unsatisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(3)), "finally");
}

#[test]
fn a_cancelled_run_only_ends_what_runs_and_does_what_is_done_in_any_case() {
    let mut agenda = fresh(undoable());
    assert_eq!(agenda.next(), Some(Due::Consider(0)));
    agenda.cancel();
    assert_eq!(agenda.next(), Some(Due::SkipStopped(1)));
    agenda.done(1, Done::Unsatisfied);
    agenda.done(0, Done::Broke);
    assert_eq!(agenda.next(), Some(Due::Consider(3)), "no on_failure");
    agenda.cancel();
    assert_eq!(agenda.next(), None, "what runs in any case goes on");
    agenda.done(3, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}

#[test]
fn a_cancelled_run_ends_what_it_was_at_and_no_more() {
    let on_failure_begun = |step| match step {
        0 => Standing::Done(Done::Broke),
        1 => Standing::Done(Done::Unsatisfied),
        2 => Standing::Begun,
        _ => Standing::Pending,
    };
    let mut agenda = Agenda::new(undoable(), on_failure_begun, Undo::No, true);
    assert_eq!(agenda.next(), None, "what was begun there is ended");
    agenda.done(2, Done::Broke);
    assert_eq!(agenda.next(), Some(Due::Consider(3)), "finally");

    // Cancelled while it undoes: what runs on failure doesn't come after that.
    let mut agenda = fresh(undoable());
    assert_eq!(agenda.next(), Some(Due::Consider(0)));
    agenda.done(0, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(1)));
    agenda.want_rollback();
    agenda.done(1, Done::Broke);
    assert_eq!(agenda.next(), Some(Due::RollBack));
    agenda.roll_back(vec![4]);
    assert_eq!(agenda.next(), Some(Due::Consider(4)));
    agenda.cancel();
    agenda.done(4, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(3)), "finally");
}

#[test]
fn a_step_that_ends_when_its_section_is_through_changes_nothing_in_the_next_one() {
    let mut agenda = fresh(undoable());
    assert_eq!(agenda.next(), Some(Due::Consider(0)));
    agenda.done(0, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(1)));
    agenda.done(1, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Consider(3)));
    agenda.done(2, Done::Broke);
    assert_eq!(agenda.next(), None, "step 3 runs");
    agenda.done(3, Done::Satisfied);
    assert_eq!(agenda.next(), Some(Due::Finish));
}
