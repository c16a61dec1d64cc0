//! What a hostile component does while it runs.

use serde_json::Value;

use super::all_is_well_after;
use crate::promises::stage::Stage;

/// Runs a step that does this.
fn doing(actions: &str, status: i32) -> Stage {
    let stage = Stage::new();
    stage
        .run(&format!(
            r#"steps:
  - id: a
    uses: puppet
    credentials: {{ api: api }}
    allow: ["GET,POST https://echo.simcloud.test/*"]
    with: {{ actions: [{actions}] }}
"#
        ))
        .exits(status);
    stage
}

/// The message with which a step fails that does this, with all well after.
#[track_caller]
fn failing(actions: &str) -> String {
    let stage = doing(actions, 1);
    let message = stage.failure();
    all_is_well_after(&stage);
    message
}

/// What the step's actions come to, with all well after.
#[track_caller]
fn results(actions: &str) -> Value {
    let stage = doing(actions, 0);
    let results = stage.output("a", "results");
    all_is_well_after(&stage);
    results
}

#[test]
fn an_exit_fails_the_step_whatever_its_status() {
    for status in [0, 1] {
        let message = failing(&format!("{{ do: exit, status: {status} }}"));
        assert!(message.contains(&format!("exit({status})")), "{message}");
    }
}

#[test]
fn what_was_sent_before_a_crash_stays_on_record() {
    let stage = doing(
        "{ do: send, method: POST, url: \"https://echo.simcloud.test/before\" }, { do: abort }",
        1,
    );
    assert!(stage.failure().contains("crashed"), "{}", stage.failure());
    assert_eq!(
        stage.event("request_ended")["outcome"]["answered"]["status"],
        200
    );
    assert_eq!(stage.arrived("POST").len(), 1);
    all_is_well_after(&stage);
    assert_eq!(stage.arrived("POST").len(), 1);
}

#[test]
fn a_huge_header_is_refused() {
    let long = "x".repeat(300_000);
    let results = results(&format!(
        "{{ do: send, url: \"https://echo.simcloud.test/x\", headers: {{ x-long: {long} }} }}"
    ));
    assert_eq!(results[0]["error"], "too-large", "{}", results[0]);
}

#[test]
fn a_body_that_is_no_text_is_sent_as_it_is() {
    let stage = doing(
        "{ do: send, method: POST, url: \"https://echo.simcloud.test/x\", body_bytes: [255, 254, 0, 27, 200], must: true }",
        0,
    );
    assert_eq!(stage.arrived("POST").len(), 1);
    for command in [
        &["show", "@last"][..],
        &["log", "@last"],
        &["log", "@last", "-o", "json"],
    ] {
        stage.lab.sandbook(command).ok();
    }
    all_is_well_after(&stage);
}

#[test]
fn a_flood_of_output_is_cut_and_the_step_goes_on() {
    for error in [false, true] {
        let stage = doing(
            &format!("{{ do: flood, lines: 20000, bytes: 5000000, error: {error} }}"),
            0,
        );
        let lines = stage.lab.events_of("logged");
        let bytes: usize = lines
            .iter()
            .map(|line| line["message"].as_str().unwrap().len())
            .sum();
        assert!(
            lines.len() <= 10_001 && bytes < 1_100_000,
            "{}, {bytes}",
            lines.len()
        );
        let last = lines.last().unwrap()["message"].as_str().unwrap();
        assert!(last.contains("limit"), "{last}");
        all_is_well_after(&stage);
    }
}

#[test]
fn wasi_has_no_files_sockets_variables_or_arguments_in_it() {
    let seen = results("{ do: surroundings }");
    assert_eq!(seen[0]["files"], false, "{seen}");
    assert_eq!(seen[0]["connects"], false, "{seen}");
    assert_eq!(seen[0]["variables"], 0, "{seen}");
}

#[test]
fn a_secret_is_not_shown_without_a_grant_for_it() {
    let seen = results("{ do: reveal, slot: api }");
    let error = seen[0]["error"].as_str().unwrap();
    assert!(error.contains("reveal: [api]"), "{error}");
    assert!(!seen.to_string().contains(crate::promises::stage::SECRET));
}
