//! What a signal does to a run.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::stage::{Stage, until};
use crate::support::Said;

const SLEEP: &str = r#"steps:
  - id: first
    uses: puppet
    allow: [GET https://echo.simcloud.test/*]
    with:
      actions:
        - { do: send, url: "https://echo.simcloud.test/begun" }
        - { do: sleep, milliseconds: 60000 }
  - { id: second, uses: noop }
finally:
  - { id: tell, uses: noop }
"#;

fn status(stage: &Stage) -> String {
    let runs = stage.lab.sandbook(&["runs", "-o", "json"]).ok();
    let run = runs.json_lines().remove(0);
    run["status"].as_str().unwrap().to_owned()
}

#[test]
fn an_interrupt_ends_the_attempt_and_is_recorded() {
    let stage = Stage::new();
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let before = stage.cloud.requests().len();
        let mut child = stage.start(SLEEP);
        until("the step runs", || stage.cloud.requests().len() > before);
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(stage.event("run_interrupted")["cause"], name);
        assert!(stage.lab.events_of("run_finished").is_empty());
        let started = stage.lab.events_of("step_started");
        assert_eq!(started.len(), 1, "neither a later step nor `finally` runs");
        assert_eq!(status(&stage), "interrupted");
    }
}

#[test]
fn a_request_in_flight_is_waited_for_and_no_other_follows() {
    for (method, kind) in [
        ("POST", "request_ended"),
        ("PUT", "request_ended"),
        ("GET", "request_read"),
    ] {
        let stage = Stage::new();
        let mut child = stage.start(&format!(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["{method} https://slow.simcloud.test/*"]
    with:
      actions:
        - {{ do: send, method: {method}, url: "https://slow.simcloud.test/1500" }}
        - {{ do: send, method: {method}, url: "https://slow.simcloud.test/1" }}
"#,
        ));
        until("the request arrives", || !stage.cloud.requests().is_empty());
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{method}");
        let ended = stage.event(kind);
        assert_eq!(ended["outcome"]["answered"]["status"], 200, "{method}");
        assert_eq!(stage.cloud.requests().len(), 1, "{method}");
        assert!(stage.lab.events_of("step_failed").is_empty(), "{method}");
        assert_eq!(status(&stage), "interrupted");
    }
}

#[test]
fn what_the_last_request_came_to_is_not_lost() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [PUT https://slow.simcloud.test/*]
    with: { actions: [{ do: send, method: PUT, url: "https://slow.simcloud.test/1500" }] }
  - { id: b, uses: noop }
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(stage.event("step_succeeded")["step"], "a");
    assert_eq!(stage.lab.events_of("step_started").len(), 1);
}

#[test]
fn a_request_that_takes_too_long_is_left_in_doubt() {
    let stage = Stage::new();
    let child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://slow.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/25000" }] }
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).exits(130);
    let doubt = "step `a`: `POST https://slow.simcloud.test/25000` is in doubt";
    let last = said.out.lines().last().unwrap();
    assert!(last.contains(doubt), "{last}");
    stage.lab.sandbook(&["log", "@last"]).ok().says(doubt);
    assert_eq!(status(&stage), "interrupted");
}

#[test]
fn a_run_whose_process_was_killed_shows_as_interrupted() {
    let stage = Stage::new();
    let mut child = stage.start(SLEEP);
    until("the step runs", || !stage.cloud.requests().is_empty());
    assert_eq!(status(&stage), "running");
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    assert_eq!(status(&stage), "interrupted");
    stage
        .lab
        .sandbook(&["show", "@last"])
        .ok()
        .says("interrupted");
}

#[test]
fn a_second_signal_does_not_wait() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://slow.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/25000" }] }
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    let process = Pid::from_child(&child);
    let begun = Instant::now();
    kill_process(process, Signal::INT).unwrap();
    // Two signals at once may arrive as one.
    std::thread::sleep(Duration::from_millis(300));
    kill_process(process, Signal::INT).unwrap();
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(status(&stage), "interrupted");
    assert!(stage.event("request_begun")["asked"].is_object());
}

#[test]
fn an_interrupt_does_not_wait_for_a_retry_or_a_pause() {
    for job in [
        "steps: [{ id: a, wait: 1h }]",
        "steps: [{ id: a, retry: { attempts: 2, delay: 1h, max_delay: 1h }, uses: puppet, with: { actions: [{ do: fail }] } }]",
    ] {
        let stage = Stage::new();
        let mut child = stage.start(job);
        until("the step waits", || {
            let log = stage.lab.sandbook(&["log", "@last", "-o", "json"]);
            log.out.contains("attempt_failed") || log.out.contains("step_started")
        });
        std::thread::sleep(Duration::from_millis(300));
        kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{job}");
        assert_eq!(stage.event("run_interrupted")["cause"], "SIGHUP");
    }
}

#[test]
fn a_process_that_is_told_to_quit_stops_at_once_and_leaves_no_core() {
    let stage = Stage::new();
    let mut child = stage.start(SLEEP);
    until("the step runs", || !stage.cloud.requests().is_empty());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let numbers: Vec<_> = core.unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(numbers, ["0", "0"]);
    kill_process(Pid::from_child(&child), Signal::QUIT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(status(&stage), "interrupted");
}
