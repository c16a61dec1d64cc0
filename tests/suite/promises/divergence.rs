//! A step that isn't the same each time is not let near the world a second time.

use super::stage::Stage;

const ECHO: &str = "https://echo.simcloud.test";

/// A step that does `first` in its first attempt, fails as `fail` says, and does `second` in its second one.
fn fickle(first: &str, fail: &str, second: &str) -> String {
    format!(
        r#"steps:
  - id: a
    uses: puppet
    allow: ["* {ECHO}/**"]
    credentials: {{ api: api }}
    retry: {{ attempts: 4, delay: 10ms }}
    with:
      actions:
        - {{ do: in_attempt, attempt: 1, then: {first} }}
        - {{ do: fail_unless, attempt: 2{fail} }}
        - {{ do: in_attempt, attempt: 2, then: {second} }}
"#
    )
}

fn send(method: &str, path: &str, body: &str) -> String {
    format!(r#"{{ do: send, method: {method}, url: "{ECHO}{path}", body: "{body}", must: true }}"#)
}

/// Method and path of what arrived, in its order.
fn arrived(stage: &Stage) -> Vec<String> {
    let line = |request: &simcloud::Logged| format!("{} {}", request.method, request.path);
    stage.cloud.requests().iter().map(line).collect()
}

#[test]
fn another_request_than_the_answered_one_is_not_sent_and_waits_for_a_person() {
    let stage = Stage::new();
    let job = fickle(
        &send("POST", "/first", "x"),
        "",
        &send("POST", "/second", "x"),
    );
    stage
        .run(&job)
        .exits(3)
        .says("POST https://echo.simcloud.test/first")
        .says("POST https://echo.simcloud.test/second");
    assert_eq!(arrived(&stage), ["POST /first"]);
    let waiting = stage.event("step_waiting");
    assert_eq!(waiting["failure"]["code"], "diverged", "{waiting}");
    assert_eq!(waiting["attempt"], 2, "there is no third attempt");
    let diverged = &waiting["waiting"]["diverged"];
    assert_eq!(
        diverged["recorded"],
        "`POST https://echo.simcloud.test/first`"
    );
    assert_eq!(
        diverged["asked"],
        "`POST https://echo.simcloud.test/second`"
    );
    // It never was about to be sent.
    assert_eq!(stage.lab.events_of("request_begun").len(), 1);
    let show = stage.lab.sandbook(&["show", "@last"]).ok();
    show.says("/first").says("/second");
}

#[test]
fn any_difference_counts() {
    let first = send("POST", "/x", "one");
    for other in [
        send("POST", "/x", "two"),
        send("POST", "/x?again", "one"),
        send("DELETE", "/x", "one"),
        send("PUT", "/x", "one"),
        first.replace("{ do: send,", "{ do: send, slot: api,"),
        first.replace(r#", body: "one""#, ""),
    ] {
        let stage = Stage::new();
        stage.run(&fickle(&first, "", &other)).exits(3);
        assert_eq!(arrived(&stage), ["POST /x"], "{other}");
        let waiting = stage.event("step_waiting");
        assert_eq!(waiting["failure"]["code"], "diverged", "{other}: {waiting}");
    }
}

#[test]
fn a_plugin_that_hides_it_has_diverged_all_the_same() {
    let stage = Stage::new();
    let second = send("POST", "/second", "x").replace("must: true", "must: false");
    stage
        .run(&fickle(&send("POST", "/first", "x"), "", &second))
        .exits(3);
    assert_eq!(arrived(&stage), ["POST /first"]);
    assert!(stage.lab.events_of("step_succeeded").is_empty());
}

#[test]
fn a_step_that_leaves_out_what_was_answered_has_diverged_at_the_next_one() {
    let stage = Stage::new();
    stage
        .run(&format!(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["* {ECHO}/**"]
    retry: {{ attempts: 2, delay: 10ms }}
    with:
      actions:
        - {{ do: in_attempt, attempt: 1, then: {} }}
        - {}
        - {{ do: fail_unless, attempt: 2 }}
"#,
            send("POST", "/create", "x"),
            send("POST", "/attach", "x"),
        ))
        .exits(3)
        .says("/create")
        .says("/attach");
    assert_eq!(arrived(&stage), ["POST /create", "POST /attach"]);
}

#[test]
fn what_only_reads_or_can_be_repeated_may_differ() {
    for method in ["GET", "PUT", "DELETE"] {
        let stage = Stage::new();
        let job = fickle(&send(method, "/x", "one"), "", &send(method, "/y", "two"));
        stage.run(&job).ok();
        let lines = [format!("{method} /x"), format!("{method} /y")];
        assert_eq!(arrived(&stage), lines);
    }
}

#[test]
fn a_step_that_knows_that_nothing_was_done_may_do_something_else() {
    let stage = Stage::new();
    let job = fickle(
        &send("POST", "/first", "x"),
        ", start_over: true",
        &send("POST", "/second", "x"),
    );
    stage.run(&job).ok();
    assert_eq!(arrived(&stage), ["POST /first", "POST /second"]);
}

#[test]
fn a_person_can_have_it_tried_as_it_is_or_all_anew() {
    let job = fickle(
        &send("POST", "/first", "x"),
        "",
        &send("POST", "/second", "x"),
    );
    for (words, sent) in [
        // Its third attempt asks for nothing.
        (vec!["retry"], vec!["POST /first"]),
        (vec!["retry", "--fresh"], vec!["POST /first"]),
        (vec!["done"], vec!["POST /first"]),
    ] {
        let stage = Stage::new();
        stage.run(&job).exits(3);
        let reason = ["--reason", "looked at it"];
        let all = [&["decide", "@last"], &words[..], &reason].concat();
        stage.lab.sandbook(&all).ok();
        assert_eq!(arrived(&stage), sent, "{words:?}");
    }
}
