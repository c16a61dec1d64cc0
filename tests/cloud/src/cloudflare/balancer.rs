use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{read, refuse, succeed, wrong_method};
use crate::Region;
use crate::answer::Answer;
use crate::request::Request;
use crate::stamp::rfc3339;
use crate::world::{LOAD_BALANCER, SITE_HOST};

/// The load balancer of the site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Balancer {
    id: &'static str,
    name: &'static str,
    description: String,
    enabled: bool,
    proxied: bool,
    ttl: u32,
    default_pools: Vec<String>,
    fallback_pool: String,
    steering_policy: String,
    session_affinity: String,
    created_on: String,
    modified_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    proxied: Option<bool>,
    ttl: Option<u32>,
    default_pools: Option<Vec<String>>,
    fallback_pool: Option<String>,
    steering_policy: Option<String>,
    session_affinity: Option<String>,
}

impl Balancer {
    pub(super) fn new(now: Timestamp) -> Balancer {
        Balancer {
            id: LOAD_BALANCER,
            name: SITE_HOST,
            description: "The shop".to_owned(),
            enabled: true,
            proxied: true,
            ttl: 30,
            default_pools: Region::ALL.map(|region| region.pool().to_owned()).to_vec(),
            fallback_pool: Region::West.pool().to_owned(),
            steering_policy: "off".to_owned(),
            session_affinity: "none".to_owned(),
            created_on: rfc3339(now),
            modified_on: rfc3339(now),
        }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.enabled
    }

    /// The ids of the pools, in the order in which they are tried.
    pub(crate) fn pools(&self) -> impl Iterator<Item = &str> {
        self.default_pools
            .iter()
            .chain([&self.fallback_pool])
            .map(String::as_str)
    }

    pub(crate) fn summary(&self) -> Value {
        json!({ "enabled": self.enabled, "default_pools": self.default_pools, "fallback_pool": self.fallback_pool })
    }

    pub(super) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        match request.method.as_str() {
            "GET" => succeed(&json!(self)),
            "PATCH" => match read(request, 1002) {
                Ok(patch) => self.patch(patch, now),
                Err(refusal) => refusal,
            },
            _ => wrong_method(),
        }
    }

    fn patch(&mut self, patch: Patch, now: Timestamp) -> Answer {
        if patch.name.as_deref().is_some_and(|name| name != self.name) {
            return refuse(
                400,
                1002,
                "validation failed: name: another hostname can't be steered here",
            );
        }
        let mut next = self.clone();
        next.description = patch.description.unwrap_or(next.description);
        next.enabled = patch.enabled.unwrap_or(next.enabled);
        next.proxied = patch.proxied.unwrap_or(next.proxied);
        next.ttl = patch.ttl.unwrap_or(next.ttl);
        next.default_pools = patch.default_pools.unwrap_or(next.default_pools);
        next.fallback_pool = patch.fallback_pool.unwrap_or(next.fallback_pool);
        next.steering_policy = patch.steering_policy.unwrap_or(next.steering_policy);
        next.session_affinity = patch.session_affinity.unwrap_or(next.session_affinity);
        if let Some(fault) = next.fault() {
            return refuse(400, 1002, &format!("validation failed: {fault}"));
        }
        let changed = next != *self;
        next.modified_on = rfc3339(now);
        *self = next;
        succeed(&json!(self)).having_changed(changed)
    }

    fn fault(&self) -> Option<String> {
        let steering = [
            "",
            "off",
            "geo",
            "random",
            "dynamic_latency",
            "proximity",
            "least_outstanding_requests",
            "least_connections",
        ];
        if self.default_pools.is_empty() {
            return Some("default_pools: at least one pool is required".to_owned());
        }
        if !steering.contains(&self.steering_policy.as_str()) {
            return Some(format!(
                "steering_policy: `{}` is not known",
                self.steering_policy
            ));
        }
        self.pools()
            .find(|id| Region::ALL.iter().all(|region| region.pool() != *id))
            .map(|id| format!("pool `{id}` not found"))
    }
}
