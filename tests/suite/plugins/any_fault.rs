//! Each plugin, with each request of its step in turn meeting each fault: it ends well or says that it didn't, never does
//! a thing twice, and once the fault is gone the same step brings the world in order.

use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, Region, world};

use crate::support::trial::Trial;

/// A step, and what the world has to be like.
struct Job {
    step: Value,
    /// What is so once the step has succeeded.
    is_done: fn(&Value) -> bool,
    /// What is so at every time.
    is_sane: fn(&Value) -> bool,
}

fn effects() -> [Effect; 7] {
    [
        Effect::status(500),
        Effect::later(429, 0),
        Effect::Answer {
            status: 504,
            body: None,
            retry_after: None,
            processed: true,
        },
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::CutBody,
        Effect::Delay { milliseconds: 200 },
    ]
}

impl Job {
    fn survives(mut self) {
        self.step["retry"] = json!({ "attempts": 3, "delay": "10ms" });
        let trial = Trial::new(Options::healthy());
        trial.step(self.step.clone()).succeeded(true);
        let requests = trial.cloud.counts().requests;
        for nth in 1..=u32::try_from(requests).unwrap() {
            for effect in effects() {
                let what = format!("{effect:?} at request {nth}");
                trial.cloud.reset();
                trial.cloud.fail(Fault::new(effect).nth(nth));
                let tried = trial.step(self.step.clone());
                let world = trial.cloud.state();
                assert!((self.is_sane)(&world), "{what}: {world}");
                match tried.said.status {
                    Some(0) => assert!((self.is_done)(&world), "{what}: {world}"),
                    Some(1) => assert_ne!(tried.end["failure"]["message"], "", "{what}"),
                    // Where the token is what can't be had, the run doesn't begin.
                    Some(2) => assert_eq!(trial.cloud.counts().changes, 0, "{what}"),
                    Some(3) => assert!(tried.end["waiting"]["in_doubt"].is_object(), "{what}"),
                    _ => panic!("{what}: {:?}", tried.said),
                }

                trial.cloud.heal();
                let again = trial.step(self.step.clone()).said;
                assert_eq!(again.status, Some(0), "{what}: {again:?}");
                let world = trial.cloud.state();
                assert!((self.is_done)(&world), "{what}: {world}");
                assert!((self.is_sane)(&world), "{what}: {world}");
            }
        }
    }
}

fn incidents(world: &Value) -> &[Value] {
    world["statuspage"]["incidents"].as_array().unwrap()
}

#[test]
fn an_incident_is_opened() {
    let job = Job {
        step: json!({
            "uses": "post-status",
            "with": {
                "page": world::PAGE,
                "title": "The shop is unavailable",
                "status": "investigating",
                "components": { world::COMPONENT_WEBSITE: "major_outage" },
            },
            "credentials": { "api": "statuspage" },
        }),
        is_done: |world| incidents(world).len() == 1,
        is_sane: |world| incidents(world).len() <= 1,
    };
    job.survives();
}

#[test]
fn a_database_fails_over() {
    let job = Job {
        step: json!({
            "uses": "failover-sql",
            "with": {
                "target": "azure_sql",
                "subscription": world::SUBSCRIPTION,
                "resource_group": world::RESOURCE_GROUP,
                "server": Region::West.sql_server(),
                "failover_group": world::FAILOVER_GROUP,
            },
            "credentials": { "azure": "azure" },
        }),
        is_done: |world| world["azure"]["failover_group"]["primary"] == "west",
        is_sane: |world| world["azure"]["failover_group"]["failovers"].as_u64() <= Some(1),
    };
    job.survives();
}

#[test]
fn a_cluster_switches_over() {
    let job = Job {
        step: json!({
            "uses": "failover-sql",
            "with": { "target": "patroni", "host": "pg-west.internal", "candidate": "pg-west" },
        }),
        is_done: |world| world["patroni"]["leader"] == "pg-west",
        is_sane: |world| world["patroni"]["history"].as_array().unwrap().len() <= 1,
    };
    job.survives();
}

#[test]
fn a_web_app_is_opened_and_traffic_switched() {
    let job = Job {
        step: json!({
            "uses": "update-ip",
            "with": {
                "subscription": world::SUBSCRIPTION,
                "resource_group": world::RESOURCE_GROUP,
                "app": Region::West.web_app(),
                "zone": world::ZONE,
                "load_balancer": world::LOAD_BALANCER,
                "healthy_pool": Region::West.pool(),
            },
            "credentials": { "azure": "azure", "cloudflare": "cloudflare" },
        }),
        is_done: |world| {
            let rules = world["azure"]["web_apps"]["shop-west"].to_string();
            let pools = &world["cloudflare"]["load_balancer"]["default_pools"];
            let ranges = [&world::CLOUDFLARE_IPV4[..], &world::CLOUDFLARE_IPV6[..]].concat();
            ranges.iter().all(|range| rules.contains(range)) && pools[0] == Region::West.pool()
        },
        is_sane: |world| {
            let rules = world["azure"]["web_apps"]["shop-west"].to_string();
            rules.contains("office")
        },
    };
    job.survives();
}
