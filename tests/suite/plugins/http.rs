//! `http-check` and `http-request`.

use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, world};

use crate::support::trial::Trial;

fn check(with: Value) -> Value {
    let mut with = with;
    with["url"] = json!(format!("https://{}/health", world::SITE_HOST));
    with["interval"] = json!("50ms");
    json!({ "uses": "http-check", "with": with })
}

fn request(with: &Value) -> Value {
    json!({ "uses": "http-request", "with": with })
}

fn echo(path: &str) -> String {
    format!("https://{}{path}", world::ECHO_HOST)
}

#[test]
fn a_check_waits_until_the_answer_is_right() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(Effect::status(503))
            .host(world::SITE_HOST)
            .times(3),
    );
    let tried = trial
        .step(check(
            json!({ "json": { "/region": "east" }, "within": "20s" }),
        ))
        .succeeded(false);
    assert_eq!(tried.output("asked"), 4);
    assert_eq!(tried.output("status"), 200);
}

#[test]
fn a_check_that_never_is_right_says_what_it_saw_last() {
    let trial = Trial::new(Options::healthy());
    let tried = trial
        .step(check(
            json!({ "json": { "/region": "west" }, "within": "300ms" }),
        ))
        .failed("timed_out")
        .code("NotAsExpected");
    tried.said.says("at last:").says("/region");
}

#[test]
fn a_request_sends_what_it_is_told_and_picks_what_it_is_asked_for() {
    let trial = Trial::new(Options::healthy());
    let mut step = request(&json!({
        "method": "POST",
        "url": echo("/tickets"),
        "query": { "q": "a b&c" },
        "headers": { "x-reason": "a drill" },
        "json": { "title": "The shop is down" },
        "repeatable": true,
        "expect": [200],
        "pick": { "method": "/method", "path": "/path", "reason": "/headers/x-reason", "body": "/body" },
    }));
    step["credentials"] = json!({ "auth": "echo" });
    let tried = trial.step(step).succeeded(true);
    let values = tried.output("values");
    assert_eq!(values["method"], "POST");
    assert_eq!(values["path"], "/tickets");
    assert_eq!(values["reason"], "a drill");
    assert!(
        values["body"]
            .as_str()
            .unwrap()
            .contains("The shop is down")
    );
    let arrived = &trial.asked("POST", "/tickets")[0];
    assert_eq!(
        arrived.header("authorization"),
        Some("Bearer the-echo-token")
    );
    assert!(
        arrived.path.contains("a%20b%26c") || arrived.path.contains("a+b%26c"),
        "{}",
        arrived.path
    );
}

#[test]
fn reading_changes_nothing() {
    let trial = Trial::new(Options::healthy());
    trial
        .step(request(&json!({ "url": echo("/") })))
        .succeeded(false);
}

#[test]
fn another_status_than_expected_fails_by_its_kind() {
    let trial = Trial::new(Options::healthy());
    for (status, kind) in [
        (401, "unauthorized"),
        (403, "unauthorized"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "invalid_input"),
        (429, "rate_limited"),
        (500, "unavailable"),
        (503, "unavailable"),
    ] {
        let url = format!("https://{}/{status}", world::STATUS_HOST);
        let mut step = request(&json!({ "url": url }));
        step["timeout"] = json!("3s");
        let tried = trial.step(step);
        assert_eq!(
            tried.end["failure"]["kind"], kind,
            "{status}: {}",
            tried.end
        );
    }
    let url = format!("https://{}/404", world::STATUS_HOST);
    trial
        .step(request(&json!({ "url": url, "expect": [404] })))
        .succeeded(false);
}

#[test]
fn a_service_that_asks_for_patience_is_given_it() {
    let trial = Trial::new(Options::healthy());
    trial
        .cloud
        .fail(Fault::new(Effect::later(429, 1)).host(world::ECHO_HOST));
    trial
        .step(request(&json!({ "url": echo("/") })))
        .succeeded(false);
    assert_eq!(trial.asked("GET", "/").len(), 2);
}

#[test]
fn what_can_not_be_picked_fails_the_step() {
    let trial = Trial::new(Options::healthy());
    trial
        .step(request(
            &json!({ "url": echo("/"), "pick": { "id": "/no/such/place" } }),
        ))
        .failed("failed")
        .code("NothingToPick");
    trial
        .step(request(&json!({
            "url": echo("/raw"), "method": "POST", "text": "no JSON", "pick": { "id": "/id" },
        })))
        .failed("failed")
        .code("UnexpectedAnswer");
}

#[test]
fn two_bodies_are_one_too_many() {
    let trial = Trial::new(Options::healthy());
    let said = trial
        .step(request(
            &json!({ "url": echo("/"), "method": "POST", "text": "a", "json": 1 }),
        ))
        .failed("invalid_input")
        .code("TwoBodies");
    assert!(trial.cloud.requests().is_empty(), "{:?}", said.said);
}
