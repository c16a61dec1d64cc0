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
