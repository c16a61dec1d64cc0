//! A guest cannot hurt its host.

use std::time::{Duration, Instant};

use super::stage::Stage;

/// Runs a step that does this for at most two seconds, and gives the message with which it failed. The host is unharmed after.
#[track_caller]
fn failing(action: &str) -> String {
    let stage = Stage::new();
    let begun = Instant::now();
    stage
        .run(&format!(
            "steps: [{{ id: a, timeout: 2s, uses: puppet, with: {{ actions: [{action}] }} }}]"
        ))
        .exits(1);
    assert!(begun.elapsed() < Duration::from_secs(30));
    let message = stage.failure();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    message
}

#[track_caller]
fn names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in `{message}`");
    }
}

#[test]
fn an_endless_loop_is_ended() {
    names(&failing("{ do: loop }"), &["2s", "time"]);
}

#[test]
fn an_endless_sleep_is_ended() {
    names(
        &failing("{ do: sleep, milliseconds: 600000 }"),
        &["2s", "time"],
    );
}

#[test]
fn a_request_that_is_never_answered_is_ended() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    timeout: 2s
    uses: puppet
    allow: [GET https://slow.simcloud.test/*]
    with: { actions: [{ do: send, url: "https://slow.simcloud.test/600000" }] }
"#,
        )
        .exits(1);
    names(&stage.failure(), &["2s", "time"]);
    assert_eq!(stage.event("step_failed")["failure"]["kind"], "timed_out");
}

/// The limit is a minute, so that this test takes one: it lies with the engine, and no runbook can lower it.
#[test]
fn processor_time_is_bounded_and_the_next_step_is_unharmed() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: greedy, on_failure: continue, timeout: 10m, retry: { attempts: 3, delay: 10ms }, uses: puppet, with: { actions: [{ do: loop }] } }
  - id: next
    uses: puppet
    allow: [GET https://echo.simcloud.test/*]
    with: { actions: [{ do: compute, rounds: 1001 }, { do: send, url: "https://echo.simcloud.test/next", must: true }] }
"#,
        )
        .ok();
    names(&stage.failure(), &["60s", "processor time"]);
    let failed = stage.event("step_failed");
    assert_eq!(failed["failure"]["code"], "limit");
    assert_eq!(failed["attempt"], 1, "it would be reached again");
    let results = stage.output("next", "results");
    assert_eq!(results[0], 500_500);
    assert_eq!(results[1]["status"], 200);
}

#[test]
fn memory_is_bounded() {
    names(
        &failing("{ do: allocate, bytes: 1000000000 }"),
        &["512 MiB", "memory"],
    );
}

#[test]
fn the_stack_is_bounded() {
    names(&failing("{ do: recurse }"), &["stack"]);
}

#[test]
fn output_is_bounded() {
    names(
        &failing("{ do: big_output, bytes: 2000000 }"),
        &["1 MiB", "output"],
    );
}

#[test]
fn handles_are_bounded() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    with: { actions: [{ do: open, slot: api, times: 100000 }] }
"#,
        )
        .exits(1);
    names(&stage.failure(), &["1000", "handles"]);
}

#[test]
fn log_lines_are_bounded_and_say_so() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: many_logs, count: 20000, message: line }] } }]")
        .ok();
    let lines = stage.lab.events_of("logged");
    assert!(lines.len() <= 10_001, "{}", lines.len());
    assert!(
        lines.last().unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("limit"),
        "{:?}",
        lines.last()
    );
}

#[test]
fn log_bytes_are_bounded_and_say_so() {
    let stage = Stage::new();
    let line = "x".repeat(1_000);
    stage
        .run(&format!(
            "steps: [{{ id: a, uses: puppet, with: {{ actions: [{{ do: many_logs, count: 3000, message: {line} }}] }} }}]"
        ))
        .ok();
    let lines = stage.lab.events_of("logged");
    let length = |line: &serde_json::Value| line["message"].as_str().unwrap().len();
    let bytes: usize = lines.iter().map(length).sum();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes} bytes");
    let last = lines.last().unwrap()["message"].as_str().unwrap();
    names(last, &["limit"]);
}

#[test]
fn what_one_step_used_up_the_next_has_again() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: memory, on_failure: continue, uses: puppet, with: { actions: [{ do: allocate, bytes: 1000000000 }] } }
  - { id: stack, on_failure: continue, uses: puppet, with: { actions: [{ do: recurse }] } }
  - { id: output, on_failure: continue, uses: puppet, with: { actions: [{ do: big_output, bytes: 2000000 }] } }
  - { id: lines, uses: puppet, with: { actions: [{ do: many_logs, count: 10001, message: line }] } }
  - id: last
    uses: puppet
    with: { actions: [{ do: allocate, bytes: 100000000 }, { do: recurse, depth: 1000 }, { do: log, message: still heard }] }
"#,
        )
        .ok();
    assert_eq!(stage.lab.events_of("step_failed").len(), 3);
    let results = stage.output("last", "results");
    assert!(results[0].as_u64().unwrap() >= 100_000_000);
    assert_eq!(results[1], 1_000);
    let last = stage.lab.events_of("logged").pop().unwrap();
    assert_eq!(last["message"], "still heard");
}

#[test]
fn a_panic_fails_its_step_and_says_why() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: panic, message: out of cheese }] } }]")
        .exits(1);
    names(&stage.failure(), &["crashed"]);
    let lines = stage.lab.events_of("logged");
    let why =
        |line: &serde_json::Value| line["message"].as_str().unwrap().contains("out of cheese");
    assert!(lines.iter().any(why), "{lines:?}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let stage = Stage::new();
    let said = stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    with:
      actions:
        - { do: log, message: "\e]0;owned\a\e[2J" }
        - { do: print, text: "\e[31mred", error: true }
        - { do: fail, message: "\e[31mred" }
"#,
        )
        .exits(1);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'));
}
