use insta::assert_snapshot;

use super::{RUN, desk};
use crate::support::plain::plain;

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

#[test]
fn run() {
    let (cloud, lab) = desk();
    let said = lab.sandbook(&RUN).ok();
    assert_snapshot!(plain(&(said.out + &said.err), &lab));
    assert_eq!(cloud.counts().requests, 1);
}

#[test]
fn run_of_which_a_step_fails() {
    let (_cloud, lab) = desk();
    let said = lab
        .sandbook(&[
            "run", "tell", "--env", "drill", "-i", "text=x", "-i", "times=2",
        ])
        .ok();
    assert!(said.out.contains("again"));
    lab.write(
        "fails.yaml",
        "name: fails\nsteps:\n  - id: first\n    uses: puppet\n    with: { actions: [{ do: fail, kind: conflict, code: Taken, message: it is taken }] }\n  - id: second\n    uses: noop\n",
    );
    let said = lab.sandbook(&["run", "fails"]).exits(1);
    assert_snapshot!(plain(&(said.out + &said.err), &lab));
}

#[test]
fn dry_run() {
    let (cloud, lab) = desk();
    let said = lab.sandbook(&with(&["--dry-run"])).ok();
    assert_snapshot!(plain(&(said.out + &said.err), &lab));
    assert!(cloud.requests().is_empty());
}

#[test]
fn json_is_one_event_a_line_as_journaled() {
    let (_cloud, lab) = desk();
    let said = lab.sandbook(&with(&["--output", "json"])).ok();
    let events = said.json_lines();
    assert_eq!(events[0]["kind"], "run_started");
    let last = events.last().unwrap();
    assert_eq!(last["kind"], "run_finished");
    assert_eq!(last["status"], "succeeded");
    assert_eq!(events, lab.events());
}

#[test]
fn a_false_check_stops_the_run_before_it_begins() {
    let (cloud, lab) = desk();
    lab.sandbook(&["run", "tell", "--env", "drill", "-i", "text=nothing"])
        .exits(2)
        .says("there is nothing to tell");
    assert!(cloud.requests().is_empty());
    assert!(lab.sandbook(&["runs"]).ok().out.lines().count() <= 1);
}
