use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::arm::{no_such_type, wrong_method};
use super::refuse;
use super::restriction::{Access, Restrictions};
use crate::Region;
use crate::answer::Answer;
use crate::request::Request;
use crate::world::{CLOUDFLARE_IPV4, CLOUDFLARE_IPV6, OFFICE_NETWORK};

pub(super) const API_VERSIONS: [&str; 9] = [
    "2018-11-01",
    "2020-12-01",
    "2021-02-01",
    "2022-03-01",
    "2022-09-01",
    "2023-01-01",
    "2023-12-01",
    "2024-04-01",
    "2024-11-01",
];

const RULES: &str = "ipSecurityRestrictions";
const DEFAULT_ACTION: &str = "ipSecurityRestrictionsDefaultAction";

/// A web app and its configuration.
#[derive(Debug)]
pub(crate) struct WebApp {
    region: Region,
    restrictions: Restrictions,
    /// The configuration's other properties.
    properties: Map<String, Value>,
}

impl WebApp {
    /// One that lets the office in, and Cloudflare where it is `open`.
    pub(crate) fn new(region: Region, open: bool) -> WebApp {
        let office = json!({
            "ipAddress": OFFICE_NETWORK, "action": "Allow", "priority": 100, "name": "office",
            "description": "The operations room",
        });
        let cloudflare = CLOUDFLARE_IPV4
            .iter()
            .chain(&CLOUDFLARE_IPV6)
            .filter(|_| open)
            .zip(1..)
            .map(|(range, n)| {
                json!({ "ipAddress": range, "action": "Allow", "priority": 200 + n, "name": format!("cloudflare-{n}") })
            });
        let rules: Value = [office].into_iter().chain(cloudflare).collect();
        WebApp {
            region,
            restrictions: Restrictions {
                rules: Restrictions::parse_rules(&rules)
                    .expect("invariant: the world's own rules are right"),
                default: Access::Deny,
            },
            properties: default_properties(),
        }
    }

    /// Whether a caller from any address of this network gets past the access restrictions.
    pub(crate) fn lets_in(&self, network: &IpNet) -> bool {
        self.restrictions.let_in(network)
    }

    pub(crate) fn summary(&self) -> Value {
        json!({ "access_restrictions": self.restrictions.summary(), "default_action": self.restrictions.default.name() })
    }

    /// Answers what is asked below the web app's resource; `rest` is in lower case.
    pub(super) fn answer(&mut self, rest: &[&str], request: &Request) -> Answer {
        match (request.method.as_str(), rest) {
            ("GET", []) => Answer::json(200, &self.site()),
            ("GET", ["config", "web"]) => Answer::json(200, &self.config()),
            ("PATCH", ["config", "web"]) => self.write(request, false),
            ("PUT", ["config", "web"]) => self.write(request, true),
            (method, [] | ["config", "web"]) => wrong_method(method),
            _ => no_such_type(&request.path),
        }
    }

    fn site(&self) -> Value {
        json!({
            "id": self.region.web_app_id(),
            "name": self.region.web_app(),
            "type": "Microsoft.Web/sites",
            "kind": "app,linux",
            "location": self.region.location(),
            "properties": {
                "state": "Running",
                "enabled": true,
                "defaultHostName": self.region.origin_host(),
                "hostNames": [self.region.origin_host()],
            },
        })
    }

    fn config(&self) -> Value {
        let mut properties = self.properties.clone();
        properties.insert(RULES.to_owned(), self.restrictions.to_json());
        properties.insert(DEFAULT_ACTION.to_owned(), json!(self.restrictions.default));
        json!({
            "id": format!("{}/config/web", self.region.web_app_id()),
            "name": self.region.web_app(),
            "type": "Microsoft.Web/sites/config",
            "location": self.region.location(),
            "properties": properties,
        })
    }

    /// Writes what was sent; a `whole` configuration resets what it doesn't name.
    fn write(&mut self, request: &Request, whole: bool) -> Answer {
        let sent = match read(request) {
            Ok(sent) => sent,
            Err(message) => return refuse(400, "InvalidRequestContent", message),
        };
        match self.written(&sent, whole) {
            Err(message) => refuse(400, "BadRequest", message),
            Ok((restrictions, properties)) => {
                let changed = restrictions != self.restrictions || properties != self.properties;
                self.restrictions = restrictions;
                self.properties = properties;
                Answer::json(200, &self.config()).having_changed(changed)
            }
        }
    }

    fn written(
        &self,
        sent: &Map<String, Value>,
        whole: bool,
    ) -> Result<(Restrictions, Map<String, Value>), String> {
        let (mut restrictions, mut properties) = if whole {
            let open = Restrictions {
                rules: Vec::new(),
                default: Access::Allow,
            };
            (open, default_properties())
        } else {
            (self.restrictions.clone(), self.properties.clone())
        };
        let said_default = sent.get(DEFAULT_ACTION).filter(|value| !value.is_null());
        for (key, value) in sent {
            match key.as_str() {
                RULES if value.is_null() => {}
                RULES => restrictions.rules = Restrictions::parse_rules(value)?,
                DEFAULT_ACTION => {}
                _ if properties.contains_key(key) => {
                    properties.insert(key.clone(), value.clone());
                }
                _ => {
                    return Err(format!(
                        "Could not find member '{key}' on object of type 'SiteConfig'."
                    ));
                }
            }
        }
        if let Some(value) = said_default {
            restrictions.default = serde_json::from_value(value.clone())
                .map_err(|_| format!("The parameter {DEFAULT_ACTION} has an invalid value {value}: Allow or Deny is expected."))?;
        } else if whole && !restrictions.rules.is_empty() {
            restrictions.default = Access::Deny;
        }
        Ok((restrictions, properties))
    }
}

/// The `properties` of a request's body.
fn read(request: &Request) -> Result<Map<String, Value>, String> {
    let invalid = "The request content was invalid and could not be deserialized";
    let Some(Value::Object(mut body)) = request.json() else {
        return Err(format!("{invalid}: 'a JSON object is expected'."));
    };
    let known = [
        "id",
        "name",
        "type",
        "kind",
        "location",
        "tags",
        "properties",
    ];
    if let Some(key) = body.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!(
            "{invalid}: 'Could not find member '{key}' on object of type 'ResourceDefinition'.'"
        ));
    }
    match body.remove("properties") {
        Some(Value::Object(properties)) => Ok(properties),
        _ => Err(format!(
            "{invalid}: 'properties' is expected to be an object."
        )),
    }
}

fn default_properties() -> Map<String, Value> {
    let properties = json!({
        "numberOfWorkers": 1,
        "alwaysOn": true,
        "ftpsState": "Disabled",
        "http20Enabled": true,
        "minTlsVersion": "1.2",
        "publicNetworkAccess": "Enabled",
        "scmIpSecurityRestrictions": [],
        "scmIpSecurityRestrictionsDefaultAction": "Allow",
        "scmIpSecurityRestrictionsUseMain": false,
        "healthCheckPath": "/health",
        "linuxFxVersion": "NODE|20-lts",
    });
    match properties {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}
