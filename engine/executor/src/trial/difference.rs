//! What differs, line by line: requests, and what comes of a step.

use std::collections::BTreeMap;

use sandbook_runbook::{Matching, Slot};
use sandbook_sandbox::network::Sent;
use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

/// One thing in which a case went otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is, a lowercase fragment.
    pub message: String,
    /// The exchange that it is about, counted from 0.
    pub exchange: Option<usize>,
    /// Expected and actual, line by line: what is missing begins with `-`, what is there in its place with `+`.
    pub diff: Option<String>,
}

/// How many lines are shown around one that differs.
const AROUND: usize = 3;

/// In what a request differs from the expected one.
pub(super) fn difference(
    expected: &Matching,
    sent: &Sent,
    secrets: &BTreeMap<Slot, String>,
) -> Option<String> {
    let mut wanted = format!("{}\n", expected.request);
    let mut actual = format!("{} {}\n", sent.method, sent.url);
    if let Some(slot) = &expected.credential {
        wanted.push_str(&format!("credential: {slot}\n"));
    }
    if let Some(slot) = credential(sent, secrets) {
        actual.push_str(&format!("credential: {slot}\n"));
    }
    for (name, value) in &expected.headers {
        let name = name.to_ascii_lowercase();
        wanted.push_str(&format!("{name}: {value}\n"));
        for (_, value) in sent.headers.iter().filter(|(other, _)| *other == name) {
            actual.push_str(&format!("{name}: {value}\n"));
        }
    }
    let body = sent.body.as_deref().unwrap_or_default();
    if let Some((expected, actually)) = bodies(expected, body) {
        wanted.push_str(&format!("\n{expected}\n"));
        actual.push_str(&format!("\n{actually}\n"));
    }
    diff(&wanted, &actual)
}

/// A request in lines, all of it but what the engine adds.
pub(super) fn asked(sent: &Sent, secrets: &BTreeMap<Slot, String>) -> String {
    let mut text = format!("{} {}\n", sent.method, sent.url);
    if let Some(slot) = credential(sent, secrets) {
        text.push_str(&format!("credential: {slot}\n"));
    }
    for (name, value) in &sent.headers {
        if !["authorization", "accept-encoding"].contains(&name.as_str()) {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    if let Some(body) = sent.body.as_ref().filter(|body| !body.is_empty()) {
        let text_of_it = match serde_json::from_slice::<Value>(body) {
            Ok(value) => pretty(&value),
            Err(_) => String::from_utf8_lossy(body).into_owned(),
        };
        text.push_str(&format!("\n{text_of_it}\n"));
    }
    text
}

/// The body that is expected and the one that there is, in the same form; nothing where none is expected.
pub(super) fn bodies(expected: &Matching, body: &[u8]) -> Option<(String, String)> {
    let text = || String::from_utf8_lossy(body).into_owned();
    let json = serde_json::from_slice::<Value>(body).ok();
    match (&expected.body, &expected.body_includes) {
        (Some(Value::String(wanted)), _) => Some((wanted.clone(), text())),
        (Some(wanted), _) => Some((pretty(wanted), json.as_ref().map_or_else(text, pretty))),
        (None, Some(Value::String(part))) => {
            let text = text();
            let wanted = if text.contains(part.as_str()) {
                text.clone()
            } else {
                format!("… {part} …")
            };
            Some((wanted, text))
        }
        (None, Some(part)) => Some(match &json {
            Some(json) => (pretty(&overlay(json, part)), pretty(json)),
            None => (pretty(part), text()),
        }),
        (None, None) => None,
    }
}

/// The slot whose credential a request carries.
fn credential<'a>(sent: &Sent, secrets: &'a BTreeMap<Slot, String>) -> Option<&'a Slot> {
    let carries = |secret: &String| {
        let authorization = format!("Bearer {secret}");
        sent.headers
            .iter()
            .any(|(name, value)| name == "authorization" && *value == authorization)
    };
    secrets
        .iter()
        .find(|(_, secret)| carries(secret))
        .map(|(slot, _)| slot)
}

/// A value with a part of it as it should be: it is the same where it has that part already.
pub(super) fn overlay(value: &Value, part: &Value) -> Value {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => {
            let mut whole = value.clone();
            for (key, part) in part {
                let under = match value.get(key) {
                    Some(value) => overlay(value, part),
                    None => part.clone(),
                };
                whole.insert(key.clone(), under);
            }
            Value::Object(whole)
        }
        (Value::Array(value), Value::Array(part)) if value.len() == part.len() => {
            let items = value.iter().zip(part);
            Value::Array(items.map(|(value, part)| overlay(value, part)).collect())
        }
        _ => part.clone(),
    }
}

/// A value in lines, its keys in their order. Commas at the lines' ends are left out: a line that is the last of them
/// is the same as one that isn't.
pub(super) fn pretty(value: &Value) -> String {
    let text = format!("{:#}", sorted(value));
    let lines = text
        .lines()
        .map(|line| line.strip_suffix(',').unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let keys: BTreeMap<&String, &Value> = map.iter().collect();
            let entries = keys
                .into_iter()
                .map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// In what two texts differ, with the lines around it; nothing where they don't.
pub(super) fn diff(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let diff = TextDiff::from_lines(expected, actual);
    let mut shown = String::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            shown.push_str("  …\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            shown.push_str(&format!("{sign} {}", change.value()));
            if !change.value().ends_with('\n') {
                shown.push('\n');
            }
        }
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_found_in_mappings_at_any_depth_and_in_lists_item_by_item() {
        let value = json!({ "a": { "b": [{ "c": 1, "d": 2 }], "e": 3 } });
        let has = |part: Value| overlay(&value, &part) == value;
        assert!(has(json!({ "a": { "b": [{ "c": 1 }] } })));
        assert!(!has(json!({ "a": { "b": [{ "c": 2 }] } })));
        assert!(!has(json!({ "a": { "b": [] } })));
        assert!(!has(json!({ "f": null })));
    }

    #[test]
    fn only_what_differs_is_shown_with_what_is_around() {
        let text = |n: u32| {
            (0..20)
                .map(|at| format!("{}\n", if at == n { 99 } else { at }))
                .collect::<String>()
        };
        let shown = diff(&text(10), &text(40)).unwrap();
        assert_eq!(shown, "  7\n  8\n  9\n- 99\n+ 10\n  11\n  12\n  13\n");
        assert_eq!(diff("a\n", "a\n"), None);
    }
}
