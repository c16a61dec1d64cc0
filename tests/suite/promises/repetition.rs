//! Never twice by accident.

use simcloud::{Effect, Fault};

use super::stage::Stage;

/// A step that sends this method to echo, must get an answer, and may try three times.
fn persistent(method: &str) -> String {
    format!(
        r#"steps:
  - id: a
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    retry: {{ attempts: 3, delay: 10ms }}
    with: {{ actions: [{{ do: send, method: {method}, url: "https://echo.simcloud.test/x", must: true }}] }}
"#
    )
}

/// The request that the only step waits to be told about.
fn doubt(stage: &Stage) -> serde_json::Value {
    stage.event("step_waiting")["waiting"]["in_doubt"]["request"].clone()
}

#[test]
fn a_retry_is_answered_from_the_record() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://echo.simcloud.test/*]
    retry: { attempts: 2, delay: 10ms }
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/x", body: hello, must: true }
        - { do: fail_unless, attempt: 2 }
"#,
        )
        .ok();
    assert_eq!(stage.arrived("POST").len(), 1);
    assert_eq!(stage.lab.events_of("attempt_failed").len(), 1);
    let answer = &stage.output("a", "results")[0];
    assert_eq!(answer["status"], 200);
    assert!(answer["body"].as_str().unwrap().contains("hello"));
}

#[test]
fn what_was_done_before_the_failure_is_done_once_and_what_follows_is_live() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://echo.simcloud.test/*]
    retry: { attempts: 3, delay: 10ms }
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/x", must: true }
        - { do: fail_unless, attempt: 2 }
        - { do: send, method: POST, url: "https://echo.simcloud.test/y", must: true }
        - { do: fail_unless, attempt: 3 }
"#,
        )
        .ok();
    let posts = stage.arrived("POST");
    let paths: Vec<_> = posts.iter().map(|post| post.path.as_str()).collect();
    assert_eq!(paths, ["/x", "/y"]);
}

#[test]
fn a_lost_answer_to_an_unrepeatable_request_is_not_sent_again() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropAfter));
    stage
        .run(&persistent("POST"))
        .exits(3)
        .says("POST https://echo.simcloud.test/x");
    assert_eq!(stage.arrived("POST").len(), 1);
    assert!(stage.lab.events_of("attempt_failed").is_empty());
    assert_eq!(doubt(&stage), 1);
    assert!(stage.event("request_ended")["outcome"]["unknown"].is_object());
}

#[test]
fn a_step_that_hides_a_lost_answer_is_in_doubt_all_the_same() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropAfter));
    stage
        .run(&persistent("POST").replace("must: true", "must: false"))
        .exits(3);
    assert_eq!(doubt(&stage), 1);
    assert_eq!(stage.arrived("POST").len(), 1);
}

#[test]
fn an_ambiguous_answer_to_an_unrepeatable_request_is_not_sent_again() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::status(502)));
    stage.run(&persistent("POST")).exits(3);
    assert_eq!(stage.arrived("POST").len(), 1);
    assert_eq!(doubt(&stage), 1);
}

#[test]
fn a_refusal_that_asks_for_patience_is_sent_again() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::later(503, 0)));
    stage.run(&persistent("POST")).ok();
    assert_eq!(stage.arrived("POST").len(), 2);
}

#[test]
fn a_lost_answer_to_a_repeatable_request_is_asked_for_again() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropAfter));
    stage.run(&persistent("PUT")).ok();
    assert_eq!(stage.arrived("PUT").len(), 2);
    assert_eq!(stage.lab.events_of("attempt_failed").len(), 1);
}

#[test]
fn a_connection_that_is_cut_before_an_answer_leaves_the_outcome_open() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropBefore));
    stage.run(&persistent("POST")).exits(3);
    assert!(stage.arrived("POST").len() <= 1);
    assert_eq!(doubt(&stage), 1);
}

#[test]
fn a_request_that_never_left_is_tried_again() {
    let stage = Stage::new();
    // Nobody listens on the discard port.
    let path = stage.lab.path("environments/test.yaml");
    let environment = std::fs::read_to_string(&path).unwrap();
    let deaf = environment.replace(&stage.cloud.origin(), "http://127.0.0.1:9");
    std::fs::write(path, deaf).unwrap();
    stage.run(&persistent("POST")).exits(1);
    assert_eq!(stage.lab.events_of("attempt_failed").len(), 2);
    let ended = stage.lab.events_of("request_ended");
    assert_eq!(ended.len(), 3);
    assert!(
        ended
            .iter()
            .all(|event| event["outcome"]["not_sent"].is_object())
    );
    assert!(stage.event("step_failed")["in_doubt"].is_null());
}

#[test]
fn a_change_outlives_its_attempts_time_and_is_not_made_again() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    timeout: 1s
    allow: [POST https://slow.simcloud.test/*]
    retry: { attempts: 2, delay: 10ms }
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/2000", must: true }] }
"#,
        )
        .ok();
    assert_eq!(stage.arrived("POST").len(), 1);
    assert_eq!(
        stage.event("attempt_failed")["failure"]["kind"],
        "timed_out"
    );
    assert_eq!(stage.output("a", "results")[0]["body"], "late");
}

#[test]
fn an_answer_whose_body_is_cut_counts_as_an_answer() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::CutBody));
    stage.run(&persistent("POST"));
    assert_eq!(stage.arrived("POST").len(), 1);
    let ended = &stage.lab.events_of("request_ended")[0];
    assert_eq!(ended["outcome"]["answered"]["status"], 200, "{ended}");
}
