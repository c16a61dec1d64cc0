use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, RateLimit, world};

use crate::support::trial::Trial;

fn post(with: Value) -> Value {
    let mut with = with;
    with["page"] = json!(world::PAGE);
    json!({ "uses": "post-status", "with": with, "credentials": { "api": "statuspage" } })
}

fn outage() -> Value {
    post(json!({
        "title": "The shop is unavailable",
        "status": "investigating",
        "body": "We are on it.",
        "components": { world::COMPONENT_WEBSITE: "major_outage" },
    }))
}

fn incidents(trial: &Trial) -> Vec<Value> {
    let state = trial.cloud.state();
    state["statuspage"]["incidents"].as_array().unwrap().clone()
}

#[test]
fn an_incident_is_opened_once_and_updated_after() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(outage()).succeeded(true);
    assert_eq!(tried.output("opened"), true);
    trial.step(outage()).succeeded(false);

    let over = post(json!({ "title": "The shop is unavailable", "status": "resolved" }));
    let tried = trial.step(over.clone()).succeeded(true);
    assert_eq!(tried.output("before"), "investigating");
    assert_eq!(incidents(&trial).len(), 1);
    // What isn't open is resolved.
    trial.step(over).succeeded(false);
    assert_eq!(trial.asked("POST", "/incidents").len(), 1);
}

#[test]
fn the_rate_limit_is_waited_for() {
    for status in [420, 429] {
        let trial = Trial::new(Options::healthy());
        trial
            .cloud
            .fail(Fault::new(Effect::later(status, 1)).method("POST"));
        trial.step(outage()).succeeded(true);
        assert_eq!(incidents(&trial).len(), 1, "{status}");
    }
}

#[test]
fn the_real_limit_of_one_request_a_second_is_enough() {
    let trial = Trial::new(Options {
        rate_limit: Some(RateLimit::REAL),
        ..Options::healthy()
    });
    trial.step(outage()).succeeded(true);
    assert_eq!(incidents(&trial).len(), 1);
}

#[test]
fn a_lost_answer_never_makes_two_incidents() {
    for effect in [Effect::DropAfter, Effect::status(500)] {
        let trial = Trial::new(Options::healthy());
        trial.cloud.fail(
            Fault::new(effect)
                .method("POST")
                .host(world::STATUSPAGE_HOST),
        );
        let mut step = outage();
        step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
        trial.step(step).in_doubt();
        assert!(incidents(&trial).len() <= 1);
        assert_eq!(trial.asked("POST", "/incidents").len(), 1);
    }
}

#[test]
fn an_update_whose_answer_is_lost_is_tried_again() {
    let trial = Trial::new(Options::healthy());
    trial.step(outage()).succeeded(true);
    trial
        .cloud
        .fail(Fault::new(Effect::DropAfter).method("PATCH"));
    let mut step = post(json!({ "title": "The shop is unavailable", "status": "identified" }));
    step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
    let tried = trial.step(step);
    assert_eq!(tried.end["kind"], "step_succeeded", "{:?}", tried.said);
    assert_eq!(incidents(&trial)[0]["status"], "identified");
}

#[test]
fn components_can_be_set_outside_of_any_incident() {
    let trial = Trial::new(Options::healthy());
    let step = post(json!({ "components": { world::COMPONENT_CHECKOUT: "degraded_performance" } }));
    trial.step(step.clone()).succeeded(true);
    trial.step(step).succeeded(false);
    assert_eq!(trial.asked("PATCH", "/components/").len(), 1);
    assert!(incidents(&trial).is_empty());
}

#[test]
fn a_wrong_key_is_unauthorized() {
    let trial = Trial::new(Options::healthy());
    let mut step = outage();
    step["credentials"] = json!({ "api": "wrong_statuspage" });
    let tried = trial.step(step).failed("unauthorized");
    assert!(!tried.said.err.contains("not-the-statuspage-key"));
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn an_incident_that_does_not_exist_is_not_found() {
    let trial = Trial::new(Options::healthy());
    trial
        .step(post(json!({ "incident": "nobodys", "status": "resolved" })))
        .failed("not_found")
        .code("IncidentNotFound");
    let mut elsewhere = outage();
    elsewhere["with"]["page"] = json!("nobodyspage1");
    trial.step(elsewhere).failed("not_found");
}
