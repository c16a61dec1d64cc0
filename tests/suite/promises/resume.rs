//! A run that was cut off goes on where it was: nothing finished is done again, nothing answered is asked again.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::stage::{Stage, until};

/// A step that sends, is caught in its first attempt after that, and sends again; one before it, and one after it.
const CAUGHT: &str = r#"inputs:
  word: { type: string, sensitive: true, default: hush-hush }
steps:
  - id: first
    uses: puppet
    with: { actions: [{ do: return, data: { text: green }, changed: true }] }
  - id: caught
    uses: puppet
    allow: ["* https://echo.simcloud.test/*"]
    retry: { attempts: 1 }
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/one", body: x, must: true }
        - { do: send, method: PUT, url: "https://echo.simcloud.test/put", must: true }
        - { do: random }
        - { do: in_attempt, attempt: 1, then: { do: sleep, milliseconds: 60000 } }
        - { do: send, method: POST, url: "https://echo.simcloud.test/two", must: true }
  - id: last
    uses: puppet
    with: { actions: [{ do: return, data: { text: "${{ steps.first.outputs.text }}", results: ["${{ inputs.word == 'hush-hush' }}"] } }] }
"#;

fn kill(child: &mut std::process::Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
    child.wait().unwrap();
}

fn paths(stage: &Stage, method: &str) -> Vec<String> {
    let arrived = stage.arrived(method);
    arrived.into_iter().map(|request| request.path).collect()
}

#[test]
fn a_step_that_died_is_answered_from_the_record() {
    for signal in [Signal::KILL, Signal::INT] {
        let stage = Stage::new();
        let mut child = stage.start(CAUGHT);
        until("the first requests are through", || {
            stage.count("request_ended") == 2
        });
        // The random number is logged after them, and rides along.
        until("it has drawn", || stage.count("logged") == 1);
        kill(&mut child, signal);
        let before = stage.lab.events();

        stage.lab.sandbook(&["resume", "@last"]).ok();
        assert_eq!(paths(&stage, "POST"), ["/one", "/two"], "{signal:?}");
        // What is safe to repeat after the last that isn't goes out again.
        assert_eq!(paths(&stage, "PUT"), ["/put", "/put"], "{signal:?}");
        let events = stage.lab.events();
        assert_eq!(events[..before.len()], before, "what was on record stays");
        let starts = |step: &str| {
            let starts = stage.lab.events_of("step_started");
            starts.iter().filter(|event| event["step"] == step).count()
        };
        assert_eq!(
            (starts("first"), starts("caught"), starts("last")),
            (1, 2, 1)
        );
        assert_eq!(stage.output("last", "text"), "green");
        assert_eq!(stage.output("last", "results")[0], true);
        let drawn: Vec<Value> = stage.lab.events_of("logged");
        assert_eq!(drawn[0]["message"], drawn[1]["message"], "the same numbers");
        assert_eq!(stage.event("run_finished")["status"], "succeeded");
    }
}

#[test]
fn a_request_that_was_under_way_is_not_sent_again() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://slow.simcloud.test/*]
    retry: { attempts: 5, delay: 10ms }
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/2500" }] }
finally: [{ id: tell, uses: noop }]
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    kill(&mut child, Signal::KILL);
    stage
        .lab
        .sandbook(&["resume", "@last"])
        .exits(3)
        .says("POST https://slow.simcloud.test/2500");
    assert_eq!(stage.arrived("POST").len(), 1);
    let waiting = stage.event("step_waiting");
    assert_eq!(waiting["waiting"]["in_doubt"]["request"], 1, "{waiting}");
    assert_eq!(waiting["attempt"], 1, "{waiting}");
    let happened = ["decide", "@last", "happened", "--reason", "it is there"];
    stage.lab.sandbook(&happened).ok();
    assert_eq!(stage.arrived("POST").len(), 1);
    let tell = stage.lab.events_of("step_succeeded");
    assert_eq!(tell[1]["step"], "tell");
}

#[test]
fn a_crash_is_no_attempt_and_a_pause_goes_on() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - { id: rest, needs: [], wait: 2s }
  - id: a
    needs: []
    uses: puppet
    retry: { attempts: 2, delay: 1500ms, backoff: constant }
    with: { actions: [{ do: fail_unless, attempt: 2, kind: unavailable }] }
"#,
    );
    until("the first attempt has failed", || {
        stage.count("attempt_failed") == 1
    });
    kill(&mut child, Signal::KILL);
    stage.lab.sandbook(&["resume", "@last"]).ok();
    let failed = stage.event("attempt_failed");
    let started = stage.lab.events_of("step_started");
    let second = started
        .iter()
        .find(|event| event["step"] == "a" && event["attempt"] == 2)
        .unwrap();
    assert!(second["time"].as_u64() >= failed["retry_at"].as_u64());
    let rest: Vec<&Value> = started
        .iter()
        .filter(|event| event["step"] == "rest")
        .collect();
    let ended = stage.lab.events_of("step_succeeded");
    let ended = ended.iter().find(|event| event["step"] == "rest").unwrap();
    let rested = ended["time"].as_u64().unwrap() - rest[0]["time"].as_u64().unwrap();
    assert!(rested >= 2000, "from its first start on: {rested} ms");
    assert_eq!(rest.len(), 2);
}

#[test]
fn attempts_that_were_cut_off_do_not_use_up_the_retries() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    retry: { attempts: 2, delay: 10ms }
    with:
      actions:
        - { do: in_attempt, attempt: 1, then: { do: sleep, milliseconds: 60000 } }
        - { do: fail_unless, attempt: 3, kind: unavailable }
"#,
    );
    until("it runs", || stage.count("step_started") == 1);
    kill(&mut child, Signal::KILL);
    stage.lab.sandbook(&["resume", "@last"]).ok();
    assert_eq!(stage.lab.events_of("step_started").len(), 3);
}

#[test]
fn what_was_planned_is_what_goes_on() {
    let stage = Stage::new();
    stage.lab.write("sandbook.yaml", &{
        let puppet = fs::read(crate::support::target().join("test-plugins/puppet.wasm")).unwrap();
        fs::write(stage.lab.path("puppet.wasm"), puppet).unwrap();
        "state: .sandbook\nplugins: { puppet: puppet.wasm }\n".to_owned()
    });
    let mut child = stage.start(CAUGHT);
    until("the first requests are through", || {
        stage.count("request_ended") == 2
    });
    kill(&mut child, Signal::KILL);
    stage.job("steps: []");
    fs::remove_file(stage.lab.path("puppet.wasm")).unwrap();
    stage.lab.sandbook(&["resume", "@last"]).ok();
    assert_eq!(paths(&stage, "POST"), ["/one", "/two"]);
}

#[test]
fn a_changed_environment_stops_it() {
    let stage = Stage::new();
    let mut child = stage.start(CAUGHT);
    until("the first requests are through", || {
        stage.count("request_ended") == 2
    });
    kill(&mut child, Signal::KILL);
    let path = stage.lab.path("environments/test.yaml");
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, before.clone() + "vars: { more: 1 }\n").unwrap();
    stage
        .lab
        .sandbook(&["resume", "@last"])
        .exits(2)
        .says("environment `test` is not what it was")
        .says("+vars: { more: 1 }")
        .says("--accept-environment");
    assert!(stage.lab.events_of("run_resumed").is_empty());
    // A secret is not part of what has to be the same: it may have been rotated.
    fs::write(
        &path,
        before.replace("tr0ub4dor+and/three=words", "rotated-since-then"),
    )
    .unwrap();
    stage.lab.sandbook(&["resume", "@last"]).ok();
}

#[test]
fn a_person_can_let_it_go_on_in_a_mended_environment() {
    let stage = Stage::new();
    let mut child = stage.start(CAUGHT);
    until("the first requests are through", || {
        stage.count("request_ended") == 2
    });
    kill(&mut child, Signal::KILL);
    let accept = [
        "resume",
        "@last",
        "--accept-environment",
        "--reason",
        "too narrow",
    ];
    // The ceiling is as it is now.
    stage.ceiling(&["* https://slow.simcloud.test/**"]);
    stage.lab.sandbook(&accept).exits(2).says("ceiling");
    // What is real stays real, and a rehearsal one.
    let path = stage.lab.path("environments/test.yaml");
    let rerouting = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        "name: test\nceiling: [\"* https://*.simcloud.test/**\"]\n",
    )
    .unwrap();
    stage
        .lab
        .sandbook(&accept)
        .exits(2)
        .says("a rehearsal stays one");
    fs::write(&path, rerouting).unwrap();

    stage.ceiling(&[
        "POST https://*.simcloud.test/**",
        "* https://echo.simcloud.test/**",
    ]);
    stage
        .lab
        .sandbook(&["resume", "@last", "--accept-environment"])
        .exits(2);
    stage
        .lab
        .sandbook(&accept)
        .ok()
        .says("+  - \"* https://echo.simcloud.test/**\"");
    let resumed = stage.event("run_resumed");
    assert_eq!(resumed["environment"]["reason"], "too narrow", "{resumed}");
    stage
        .lab
        .sandbook(&["show", "@last"])
        .ok()
        .says("too narrow");
}

#[test]
fn only_a_run_that_stands_still_can_be_resumed() {
    let stage = Stage::new();
    let mut child = stage.start(CAUGHT);
    until("it runs", || !stage.cloud.requests().is_empty());
    stage
        .lab
        .sandbook(&["resume", "@last"])
        .exits(4)
        .says("goes on in another process");
    kill(&mut child, Signal::KILL);
    stage.lab.sandbook(&["resume", "@last"]).ok();
    stage
        .lab
        .sandbook(&["resume", "@last"])
        .exits(2)
        .says("has succeeded");
    let resumed = stage.event("run_resumed");
    assert!(resumed["operator"]["uid"].is_u64(), "{resumed}");
    stage.lab.sandbook(&["show", "@last"]).ok().says("resumed ");
}

#[test]
fn a_run_can_be_resumed_again_and_again_and_in_its_last_section() {
    let stage = Stage::new();
    let slow = |id: &str| {
        format!(
            r#"{{ id: {id}, uses: puppet, allow: ["* https://echo.simcloud.test/*"], with: {{ actions: [
                {{ do: send, method: POST, url: "https://echo.simcloud.test/{id}", must: true }},
                {{ do: in_attempt, attempt: 1, then: {{ do: sleep, milliseconds: 60000 }} }}] }} }}"#
        )
    };
    let job = format!(
        "steps: [{}, {{ id: broken, assert: {{ condition: 'false', message: no }} }}]\non_failure: [{}]\nfinally: [{}]\n",
        slow("one"),
        slow("two"),
        slow("three")
    );
    let mut child = stage.start(&job);
    for (through, next) in (1..).zip(["resume", "resume", "end"]) {
        until("its request is through", || {
            stage.count("request_ended") == through
        });
        kill(&mut child, Signal::KILL);
        if next == "resume" {
            child = stage.lab.start(&["resume", "@last"]);
        }
    }
    stage.lab.sandbook(&["resume", "@last"]).exits(1).says("no");
    assert_eq!(paths(&stage, "POST"), ["/one", "/two", "/three"]);
    let finished = stage.event("run_finished");
    assert_eq!(finished["failed_step"], "broken", "{finished}");
    stage.lab.sandbook(&["show", "@last"]).exits(0);
}
