//! What a hostile one does with it. After each, an innocent step has what it asks for.

use serde_json::json;
use simcloud::{Effect, Fault};

use super::{arrived, job, recorded, results};
use crate::promises::stage::Stage;

/// A step that misuses the interface like this, with these limits, and how its run exits.
fn misusing(how: &str, limits: &str, status: i32) -> Stage {
    let stage = Stage::new();
    let job = job(&format!("        - {{ do: misuse, how: {how} }}"));
    let job = job.replace("    uses:", &format!("    {limits}\n    uses:"));
    stage.run(&job).exits(status);
    stage
}

/// All is well after a step of another stage's.
#[track_caller]
fn all_is_well_after(stage: &Stage) {
    stage
        .run(&job(
            "        - { do: send, url: \"https://echo.simcloud.test/innocent\", must: true }",
        ))
        .ok();
}

#[test]
fn futures_that_are_dropped_take_nothing_back() {
    let stage = misusing(
        "drop_futures, count: 3, method: POST, url: \"https://echo.simcloud.test/N\"",
        "retry: { attempts: 1 }",
        0,
    );
    // The step returned at once: what it had handed over was sent, waited for and recorded.
    assert_eq!(arrived(&stage), ["POST /0", "POST /1", "POST /2"]);
    let of_each = ["request_begun", "request_ended"];
    assert_eq!(recorded(&stage), of_each.repeat(3));
    all_is_well_after(&stage);
}

#[test]
fn who_drops_a_future_can_not_say_that_nothing_was_done() {
    let posts = |first: &str| {
        let stage = Stage::new();
        let job = job(&format!(
            "        - {first}\n        - {{ do: fail_unless, attempt: 2, start_over: true }}"
        ));
        let retried = "    retry: { attempts: 2, delay: 10ms }\n    uses:";
        stage.run(&job.replace("    uses:", retried)).ok();
        stage.arrived("POST").len()
    };
    let url = "url: \"https://echo.simcloud.test/x\"";
    let dropped = format!("{{ do: misuse, how: drop_futures, method: POST, {url} }}");
    assert_eq!(posts(&dropped), 1);
    let told = format!("{{ do: send, method: POST, {url} }}");
    assert_eq!(posts(&told), 2);
}

#[test]
fn a_doubt_is_one_though_its_future_was_dropped() {
    let stage = Stage::new();
    stage.cloud.fail(Fault::new(Effect::DropAfter));
    stage
        .run(&job(
            "        - { do: misuse, how: drop_futures, method: POST, url: \"https://echo.simcloud.test/x\" }",
        ))
        .exits(3)
        .says("in doubt");
    let doubt = stage.event("step_waiting");
    assert_eq!(doubt["waiting"]["in_doubt"]["request"], 1, "{doubt}");
}

#[test]
fn a_request_under_way_outlives_the_attempt_that_was_cut() {
    let stage = misusing(
        "backwards, count: 2, method: POST, url: \"https://slow.simcloud.test/1500?N\"",
        "timeout: 500ms",
        1,
    );
    // The first is waited for and recorded; the second was never begun.
    assert_eq!(arrived(&stage), ["POST /1500?0"]);
    assert_eq!(recorded(&stage), ["request_begun", "request_ended"]);
    all_is_well_after(&stage);
}

#[test]
fn requests_are_counted_whatever_becomes_of_them() {
    let stage = misusing(
        "drop_futures, count: 10, url: \"https://echo.simcloud.test/N\"",
        "limits: { requests: 4 }",
        0,
    );
    assert_eq!(arrived(&stage).len(), 4);
    let logged = stage.lab.events_of("logged");
    assert_eq!(logged.len(), 6);
    let said = logged[0]["message"].to_string();
    assert!(said.contains("`limits: { requests: … }`"), "{said}");
    all_is_well_after(&stage);
}

#[test]
fn those_that_wait_count_as_handles() {
    let stage = misusing(
        "drop_futures, count: 2000, url: \"https://slow.simcloud.test/60000?N\"",
        "timeout: 20s",
        1,
    );
    let message = stage.failure();
    assert!(message.contains("1000 for open handles"), "{message}");
    all_is_well_after(&stage);
}

#[test]
fn answers_that_are_not_read_count_as_memory() {
    let stage = misusing(
        "unread, count: 8, url: \"https://large.simcloud.test/4000000?N\"",
        "limits: { memory: 16MiB }",
        1,
    );
    let message = stage.failure();
    assert!(message.contains("16 MiB for memory"), "{message}");
    all_is_well_after(&stage);
}

#[test]
fn header_fields_count_as_memory() {
    let fields = "fields, count: 3000000 } - { do: misuse, how: ".repeat(8);
    let fields = fields.replace("} - {", "}\n        - {");
    let stage = misusing(
        &format!("{fields}fields, count: 1"),
        "limits: { memory: 16MiB }",
        1,
    );
    let message = stage.failure();
    assert!(message.contains("16 MiB for memory"), "{message}");
    all_is_well_after(&stage);
}

#[test]
fn a_body_that_is_too_long_is_not_collected_and_not_sent() {
    let stage = misusing(
        "overflow, count: 200000, method: POST, url: \"https://echo.simcloud.test/x\"",
        "limits: { request_body: 100KiB }",
        0,
    );
    let came_of = &results(&stage)[0];
    assert_eq!(came_of["stream"], "too-large");
    assert_eq!(came_of["finished"], false);
    assert_eq!(came_of["answer"]["error"], "too-large");
    assert!(arrived(&stage).is_empty());
    let denied = stage.event("request_denied")["why"].to_string();
    assert!(denied.contains("`limits: { request_body: … }`"), "{denied}");
    all_is_well_after(&stage);
}

#[test]
fn a_body_that_is_not_finished_is_not_sent() {
    let stage = misusing(
        "unfinished, count: 10, method: POST, url: \"https://echo.simcloud.test/x\"",
        "timeout: 20s",
        0,
    );
    assert_eq!(results(&stage)[0]["error"], "malformed");
    assert!(arrived(&stage).is_empty());
    let denied = stage.event("request_denied")["why"].to_string();
    assert!(denied.contains("was not finished"), "{denied}");
    all_is_well_after(&stage);
}

#[test]
fn a_body_that_never_ends_ends_with_the_attempt() {
    let stage = misusing(
        "waiting, count: 10, method: POST, url: \"https://echo.simcloud.test/x\"",
        "timeout: 1s",
        1,
    );
    let message = stage.failure();
    assert!(message.contains("1s"), "{message}");
    assert!(arrived(&stage).is_empty());
    all_is_well_after(&stage);
}

#[test]
fn trailers_and_a_second_credential_are_refused() {
    for (how, why) in [
        ("trailers", "trailers are not sent"),
        (
            "two_credentials",
            "`sandbook-credential` is there more than once",
        ),
    ] {
        let stage = misusing(
            &format!("{how}, method: PUT, url: \"https://echo.simcloud.test/x\""),
            "timeout: 20s",
            0,
        );
        let results = results(&stage);
        let answer = results[0].get("answer").unwrap_or(&results[0]);
        assert_eq!(answer, &json!({ "error": "denied" }));
        assert!(arrived(&stage).is_empty());
        let denied = stage.event("request_denied")["why"].to_string();
        assert!(denied.contains(why), "{denied}");
        all_is_well_after(&stage);
    }
}

#[test]
fn a_plugin_that_answers_requests_crashes() {
    let stage = misusing("answer", "timeout: 20s", 1);
    let message = stage.failure();
    assert!(message.contains("answers none"), "{message}");
    all_is_well_after(&stage);
}
