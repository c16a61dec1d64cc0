//! Which access restrictions a web app should have, given those that it has.

use sandbook_step::prelude::*;

use crate::address::blocks;

/// Azure shows its default action as a rule of this priority. It isn't one to be written.
const IMPLIED_PRIORITY: u64 = 2_147_483_647;

/// The longest name that Azure takes.
const LONGEST_NAME: usize = 32;

/// Someone who is to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What the rule's name ends with.
    pub(crate) name: String,
    /// A block of addresses, as Azure writes it.
    pub(crate) block: String,
    pub(crate) description: String,
}

/// Whose rules are ours, and where their priorities begin.
pub(crate) struct Ours<'a> {
    pub(crate) owner: &'a str,
    pub(crate) first_priority: u32,
}

/// What is to be written, and how it differs from what is there.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Merged {
    pub(crate) rules: Vec<Value>,
    pub(crate) added: Vec<Value>,
    pub(crate) removed: Vec<Value>,
}

impl Merged {
    pub(crate) fn differs(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

/// The rules without the one that stands for the default.
pub(crate) fn explicit(rules: Vec<Value>) -> Vec<Value> {
    let implied = |rule: &Value| rule["ipAddress"] == "Any" && rule["priority"] == IMPLIED_PRIORITY;
    rules.into_iter().filter(|rule| !implied(rule)).collect()
}

/// Keeps every rule that isn't ours, keeps ours that are wanted, removes ours that are not, and adds what is missing.
/// Who is let in by somebody else's rule needs none of ours.
pub(crate) fn merge(present: &[Value], wanted: &[Wanted], ours: &Ours) -> Merged {
    let admits =
        |rule: &Value, wanted: &Wanted| lets_in(rule) == Some(wanted.block.as_str().to_owned());
    let is_met = |wanted: &Wanted| {
        present
            .iter()
            .any(|rule| !ours.has(rule) && admits(rule, wanted))
    };
    // Who is named twice gets one rule, by the first of the names.
    let is_first = |place: usize| {
        wanted[..place]
            .iter()
            .all(|earlier| earlier.block != wanted[place].block)
    };
    let needed: Vec<&Wanted> = (0..wanted.len())
        .filter(|place| is_first(*place))
        .map(|place| &wanted[place])
        .filter(|wanted| !is_met(wanted))
        .collect();

    let mut met = vec![false; needed.len()];
    let mut merged = Merged::default();
    for rule in present {
        let place = needed.iter().position(|wanted| admits(rule, wanted));
        match place {
            _ if !ours.has(rule) => merged.rules.push(rule.clone()),
            // A second rule of ours for the same block is one too many.
            Some(place) if !met[place] => {
                met[place] = true;
                merged.rules.push(rule.clone());
            }
            _ => merged.removed.push(rule.clone()),
        }
    }
    let mut priority = ours.first_priority;
    for wanted in needed
        .iter()
        .zip(&met)
        .filter(|(_, met)| !**met)
        .map(|(wanted, _)| wanted)
    {
        while merged.rules.iter().any(|rule| rule["priority"] == priority) {
            priority += 1;
        }
        let rule = ours.rule(wanted, priority);
        merged.rules.push(rule.clone());
        merged.added.push(rule);
    }
    merged
}

/// Rules of others that deny before one of ours lets in, by their names: those decide.
pub(crate) fn overruled(rules: &[Value], ours: &Ours) -> Vec<String> {
    let priority = |rule: &Value| rule["priority"].as_u64().unwrap_or(u64::MAX);
    let everyone = |text: &str| matches!(text, "0.0.0.0/0" | "::/0" | "Any");
    let decides = |denying: &Value| {
        let denied = blocks(denying["ipAddress"].as_str().unwrap_or_default());
        rules.iter().any(|rule| {
            ours.has(rule)
                && priority(denying) <= priority(rule)
                && lets_in(rule).is_some_and(|block| block == denied || everyone(&denied))
        })
    };
    let denying = rules
        .iter()
        .filter(|rule| rule["action"] == "Deny" && !ours.has(rule));
    denying
        .filter(|rule| decides(rule))
        .map(|rule| rule["name"].as_str().unwrap_or("without a name").to_owned())
        .collect()
}

/// Whom a rule lets in; `None` when it denies, or asks for more than an address.
fn lets_in(rule: &Value) -> Option<String> {
    let bare = rule
        .get("headers")
        .is_none_or(|headers| headers.as_object().is_none_or(serde_json::Map::is_empty));
    let by_address = rule
        .get("tag")
        .and_then(Value::as_str)
        .is_none_or(|tag| tag == "Default");
    let allows = rule
        .get("action")
        .and_then(Value::as_str)
        .is_none_or(|action| action == "Allow");
    (bare && by_address && allows)
        .then(|| rule["ipAddress"].as_str().map(blocks))
        .flatten()
}

impl Ours<'_> {
    fn has(&self, rule: &Value) -> bool {
        let name = rule["name"].as_str().unwrap_or_default();
        name.strip_prefix(self.owner)
            .is_some_and(|rest| rest.starts_with(' '))
    }

    fn rule(&self, wanted: &Wanted, priority: u32) -> Value {
        let name: String = format!("{} {}", self.owner, wanted.name)
            .chars()
            .take(LONGEST_NAME)
            .collect();
        json!({
            "ipAddress": wanted.block,
            "action": "Allow",
            "tag": "Default",
            "priority": priority,
            "name": name,
            "description": wanted.description,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ours = Ours {
        owner: "sandbook",
        first_priority: 1000,
    };

    fn wanted(blocks: &[&str]) -> Vec<Wanted> {
        let wanted = |block: &&str| Wanted {
            name: (*block).to_owned(),
            block: (*block).to_owned(),
            description: String::new(),
        };
        blocks.iter().map(wanted).collect()
    }

    fn rule(name: &str, block: &str, priority: u32) -> Value {
        json!({"name": name, "ipAddress": block, "action": "Allow", "priority": priority, "headers": {}})
    }

    fn names(rules: &[Value]) -> Vec<&str> {
        rules
            .iter()
            .map(|rule| rule["name"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn what_is_not_ours_is_kept_as_it_is() {
        let office = json!({"name": "office", "ipAddress": "198.51.100.0/24", "action": "Allow", "priority": 100, "future": 1});
        let merged = merge(
            std::slice::from_ref(&office),
            &wanted(&["10.0.0.0/8"]),
            &OURS,
        );
        assert_eq!(merged.rules[0], office);
        assert_eq!(names(&merged.added), ["sandbook 10.0.0.0/8"]);
    }

    #[test]
    fn ours_that_are_wanted_no_more_are_removed() {
        let present = [
            rule("sandbook old", "10.1.0.0/16", 1000),
            rule("sandbookish", "10.2.0.0/16", 1001),
        ];
        let merged = merge(&present, &wanted(&[]), &OURS);
        assert_eq!(names(&merged.removed), ["sandbook old"]);
        assert_eq!(names(&merged.rules), ["sandbookish"]);
    }

    #[test]
    fn what_is_right_is_no_difference() {
        let present = [
            rule("sandbook a", "10.1.0.0/16", 1003),
            rule("by hand", "192.0.2.1", 5),
        ];
        assert!(!merge(&present, &wanted(&["10.1.0.0/16", "192.0.2.1/32"]), &OURS).differs());
    }

    #[test]
    fn who_is_named_twice_gets_one_rule() {
        let twice = wanted(&["10.1.0.0/16", "10.1.0.0/16"]);
        let merged = merge(&[], &twice, &OURS);
        assert_eq!(names(&merged.added), ["sandbook 10.1.0.0/16"]);
        assert!(!merge(&merged.rules, &twice, &OURS).differs());
    }

    #[test]
    fn a_rule_that_asks_for_more_lets_nobody_in_by_address() {
        let mut strict = rule("front door", "10.1.0.0/16", 5);
        strict["headers"] = json!({"x-azure-fdid": ["1"]});
        assert_eq!(
            names(&merge(&[strict], &wanted(&["10.1.0.0/16"]), &OURS).added),
            ["sandbook 10.1.0.0/16"]
        );
    }

    #[test]
    fn priorities_that_are_taken_are_passed_over() {
        let present = [
            rule("a", "10.1.0.0/16", 1000),
            rule("b", "10.2.0.0/16", 1002),
        ];
        let merged = merge(&present, &wanted(&["10.3.0.0/16", "10.4.0.0/16"]), &OURS);
        let priorities: Vec<_> = merged
            .added
            .iter()
            .map(|rule| rule["priority"].as_u64().unwrap())
            .collect();
        assert_eq!(priorities, [1001, 1003]);
    }

    #[test]
    fn a_second_rule_of_ours_for_the_same_is_removed() {
        let present = [
            rule("sandbook a", "10.1.0.0/16", 1000),
            rule("sandbook b", "10.1.0.0/16", 1001),
        ];
        assert_eq!(
            names(&merge(&present, &wanted(&["10.1.0.0/16"]), &OURS).removed),
            ["sandbook b"]
        );
    }

    #[test]
    fn a_denial_that_comes_first_is_named() {
        let mut closed = rule("closed", "0.0.0.0/0", 200);
        closed["action"] = json!("Deny");
        let late = {
            let mut late = closed.clone();
            late["priority"] = json!(5000);
            late
        };
        assert_eq!(
            overruled(&[closed, rule("sandbook a", "10.1.0.0/16", 1000)], &OURS),
            ["closed"]
        );
        assert!(overruled(&[late, rule("sandbook a", "10.1.0.0/16", 1000)], &OURS).is_empty());
    }

    #[test]
    fn the_default_that_azure_shows_as_a_rule_is_none() {
        let implied = json!({"ipAddress": "Any", "priority": IMPLIED_PRIORITY, "action": "Deny", "name": "Deny all"});
        assert_eq!(
            names(&explicit(vec![rule("a", "10.0.0.0/8", 1), implied])),
            ["a"]
        );
    }

    #[test]
    fn names_are_no_longer_than_azure_takes() {
        let long = [Wanted {
            name: "n".repeat(60),
            block: "10.0.0.0/8".to_owned(),
            description: String::new(),
        }];
        assert_eq!(
            names(&merge(&[], &long, &OURS).added)[0].len(),
            LONGEST_NAME
        );
    }
}
