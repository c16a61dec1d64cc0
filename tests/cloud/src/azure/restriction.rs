use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who may reach a web app: rules in the order of their priority, then a default.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Restrictions {
    pub(super) rules: Vec<Rule>,
    pub(super) default: Access,
}

/// What a rule does to those it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Access {
    Allow,
    Deny,
}

impl Access {
    pub(super) fn name(self) -> &'static str {
        match self {
            Access::Allow => "Allow",
            Access::Deny => "Deny",
        }
    }
}

/// One access restriction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    networks: Vec<IpNet>,
    access: Access,
    priority: u32,
    wire: Wire,
}

/// A rule as it travels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    ip_address: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    priority: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, Vec<String>>>,
}

/// Azure shows the default as a rule of this priority, and lets it be sent back.
const IMPLIED_PRIORITY: i64 = 2_147_483_647;
const MOST_RULES: usize = 512;
const MOST_NETWORKS: usize = 8;
const LONGEST_NAME: usize = 32;

impl Restrictions {
    /// Rules from an array, with the default that holds when it isn't said otherwise; or what is wrong with them.
    pub(super) fn parse_rules(sent: &Value) -> Result<Vec<Rule>, String> {
        let sent = sent
            .as_array()
            .ok_or("IpSecurityRestrictions must be an array.")?;
        if sent.len() > MOST_RULES {
            return Err(format!(
                "No more than {MOST_RULES} access restriction rules are allowed."
            ));
        }
        let mut rules = sent
            .iter()
            .filter(|rule| !is_implied(rule))
            .map(Rule::parse)
            .collect::<Result<Vec<_>, _>>()?;
        rules.sort_by_key(|rule| rule.priority);
        Ok(rules)
    }

    /// What the first rule that concerns any address of `network` says about it.
    pub(super) fn let_in(&self, network: &IpNet) -> bool {
        for rule in &self.rules {
            if rule.networks.iter().any(|named| named.contains(network)) {
                return rule.access == Access::Allow;
            }
            let meets = rule.networks.iter().any(|named| network.contains(named));
            if meets && rule.access == Access::Deny {
                return false;
            }
        }
        self.default == Access::Allow
    }

    /// As Azure shows them: with the default as a last rule.
    pub(super) fn to_json(&self) -> Value {
        let word = self.default.name();
        let implied = json!({
            "ipAddress": "Any", "action": word, "priority": IMPLIED_PRIORITY, "name": format!("{word} all"),
            "description": format!("{word} all access"),
        });
        self.rules
            .iter()
            .map(|rule| json!(rule.wire))
            .chain([implied])
            .collect()
    }

    /// The rules' names and addresses, for people.
    pub(super) fn summary(&self) -> Value {
        self.rules
            .iter()
            .map(|rule| {
                json!({
                    "name": rule.wire.name, "address": rule.wire.ip_address, "action": rule.access.name(),
                    "priority": rule.priority,
                })
            })
            .collect()
    }
}

impl Rule {
    fn parse(sent: &Value) -> Result<Rule, String> {
        let mut wire: Wire = serde_json::from_value(sent.clone()).map_err(|fault| {
            format!("The access restriction rule {sent} could not be read: {fault}.")
        })?;
        let access = match wire.action.as_deref() {
            None | Some("Allow") => Access::Allow,
            Some("Deny") => Access::Deny,
            Some(other) => {
                return Err(format!(
                    "The parameter Action has an invalid value '{other}': Allow or Deny is expected."
                ));
            }
        };
        let priority = u32::try_from(wire.priority.unwrap_or(65_000))
            .ok()
            .filter(|priority| (1..=0x7fff_ffff).contains(priority))
            .ok_or("The parameter Priority must be an integer between 1 and 2147483647.")?;
        if let Some(name) = wire
            .name
            .as_deref()
            .filter(|name| name.chars().count() > LONGEST_NAME)
        {
            return Err(format!(
                "The parameter Name has an invalid value '{name}': it is longer than {LONGEST_NAME} characters."
            ));
        }
        let address = wire
            .ip_address
            .as_deref()
            .ok_or("The parameter IpAddress is missing.")?;
        let networks = match wire.tag.as_deref() {
            None | Some("Default" | "XffProxy") => networks(address)?,
            Some("ServiceTag") => Vec::new(),
            Some(other) => {
                return Err(format!("The parameter Tag has an invalid value '{other}'."));
            }
        };
        if !networks.is_empty() {
            let canonical: Vec<String> = networks.iter().map(IpNet::to_string).collect();
            wire.ip_address = Some(canonical.join(","));
        }
        wire.action = Some(access.name().to_owned());
        wire.tag.get_or_insert_with(|| "Default".to_owned());
        wire.priority = Some(i64::from(priority));
        Ok(Rule {
            networks,
            access,
            priority,
            wire,
        })
    }
}

/// One address, one block, or some with commas between them; an address becomes a block of its own, as with Azure.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let networks = text
        .split(',')
        .map(|part| {
            let part = part.trim();
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("The parameter IpAddress has an invalid value '{text}': an IPv4 or IPv6 block in CIDR notation is expected."))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if networks.len() > MOST_NETWORKS {
        return Err(format!(
            "A rule can name no more than {MOST_NETWORKS} address blocks."
        ));
    }
    Ok(networks)
}

fn is_implied(rule: &Value) -> bool {
    rule["ipAddress"] == "Any" && rule["priority"] == IMPLIED_PRIORITY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restrictions(rules: &Value, default: Access) -> Restrictions {
        Restrictions {
            rules: Restrictions::parse_rules(rules).unwrap(),
            default,
        }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn the_rule_with_the_lowest_priority_that_concerns_an_address_decides() {
        let rules = json!([
            { "ipAddress": "10.0.0.0/8", "action": "Allow", "priority": 200 },
            { "ipAddress": "10.1.0.0/16", "action": "Deny", "priority": 100 },
        ]);
        let restrictions = restrictions(&rules, Access::Deny);
        assert!(restrictions.let_in(&net("10.2.0.0/16")));
        assert!(!restrictions.let_in(&net("10.1.2.0/24")), "denied first");
        assert!(!restrictions.let_in(&net("10.0.0.0/15")), "denied in part");
        assert!(!restrictions.let_in(&net("11.0.0.0/24")), "the default");
    }

    #[test]
    fn an_address_becomes_a_block_and_the_implied_rule_may_come_back() {
        let sent = json!([
            { "ipAddress": "192.0.2.1", "priority": 5 },
            { "ipAddress": "Any", "action": "Deny", "priority": IMPLIED_PRIORITY, "name": "Deny all" },
        ]);
        let shown = restrictions(&sent, Access::Allow).to_json();
        assert_eq!(shown[0]["ipAddress"], "192.0.2.1/32");
        assert_eq!(shown[1]["name"], "Allow all");
        assert_eq!(shown.as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        for (rule, part) in [
            (json!({ "ipAddress": "10.0.0.0/33" }), "IpAddress"),
            (json!({ "priority": 1 }), "IpAddress"),
            (
                json!({ "ipAddress": "10.0.0.1", "priority": 0 }),
                "Priority",
            ),
            (
                json!({ "ipAddress": "10.0.0.1", "action": "allow" }),
                "Action",
            ),
            (
                json!({ "ipAddress": "10.0.0.1", "name": "x".repeat(33) }),
                "Name",
            ),
            (
                json!({ "ipAddress": "10.0.0.1", "ipadress": "" }),
                "unknown field",
            ),
        ] {
            let fault = Restrictions::parse_rules(&json!([rule])).unwrap_err();
            assert!(fault.contains(part), "{fault}");
        }
    }
}
