use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, Region, world};

use crate::support::trial::Trial;

fn open(region: Region) -> Value {
    json!({
        "uses": "update-ip",
        "with": {
            "subscription": world::SUBSCRIPTION,
            "resource_group": world::RESOURCE_GROUP,
            "app": region.web_app(),
        },
        "credentials": { "azure": "azure" },
    })
}

fn switch(key: &str, rest: Value) -> Value {
    let mut with = rest;
    with["zone"] = json!(world::ZONE);
    if key == "pool" {
        with.as_object_mut().unwrap().remove("zone");
        with["account"] = json!(world::ACCOUNT);
    }
    json!({ "uses": "update-ip", "with": with, "credentials": { "cloudflare": "cloudflare" } })
}

fn balance(region: Region) -> Value {
    switch(
        "load_balancer",
        json!({ "load_balancer": world::LOAD_BALANCER, "healthy_pool": region.pool() }),
    )
}

fn rules(trial: &Trial) -> String {
    trial.cloud.state()["azure"]["web_apps"]["shop-west"].to_string()
}

#[test]
fn what_is_missing_is_added_and_foreign_rules_stay() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(open(Region::West)).succeeded(true);
    let access = tried.output("access");
    let ranges = world::CLOUDFLARE_IPV4.len() + world::CLOUDFLARE_IPV6.len();
    assert_eq!(access["added"].as_array().unwrap().len(), ranges);
    assert_eq!(access["removed"], json!([]));
    let rules = rules(&trial);
    assert!(rules.contains("office"), "{rules}");
    assert!(
        world::CLOUDFLARE_IPV6
            .iter()
            .all(|range| rules.contains(range)),
        "{rules}"
    );
    // It is looked at, written, and looked at again.
    assert_eq!(trial.asked("PATCH", "/config/web").len(), 1);
    assert_eq!(trial.asked("GET", "/config/web").len(), 2);

    trial.step(open(Region::West)).succeeded(false);
    assert_eq!(trial.asked("PATCH", "/config/web").len(), 1);
}

#[test]
fn whom_a_foreign_rule_lets_in_gets_no_second_one() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(open(Region::East)).succeeded(false);
    assert_eq!(tried.output("access")["changed"], false);
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn only_what_differs_is_written() {
    let trial = Trial::new(Options::healthy());
    trial.step(open(Region::West)).succeeded(true);
    let mut step = open(Region::West);
    step["with"]["addresses"] = json!([{ "name": "monitoring", "address": "203.0.113.9" }]);
    let tried = trial.step(step).succeeded(true);
    let added = tried.output("access")["added"].as_array().unwrap();
    assert_eq!(added.len(), 1, "{added:?}");
    assert_eq!(added[0]["address"], "203.0.113.9/32");

    let tried = trial.step(open(Region::West)).succeeded(true);
    let removed = tried.output("access")["removed"].as_array().unwrap();
    assert_eq!(removed.len(), 1, "{removed:?}");
}

#[test]
fn who_is_named_twice_is_let_in_once() {
    let trial = Trial::new(Options::healthy());
    let mut step = open(Region::West);
    step["with"]["addresses"] = json!([
        { "name": "monitoring", "address": "203.0.113.9" },
        { "name": "the same", "address": "203.0.113.9/32" },
        { "name": "cloudflare", "address": world::CLOUDFLARE_IPV4[0] },
    ]);
    let tried = trial.step(step.clone()).succeeded(true);
    let added = tried.output("access")["added"].as_array().unwrap();
    let ranges = world::CLOUDFLARE_IPV4.len() + world::CLOUDFLARE_IPV6.len();
    assert_eq!(added.len(), ranges + 1, "{added:?}");
    trial.step(step).succeeded(false);
}

#[test]
fn what_was_written_and_is_not_there_fails_the_step() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(Effect::Answer {
            status: 200,
            body: Some(json!({})),
            retry_after: None,
            processed: false,
        })
        .method("PATCH")
        .path("*/config/web"),
    );
    trial
        .step(open(Region::West))
        .failed("failed")
        .code("NotApplied");
}

#[test]
fn the_traffic_goes_to_the_healthy_region() {
    let trial = Trial::new(Options::healthy());
    trial.step(balance(Region::West)).succeeded(true);
    let pools = &trial.cloud.state()["cloudflare"]["load_balancer"]["default_pools"];
    assert_eq!(pools[0], Region::West.pool());
    trial.step(balance(Region::West)).succeeded(false);
    assert_eq!(trial.asked("PATCH", "/load_balancers/").len(), 1);

    let dns = switch(
        "dns_record",
        json!({ "dns_record": world::DNS_RECORD, "healthy_host": Region::West.origin_host() }),
    );
    trial.step(dns.clone()).succeeded(true);
    trial.step(dns).succeeded(false);

    let pool = switch(
        "pool",
        json!({ "pool": Region::West.pool(), "healthy_host": Region::West.origin_host() }),
    );
    let tried = trial.step(pool.clone());
    assert_eq!(tried.end["kind"], "step_succeeded", "{}", tried.end);
    trial.step(pool).succeeded(false);
}

#[test]
fn passing_trouble_is_tried_again() {
    for effect in [
        Effect::later(429, 1),
        Effect::status(503),
        Effect::DropBefore,
        Effect::DropAfter,
    ] {
        let trial = Trial::new(Options::healthy());
        trial.cloud.fail(Fault::new(effect).method("PATCH"));
        let mut step = balance(Region::West);
        step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
        trial.step(step);
        assert_eq!(
            trial.cloud.state()["cloudflare"]["load_balancer"]["default_pools"][0],
            Region::West.pool()
        );
    }
}

#[test]
fn a_wrong_token_is_unauthorized_and_nothing_changes() {
    let trial = Trial::new(Options::healthy());
    let mut step = balance(Region::West);
    step["credentials"] = json!({ "cloudflare": "wrong_cloudflare" });
    trial.step(step).failed("unauthorized");
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let trial = Trial::new(Options::healthy());
    let mut step = balance(Region::West);
    step["with"]["load_balancer"] = json!("0000000000000000000000000000dead");
    trial.step(step).failed("not_found");
    let mut step = open(Region::West);
    step["with"]["app"] = json!("shop-north");
    trial.step(step).failed("not_found");
}

#[test]
fn an_odd_list_of_ranges_locks_nobody_out() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(Effect::Answer {
            status: 200,
            body: Some(
                json!({ "success": true, "result": { "ipv4_cidrs": [], "ipv6_cidrs": [] } }),
            ),
            retry_after: None,
            processed: false,
        })
        .path("*/ips"),
    );
    trial
        .step(open(Region::West))
        .failed("failed")
        .code("UnexpectedAnswer");
    assert_eq!(trial.cloud.counts().changes, 0);
}
