use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{read, refuse, succeed, wrong_method};
use crate::Region;
use crate::answer::Answer;
use crate::request::Request;
use crate::stamp::rfc3339;

/// A pool of origins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Pool {
    id: &'static str,
    name: String,
    description: String,
    enabled: bool,
    minimum_origins: u32,
    origins: Vec<Origin>,
    monitor: Option<String>,
    check_regions: Option<Vec<String>>,
    notification_email: String,
    created_on: String,
    modified_on: String,
}

/// A host that serves the site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    name: String,
    address: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "full_weight")]
    weight: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Map<String, Value>>,
    /// Cloudflare's own note, which may be sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    disabled_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    minimum_origins: Option<u32>,
    origins: Option<Vec<Origin>>,
    monitor: Option<String>,
    check_regions: Option<Vec<String>>,
    notification_email: Option<String>,
}

impl Pool {
    pub(super) fn new(region: Region, now: Timestamp) -> Pool {
        Pool {
            id: region.pool(),
            name: region.web_app().to_owned(),
            description: format!("The shop in {}", region.location()),
            enabled: true,
            minimum_origins: 1,
            origins: vec![Origin {
                name: region.web_app().to_owned(),
                address: region.origin_host().to_owned(),
                enabled: true,
                weight: 1.0,
                header: None,
                disabled_at: None,
            }],
            monitor: None,
            check_regions: None,
            notification_email: String::new(),
            created_on: rfc3339(now),
            modified_on: rfc3339(now),
        }
    }

    pub(crate) fn id(&self) -> &'static str {
        self.id
    }

    /// The address of the first origin that is switched on; none if the pool can't be used. No monitor looks after the
    /// pools of this world, so an origin that is down isn't noticed: that is what people are for.
    pub(crate) fn address(&self) -> Option<&str> {
        let mut enabled = self.origins.iter().filter(|origin| origin.enabled);
        let first = enabled.next()?;
        let count = u32::try_from(1 + enabled.count()).unwrap_or(u32::MAX);
        (self.enabled && count >= self.minimum_origins).then_some(first.address.as_str())
    }

    pub(crate) fn summary(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "enabled": self.enabled, "origins": self.origins })
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
        let mut next = self.clone();
        next.name = patch.name.unwrap_or(next.name);
        next.description = patch.description.unwrap_or(next.description);
        next.enabled = patch.enabled.unwrap_or(next.enabled);
        next.minimum_origins = patch.minimum_origins.unwrap_or(next.minimum_origins);
        next.origins = patch.origins.unwrap_or(next.origins);
        next.monitor = patch.monitor.or(next.monitor);
        next.check_regions = patch.check_regions.or(next.check_regions);
        next.notification_email = patch.notification_email.unwrap_or(next.notification_email);
        for origin in &mut next.origins {
            let was = self.origins.iter().find(|old| old.name == origin.name);
            origin.disabled_at = match was {
                _ if origin.enabled => None,
                Some(was) if !was.enabled => was.disabled_at.clone(),
                _ => Some(rfc3339(now)),
            };
        }
        if let Some(fault) = next.fault() {
            return refuse(400, 1002, &format!("validation failed: {fault}"));
        }
        let changed = next != *self;
        next.modified_on = rfc3339(now);
        *self = next;
        succeed(&json!(self)).having_changed(changed)
    }

    fn fault(&self) -> Option<String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let names: BTreeSet<&str> = self
            .origins
            .iter()
            .map(|origin| origin.name.as_str())
            .collect();
        if self.name.is_empty() || !self.name.chars().all(word) {
            return Some(
                "name: only alphanumeric characters, hyphens and underscores are allowed"
                    .to_owned(),
            );
        }
        if self.origins.is_empty() {
            return Some("origins: at least one origin is required".to_owned());
        }
        if names.len() < self.origins.len() {
            return Some("origins: origin names must be unique within the pool".to_owned());
        }
        self.origins.iter().find_map(|origin| {
            if origin.name.is_empty()
                || origin.address.is_empty()
                || origin.address.contains(['/', ' '])
            {
                Some(format!(
                    "origins: the address of `{}` must be an IP address or a hostname",
                    origin.name
                ))
            } else if !(0.0..=1.0).contains(&origin.weight) {
                Some(format!(
                    "origins: the weight of `{}` must be between 0 and 1",
                    origin.name
                ))
            } else {
                None
            }
        })
    }
}

fn yes() -> bool {
    true
}

fn full_weight() -> f64 {
    1.0
}
