use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simcloud::{Effect, Fault, Lasting, Options, Region, world};

use crate::support::trial::Trial;

const START: &str = "/failover?";
const FORCE: &str = "/forceFailoverAllowDataLoss?";

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
    let refusal = || {
        Fault::new(answer(400, "FailoverGroupFailoverRequestOnPrimary", true))
            .method("POST")
            .path("*/failover")
    };
    // Another's failover went through between the look and the request.
    let trial = Trial::new(Options {
        failover: Lasting::For(Duration::ZERO),
        ..Options::healthy()
    });
    trial.cloud.fail(refusal());
    let tried = trial.step(to(Region::West)).succeeded(true);
    assert_eq!(tried.output("primary"), "shop-sql-west");

    // It is still under way, so that the server isn't primary: then the service's word stands.
    let trial = Trial::new(Options::healthy());
    trial.cloud.fail(refusal());
    trial
        .step(to(Region::West))
        .failed("conflict")
        .code("FailoverGroupFailoverRequestOnPrimary");
}

#[test]
fn data_is_lost_only_when_told_so() {
    let options = || Options {
        down: vec![Region::East],
        planned_needs_primary: true,
        ..Options::healthy()
    };
    let trial = Trial::new(options());
    let tried = trial.step(to(Region::West));
    assert_eq!(tried.end["kind"], "step_failed", "{}", tried.end);
    assert!(trial.asked("POST", FORCE).is_empty());

    let trial = Trial::new(options());
    let mut step = to(Region::West);
    step["with"]["allow_data_loss"] = json!(true);
    trial.step(step).succeeded(true);
    assert!(trial.asked("POST", START).is_empty());
    assert_eq!(trial.asked("POST", FORCE).len(), 1);
}

#[test]
fn a_forced_failover_whose_answer_is_lost_is_not_asked_for_again() {
    let trial = Trial::new(Options {
        down: vec![Region::East],
        ..Options::healthy()
    });
    trial.cloud.fail(
        Fault::new(Effect::DropAfter)
            .method("POST")
            .path("*/force*"),
    );
    let mut step = to(Region::West);
    step["with"]["allow_data_loss"] = json!(true);
    step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
    trial.step(step).in_doubt();
    assert_eq!(trial.asked("POST", FORCE).len(), 1);
}

#[test]
fn the_services_own_pace_is_kept() {
    let trial = Trial::new(Options {
        failover: Lasting::Looks(3),
        retry_after: 1,
        ..Options::healthy()
    });
    let begun = Instant::now();
    trial.step(to(Region::West)).succeeded(true);
    let looks = trial
        .asked("GET", "/failoverGroupAzureAsyncOperation/")
        .len();
    assert!(looks >= 3, "{looks}");
    let least = Duration::from_secs(looks as u64);
    assert!(
        begun.elapsed() >= least,
        "{looks} looks in {:?}",
        begun.elapsed()
    );
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
