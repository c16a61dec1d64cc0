use std::{cell::RefCell, rc::Rc};

use sandbook_step::testing::{Answer, Asked, Shown, Stage};

use super::*;

const APP: &str = "https://management.azure.com/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/west/config/web?api-version=2024-11-01";
const CLOUDFLARE: &str = "https://api.cloudflare.com/client/v4";

/// A small Azure and Cloudflare: what is written is kept.
struct World {
    rules: Value,
    pool: Value,
    load_balancer: Value,
    record: Value,
    forgetful: bool,
}

impl World {
    fn new() -> Self {
        World {
            rules: json!([{"ipAddress": "198.51.100.0/24", "action": "Allow", "priority": 100, "name": "office"}]),
            pool: json!({"enabled": true, "origins": [
                {"name": "east", "address": "east.example", "enabled": true, "weight": 0.5},
                {"name": "west", "address": "west.example", "enabled": false, "disabled_at": "2026-01-01"},
            ]}),
            load_balancer: json!({"default_pools": ["pe", "pw"]}),
            record: json!({"content": "east.example"}),
            forgetful: false,
        }
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        let sent = asked.json();
        if asked.url == APP {
            if asked.method == "PATCH" && !self.forgetful {
                self.rules = sent["properties"]["ipSecurityRestrictions"].clone();
            }
            return Answer::json(
                200,
                &json!({"properties": {"ipSecurityRestrictions": self.rules}}),
            );
        }
        let ranges = json!({"ipv4_cidrs": ["173.245.48.0/20"], "ipv6_cidrs": ["2400:cb00::/32"]});
        let kept = match asked.url.strip_prefix(CLOUDFLARE).unwrap() {
            "/ips" => &mut ranges.clone(),
            "/accounts/a/load_balancers/pools/p" => &mut self.pool,
            "/zones/z/load_balancers/lb" => &mut self.load_balancer,
            "/zones/z/dns_records/r" => &mut self.record,
            other => panic!("{other}"),
        };
        if let Some(fields) = sent.as_object() {
            kept.as_object_mut().unwrap().extend(fields.clone());
        }
        Answer::json(
            200,
            &json!({"success": true, "errors": [], "messages": [], "result": kept}),
        )
    }
}

fn perform(world: &Rc<RefCell<World>>, input: &Value) -> Shown<Result<Done<Output>, Failure>> {
    let (world, input) = (
        Rc::clone(world),
        serde_json::from_value(input.clone()).unwrap(),
    );
    Stage::new(move |asked| Ok(world.borrow_mut().answer(asked)))
        .slot("azure")
        .slot("cloudflare")
        .perform(|context| run(context, input))
}

fn everything() -> Value {
    json!({
        "subscription": "s", "resource_group": "rg", "app": "west",
        "addresses": [{"name": "monitoring", "address": "192.0.2.7"}],
        "healthy_host": "west.example", "account": "a", "pool": "p", "zone": "z", "load_balancer": "lb",
        "healthy_pool": "pw", "dns_record": "r",
    })
}

#[test]
fn the_app_is_opened_before_the_traffic_is_switched() {
    let world = Rc::new(RefCell::new(World::new()));
    let shown = perform(&world, &everything());
    let done = shown.ended.unwrap();
    assert!(done.changed);
    assert_eq!(
        done.summary,
        "wrote access restrictions, pool, load balancer, DNS record"
    );
    let writes: Vec<_> = shown
        .asked
        .iter()
        .filter(|asked| asked.method == "PATCH")
        .collect();
    assert_eq!(writes[0].url, APP);
    assert!(writes.iter().all(|asked| asked.repeatable == Some(true)));

    let world = world.borrow();
    let names: Vec<_> = world
        .rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "office",
            "sandbook monitoring",
            "sandbook 173.245.48.0/20",
            "sandbook 2400:cb00::/32"
        ]
    );
    assert_eq!(
        world.pool["origins"][0],
        json!({"name": "east", "address": "east.example", "enabled": false, "weight": 0.5})
    );
    assert_eq!(world.pool["origins"][1]["enabled"], true);
    assert_eq!(world.load_balancer["default_pools"], json!(["pw", "pe"]));
    assert_eq!(world.record["content"], "west.example");
}

#[test]
fn a_second_time_nothing_is_written() {
    let world = Rc::new(RefCell::new(World::new()));
    perform(&world, &everything()).ended.unwrap();
    let shown = perform(&world, &everything());
    assert!(!shown.ended.unwrap().changed);
    assert!(shown.asked.iter().all(|asked| asked.method == "GET"));
}

#[test]
fn before_and_after_are_reported() {
    let input = json!({"zone": "z", "dns_record": "r", "healthy_host": "west.example"});
    let done = perform(&Rc::new(RefCell::new(World::new())), &input)
        .ended
        .unwrap();
    let output = serde_json::to_value(done.data).unwrap();
    assert_eq!(
        output["dns_record"],
        json!({"before": "east.example", "after": "west.example"})
    );
    assert_eq!(output["access"], Value::Null);
}

#[test]
fn what_was_written_and_is_not_there_is_a_failure() {
    let world = Rc::new(RefCell::new(World {
        forgetful: true,
        ..World::new()
    }));
    let failure = perform(&world, &everything()).ended.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("NotApplied"));
}

#[test]
fn a_host_that_the_pool_does_not_have_is_not_found() {
    let input = json!({"account": "a", "pool": "p", "healthy_host": "north.example"});
    let shown = perform(&Rc::new(RefCell::new(World::new())), &input);
    assert_eq!(shown.ended.unwrap_err().kind, Kind::NotFound);
    assert_eq!(shown.asked.len(), 1);
}

#[test]
fn parts_that_are_not_whole_are_refused_before_anything_is_sent() {
    for input in [
        json!({}),
        json!({"app": "west"}),
        json!({"pool": "p", "account": "a"}),
        json!({"zone": "z", "load_balancer": "lb"}),
    ] {
        let shown = perform(&Rc::new(RefCell::new(World::new())), &input);
        assert_eq!(
            (shown.ended.unwrap_err().kind, shown.asked.len()),
            (Kind::InvalidInput, 0),
            "{input}"
        );
    }
}

#[test]
fn an_address_that_is_none_is_refused() {
    let mut input = everything();
    input["addresses"][0]["address"] = json!("192.0.2");
    let shown = perform(&Rc::new(RefCell::new(World::new())), &input);
    assert_eq!(shown.ended.unwrap_err().code.as_deref(), Some("BadAddress"));
    assert_eq!(shown.asked.len(), 0);
}
