//! Runs that people cancel, and what undoes them.

use simcloud::{Effect, Fault};

use super::stage::{Stage, until};
use crate::support::Said;

const ECHO: &str = "https://echo.simcloud.test";

fn sandbook(stage: &Stage, words: &[&str]) -> Said {
    stage.lab.sandbook(words)
}

fn posts(stage: &Stage) -> Vec<String> {
    let arrived = stage.arrived("POST");
    arrived.into_iter().map(|request| request.path).collect()
}

/// A step that posts there, and one that undoes it.
fn undoable(id: &str, rest: &str) -> String {
    format!(
        r#"{{ id: {id}, uses: puppet, allow: ["* {ECHO}/*"],
            with: {{ actions: [{{ do: send, method: POST, url: "{ECHO}/{id}", must: true }}, {{ do: return, data: {{ text: "{id}-7" }}, changed: true }}] }},
            rollback: {{ uses: puppet, allow: ["* {ECHO}/**"],
                with: {{ actions: [{{ do: send, method: POST, url: "{ECHO}/undo/${{{{ steps.{id}.outputs.text }}}}", must: true }}{rest}] }} }} }}"#
    )
}

#[test]
fn a_run_is_cancelled_from_another_process_and_does_what_is_done_in_any_case() {
    let stage = Stage::new();
    let mut child = stage.start(&format!(
        r#"steps:
  - id: a
    uses: puppet
    allow: ["* {ECHO}/*"]
    with:
      actions:
        - {{ do: send, method: POST, url: "{ECHO}/one", must: true }}
        - {{ do: sleep, milliseconds: 60000 }}
        - {{ do: send, method: POST, url: "{ECHO}/two", must: true }}
  - {{ id: never, uses: noop }}
on_failure: [{{ id: failed, uses: noop }}]
finally: [{{ id: tell, uses: puppet, with: {{ actions: [{{ do: return, data: {{ text: "${{{{ run.status }}}}" }} }}] }} }}]
"#
    ));
    until("the request is through", || {
        stage.count("request_ended") == 1
    });
    sandbook(&stage, &["cancel", "@last", "--reason", "enough"])
        .ok()
        .says("another process");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let finished = stage.event("run_finished");
    assert_eq!(finished["status"], "cancelled", "{finished}");
    assert_eq!(stage.output("tell", "text"), "cancelled");
    assert_eq!(posts(&stage), ["/one"]);
    let started = stage.lab.events_of("step_started");
    assert_eq!(started.len(), 2, "{started:#?}");
    sandbook(&stage, &["cancel", "@last"]).exits(2);
    sandbook(&stage, &["show", "@last"])
        .ok()
        .says("cancelled by")
        .says("enough");
}

#[test]
fn a_run_that_waits_or_was_cut_off_can_be_cancelled() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, approval: { message: a? } }, { id: b, uses: noop }]\nfinally: [{ id: tell, uses: noop }]")
        .exits(3);
    sandbook(&stage, &["cancel", "@last"])
        .ok()
        .says("cancelled");
    assert_eq!(stage.event("run_finished")["status"], "cancelled");
    let tell = stage.lab.events_of("step_succeeded");
    assert_eq!(tell[0]["step"], "tell");
}

#[test]
fn a_cancelled_run_with_a_doubt_ends_waiting() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropAfter));
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["* https://echo.simcloud.test/*"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/x" }] }
finally: [{ id: tell, uses: noop }]
"#,
        )
        .exits(3);
    sandbook(&stage, &["cancel", "@last"])
        .exits(3)
        .says("in doubt");
    sandbook(
        &stage,
        &["decide", "@last", "retry", "--reason", "it is not there"],
    )
    .exits(1);
    assert_eq!(stage.arrived("POST").len(), 1, "nothing new is sent");
    assert_eq!(stage.event("run_finished")["status"], "cancelled");
}

#[test]
fn what_was_done_is_undone_in_reverse_order() {
    let stage = Stage::new();
    let steps = [undoable("a", ""), undoable("b", "")].join(", ");
    let same = r#"{ id: same, uses: puppet, with: { actions: [] }, rollback: { uses: puppet, with: { actions: [{ do: panic, message: no }] } } }"#;
    stage.run(&format!("steps: [{steps}, {same}]")).ok();
    sandbook(&stage, &["undo", "@last"])
        .exits(2)
        .says("not confirmed")
        .says("  b");
    assert_eq!(stage.count("undo_requested"), 0);
    sandbook(
        &stage,
        &["undo", "@last", "--yes", "--reason", "wrong region"],
    )
    .ok()
    .says("undone");
    assert_eq!(posts(&stage), ["/a", "/b", "/undo/b-7", "/undo/a-7"]);
    let finished = stage.lab.events_of("run_finished");
    assert_eq!(finished.len(), 2);
    assert_eq!(finished[1]["status"], "cancelled");
    sandbook(&stage, &["show", "@last"])
        .ok()
        .says("rolled_back")
        .says("wrong region");
    sandbook(&stage, &["undo", "@last", "--yes"])
        .exits(2)
        .says("undone already");
    sandbook(&stage, &["runs"]).ok().says("cancelled");
}

#[test]
fn a_rollback_that_fails_stops_the_undoing_and_asks() {
    for (word, left) in [("retry", 1), ("abort", 0), ("skip", 1)] {
        let stage = Stage::new();
        let fails = ", { do: fail_unless, attempt: 2, kind: not-found }";
        let steps = [undoable("a", ""), undoable("b", fails)].join(", ");
        stage.run(&format!("steps: [{steps}]")).ok();
        sandbook(&stage, &["undo", "@last", "--yes"])
            .exits(3)
            .says("b.rollback");
        assert_eq!(posts(&stage), ["/a", "/b", "/undo/b-7"]);
        sandbook(&stage, &["decide", "@last", word, "--reason", "so be it"]).exits(1);
        let undone = posts(&stage);
        let a = undone.iter().filter(|path| *path == "/undo/a-7").count();
        assert_eq!(a, left, "{word}: {undone:?}");
        let b = undone.iter().filter(|path| *path == "/undo/b-7").count();
        assert_eq!(b, 1, "answered from the record: {undone:?}");
        let finished = stage.lab.events_of("run_finished");
        let status = if word == "abort" {
            "failed"
        } else {
            "cancelled"
        };
        assert_eq!(finished[1]["status"], status, "{word}");
    }
}

#[test]
fn a_runbook_can_have_itself_undone() {
    let stage = Stage::new();
    let breaks = "{ id: c, assert: { condition: 'false', message: no }, on_failure: rollback }";
    stage
        .run(&format!(
            "steps: [{}, {breaks}]\non_failure: [{{ id: failed, uses: noop }}]\nfinally: [{{ id: tell, uses: noop }}]",
            undoable("a", "")
        ))
        .exits(1)
        .says("no");
    assert_eq!(posts(&stage), ["/a", "/undo/a-7"]);
    let done = stage.lab.events_of("step_succeeded");
    let done: Vec<&str> = done.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(done, ["a", "a.rollback", "failed", "tell"]);
    assert_eq!(stage.event("run_finished")["status"], "failed");
}

#[test]
fn a_cancellation_can_undo_before_it_ends() {
    let stage = Stage::new();
    stage
        .run(&format!(
            "steps: [{}, {{ id: wait, approval: {{ message: on? }} }}]\nfinally: [{{ id: tell, uses: noop }}]",
            undoable("a", "")
        ))
        .exits(3);
    sandbook(&stage, &["cancel", "@last", "--rollback"])
        .exits(2)
        .says("not confirmed");
    sandbook(&stage, &["cancel", "@last", "--rollback", "--yes"]).ok();
    assert_eq!(posts(&stage), ["/a", "/undo/a-7"]);
    let done = stage.lab.events_of("step_succeeded");
    let done: Vec<&str> = done.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(done, ["a", "a.rollback", "tell"]);
    assert_eq!(stage.event("run_finished")["status"], "cancelled");
}
