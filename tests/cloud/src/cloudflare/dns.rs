use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{read, refuse, succeed, wrong_method};
use crate::Region;
use crate::answer::Answer;
use crate::request::Request;
use crate::stamp::rfc3339;
use crate::world::{DNS_RECORD, SITE_HOST, ZONE_NAME};

/// The DNS record of the site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Record {
    id: &'static str,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    content: String,
    proxiable: bool,
    proxied: bool,
    ttl: u32,
    comment: Option<String>,
    tags: Vec<String>,
    created_on: String,
    modified_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    content: Option<String>,
    proxied: Option<bool>,
    ttl: Option<u32>,
    comment: Option<String>,
    tags: Option<Vec<String>>,
}

impl Record {
    pub(super) fn new(now: Timestamp) -> Record {
        Record {
            id: DNS_RECORD,
            name: SITE_HOST.to_owned(),
            kind: "CNAME".to_owned(),
            content: Region::East.origin_host().to_owned(),
            proxiable: true,
            proxied: true,
            ttl: 1,
            comment: None,
            tags: Vec::new(),
            created_on: rfc3339(now),
            modified_on: rfc3339(now),
        }
    }

    /// What the record points at, if it is the site's.
    pub(crate) fn target(&self) -> Option<&str> {
        (self.name == SITE_HOST).then_some(self.content.as_str())
    }

    /// Whether Cloudflare stands before the target.
    pub(crate) fn proxied(&self) -> bool {
        self.proxied
    }

    pub(crate) fn summary(&self) -> Value {
        json!({ "name": self.name, "type": self.kind, "content": self.content, "proxied": self.proxied })
    }

    pub(super) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        match request.method.as_str() {
            "GET" => succeed(&json!(self)),
            "PATCH" => match read(request, 1004) {
                Ok(patch) => self.patch(patch, now),
                Err(refusal) => refusal,
            },
            _ => wrong_method(),
        }
    }

    fn patch(&mut self, patch: Patch, now: Timestamp) -> Answer {
        let mut next = self.clone();
        next.name = patch.name.unwrap_or(next.name);
        next.kind = patch.kind.unwrap_or(next.kind);
        next.content = patch.content.unwrap_or(next.content);
        next.proxied = patch.proxied.unwrap_or(next.proxied);
        next.ttl = patch.ttl.unwrap_or(next.ttl);
        next.comment = patch.comment.or(next.comment);
        next.tags = patch.tags.unwrap_or(next.tags);
        if let Some((code, message)) = next.fault() {
            return refuse(400, code, message);
        }
        let changed = next != *self;
        next.modified_on = rfc3339(now);
        *self = next;
        succeed(&json!(self)).having_changed(changed)
    }

    fn fault(&self) -> Option<(u32, &'static str)> {
        let content = self.content.as_str();
        let in_zone = self
            .name
            .strip_suffix(ZONE_NAME)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if !in_zone {
            return Some((9000, "DNS name is invalid."));
        }
        if self.ttl != 1 && !(60..=86_400).contains(&self.ttl) {
            return Some((
                9021,
                "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.",
            ));
        }
        match self.kind.as_str() {
            "A" if content.parse::<Ipv4Addr>().is_err() => {
                Some((9005, "Content for A record must be a valid IPv4 address."))
            }
            "AAAA" if content.parse::<Ipv6Addr>().is_err() => Some((
                9006,
                "Content for AAAA record must be a valid IPv6 address.",
            )),
            "CNAME" if !is_hostname(content) => {
                Some((9007, "Content for CNAME record is invalid."))
            }
            "CNAME" if content == self.name => {
                Some((9039, "CNAME content cannot reference itself."))
            }
            "A" | "AAAA" | "CNAME" => None,
            _ => Some((1004, "DNS Validation Error")),
        }
    }
}

fn is_hostname(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
        && text.parse::<Ipv4Addr>().is_err()
}
