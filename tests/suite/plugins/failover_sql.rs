use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, Region, world};

use crate::support::trial::Trial;

const START: &str = "/failover?";

fn to(region: Region) -> Value {
    json!({
        "uses": "failover-sql",
        "with": {
            "target": "azure_sql",
            "subscription": world::SUBSCRIPTION,
            "resource_group": world::RESOURCE_GROUP,
            "server": region.sql_server(),
            "failover_group": world::FAILOVER_GROUP,
        },
        "credentials": { "azure": "azure" },
    })
}

fn switchover(region: Region) -> Value {
    json!({
        "uses": "failover-sql",
        "with": { "target": "patroni", "host": "pg-west.internal", "candidate": region.patroni_node() },
    })
}

fn answer(status: u16, code: &str, processed: bool) -> Effect {
    Effect::Answer {
        status,
        body: Some(json!({ "error": { "code": code, "message": "it is so" } })),
        retry_after: Some(1),
        processed,
    }
}

#[test]
fn an_operation_under_way_is_followed_to_its_end() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(to(Region::West)).succeeded(true);
    assert_eq!(tried.output("primary"), "shop-sql-west");
    assert_eq!(tried.output("previous"), "shop-sql-east");
    assert!(
        !trial
            .asked("GET", "/failoverGroupAzureAsyncOperation/")
            .is_empty()
    );
    assert_eq!(trial.asked("POST", START).len(), 1);
}

#[test]
fn a_primary_is_left_alone() {
    let trial = Trial::new(Options::healthy());
    trial.step(to(Region::East)).succeeded(false);
    assert!(trial.asked("POST", START).is_empty());
}

#[test]
fn a_busy_group_is_waited_for() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(answer(409, "FailoverGroupBusy", false))
            .method("POST")
            .path("*/failover"),
    );
    trial.step(to(Region::West)).succeeded(true);
    assert_eq!(trial.asked("POST", START).len(), 2);
}

#[test]
fn a_refusal_on_the_primary_is_checked_by_looking() {
    let trial = Trial::new(Options::healthy());
    // The group says so after another's failover went through between the look and the request.
    trial.cloud.fail(
        Fault::new(answer(400, "FailoverGroupFailoverRequestOnPrimary", true))
            .method("POST")
            .path("*/failover"),
    );
    let tried = trial.step(to(Region::West));
    if tried.end["kind"] == "step_succeeded" {
        assert_eq!(tried.output("primary"), "shop-sql-west");
    } else {
        // The failover that it set off is still under way, so that the server isn't primary yet.
        tried
            .failed("conflict")
            .code("FailoverGroupFailoverRequestOnPrimary");
    }
}

#[test]
fn patience_is_had_where_the_service_asks_for_it() {
    for status in [429, 503] {
        let trial = Trial::new(Options::healthy());
        trial.cloud.fail(
            Fault::new(Effect::later(status, 1))
                .method("POST")
                .path("*/failover"),
        );
        let mut step = to(Region::West);
        step["retry"] = json!({ "attempts": 2, "delay": "10ms" });
        trial.step(step).succeeded(true);
        assert_eq!(trial.asked("POST", START).len(), 2, "{status}");
    }
}

#[test]
fn a_lost_answer_is_no_reason_to_ask_twice_in_vain() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(Effect::DropAfter)
            .method("POST")
            .path("*/failover"),
    );
    let mut step = to(Region::West);
    step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
    trial.step(step).succeeded(true);
    assert_eq!(
        trial.cloud.state()["azure"]["failover_group"]["failovers"],
        1
    );
}

#[test]
fn a_group_that_does_not_exist_is_not_found() {
    let trial = Trial::new(Options::healthy());
    let mut step = to(Region::West);
    step["with"]["failover_group"] = json!("nobodys");
    trial.step(step).failed("not_found");
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn a_token_that_was_revoked_is_unauthorized() {
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(
        Fault::new(Effect::status(401))
            .host(world::MANAGEMENT_HOST)
            .times(9),
    );
    trial.step(to(Region::West)).failed("unauthorized");
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn patroni_switches_over_to_the_candidate() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(switchover(Region::West)).succeeded(true);
    assert_eq!(tried.output("previous"), "pg-east");
    assert_eq!(trial.cloud.state()["patroni"]["leader"], "pg-west");

    trial.step(switchover(Region::West)).succeeded(false);
    assert_eq!(trial.asked("POST", "/switchover").len(), 1);
}

#[test]
fn patroni_is_looked_at_where_it_refuses() {
    let trial = Trial::new(Options::healthy());
    trial
        .cloud
        .fail(Fault::new(Effect::status(412)).path("/switchover"));
    trial.step(switchover(Region::West)).failed("conflict");

    trial.cloud.fail(
        Fault::new(Effect::Answer {
            status: 503,
            body: None,
            retry_after: None,
            processed: true,
        })
        .path("/switchover"),
    );
    trial.step(switchover(Region::West)).succeeded(true);
}

#[test]
fn patroni_without_the_candidate_is_not_found() {
    let trial = Trial::new(Options::healthy());
    let mut step = switchover(Region::West);
    step["with"]["candidate"] = json!("pg-north");
    trial.step(step).failed("not_found").code("NoSuchMember");
}
