//! What a signal does to a run.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::stage::{Stage, until};

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
        assert_eq!(stage.event("run_interrupted")["signal"], name);
        assert!(stage.lab.events_of("run_finished").is_empty());
        let started = stage.lab.events_of("step_started");
        assert_eq!(started.len(), 1, "neither a later step nor `finally` runs");
        assert_eq!(status(&stage), "interrupted");
    }
}

#[test]
fn a_request_that_must_not_be_cut_is_waited_for() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://slow.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/1500" }] }
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(
        stage.event("request_ended")["outcome"]["answered"]["status"],
        200
    );
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
        assert_eq!(stage.event("run_interrupted")["signal"], "SIGHUP");
    }
}
