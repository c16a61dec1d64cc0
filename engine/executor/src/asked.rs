//! What a plugin asks for, and what another version of it asks for beyond.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sandbook_runbook::{Ask, Manifest, Slot, on_one_line};
use sandbook_sandbox::{Digest, Packed};
use serde_json::Value;

/// What a version of a plugin asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its version, as its author calls it, on one line.
    pub version: String,
    /// The component, manifest included.
    pub digest: Digest,
    /// The requests, in the order of their texts.
    pub allow: Vec<Ask>,
    /// The credentials.
    pub slots: BTreeMap<Slot, SlotAsked>,
    /// Whether it asks for the plain text of secrets.
    pub reveal: bool,
    /// What only the component tells; none where it isn't at hand.
    pub inside: Option<Inside>,
}

/// A credential that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotAsked {
    /// What it is for, on one line.
    pub what_for: String,
    /// Whether it may stay unbound.
    pub optional: bool,
}

/// What a component holds beside what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Inside {
    /// In bytes.
    pub size: usize,
    /// The interfaces of its host that it uses, without their versions.
    pub imports: BTreeSet<String>,
    /// What it takes: a JSON Schema.
    pub inputs: Value,
    /// What it puts out: a JSON Schema.
    pub outputs: Value,
}

/// One thing in which two versions differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing it is.
    pub subject: Subject,
    /// Whether the new version asks for something that the old one didn't.
    pub widens: bool,
    /// How it was; none where it is new.
    pub before: Option<String>,
    /// How it is; none where it is gone.
    pub after: Option<String>,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A request.
    Request,
    /// A credential.
    Slot,
    /// The plain text of secrets.
    Reveal,
    /// An interface of the host.
    Import,
    /// An input.
    Input,
    /// An output.
    Output,
}

/// The import by which a component sees the plain text of a secret.
const REVEAL: &str = "sandbook:step/reveal";

/// The import by which a component's own HTTP client sends requests.
const WASI_HTTP: &str = "wasi:http/outgoing-handler";

impl Asked {
    /// What a packed plugin asks for.
    pub fn of(packed: &Packed, manifest: &Manifest) -> Asked {
        let mut allow = manifest.allow.clone();
        allow.sort_by_cached_key(Ask::to_string);
        let slots = manifest.slots.iter().map(|(slot, what_for)| {
            let asked = SlotAsked {
                what_for: on_one_line(what_for),
                optional: manifest.optional_slots.contains(slot),
            };
            (slot.clone(), asked)
        });
        let imports: BTreeSet<String> = packed
            .imports()
            .iter()
            .map(|import| name(import).to_owned())
            .collect();
        Asked {
            version: on_one_line(&manifest.version),
            digest: packed.digest(),
            allow,
            slots: slots.collect(),
            reveal: asks_to_reveal(packed),
            inside: Some(Inside {
                size: packed.bytes().len(),
                imports,
                inputs: manifest.inputs.clone(),
                outputs: manifest.outputs.clone(),
            }),
        }
    }

    /// In what this differs from an older version; all that it asks for where there is none.
    ///
    /// A request that is only written differently, or narrower, doesn't widen anything.
    pub fn changes_since(&self, old: Option<&Asked>) -> Vec<Change> {
        let mut changes = Vec::new();
        requests(self, old, &mut changes);
        slots(self, old, &mut changes);
        let had_reveal = old.is_some_and(|old| old.reveal);
        let plain_text = |has: bool| has.then(|| "of secrets".to_owned());
        if self.reveal != had_reveal {
            changes.push(Change {
                subject: Subject::Reveal,
                widens: self.reveal,
                before: plain_text(had_reveal),
                after: plain_text(self.reveal),
            });
        }
        let inside = |asked: &Asked| asked.inside.clone();
        if let (Some(new), Some(old)) = (inside(self), old.and_then(inside)) {
            imports(&new, &old, &mut changes);
            fields(Subject::Input, &new.inputs, &old.inputs, &mut changes);
            fields(Subject::Output, &new.outputs, &old.outputs, &mut changes);
        }
        changes
    }
}

/// Whether a component asks for the plain text of secrets.
pub(crate) fn asks_to_reveal(packed: &Packed) -> bool {
    packed.imports().iter().any(|import| name(import) == REVEAL)
}

/// An import without its version.
fn name(import: &str) -> &str {
    import.split('@').next().unwrap_or(import)
}

fn requests(new: &Asked, old: Option<&Asked>, changes: &mut Vec<Change>) {
    let before = old.map(|old| old.allow.as_slice()).unwrap_or_default();
    if new.allow.is_empty() && !before.is_empty() {
        // Nothing holds a step's grants against what it needs any more.
        changes.push(Change {
            subject: Subject::Request,
            widens: true,
            before: None,
            after: Some(
                "whichever its step is granted: its manifest no longer says what it needs"
                    .to_owned(),
            ),
        });
    }
    for ask in new.allow.iter().filter(|ask| !before.contains(ask)) {
        changes.push(Change {
            subject: Subject::Request,
            widens: !ask.within(before),
            before: None,
            after: Some(ask.to_string()),
        });
    }
    for ask in before.iter().filter(|ask| !new.allow.contains(ask)) {
        changes.push(Change {
            subject: Subject::Request,
            widens: false,
            before: Some(ask.to_string()),
            after: None,
        });
    }
}

fn slots(new: &Asked, old: Option<&Asked>, changes: &mut Vec<Change>) {
    let none = BTreeMap::new();
    let before = old.map_or(&none, |old| &old.slots);
    let names: BTreeSet<&Slot> = before.keys().chain(new.slots.keys()).collect();
    for slot in names {
        let (before, after) = (before.get(slot), new.slots.get(slot));
        if before == after {
            continue;
        }
        let widens = match (before, after) {
            (None, Some(_)) => true,
            (Some(before), Some(after)) => before.optional && !after.optional,
            (_, None) => false,
        };
        let shown = |asked: &SlotAsked| {
            let optional = if asked.optional { " (optional)" } else { "" };
            format!("`{slot}`{optional}: {}", asked.what_for)
        };
        changes.push(Change {
            subject: Subject::Slot,
            widens,
            before: before.map(shown),
            after: after.map(shown),
        });
    }
}

/// WASI has nothing in it here, so that more of it is no ability; but for `wasi:http`, which sends requests.
fn imports(new: &Inside, old: &Inside, changes: &mut Vec<Change>) {
    let of = |from: &Inside, without: &Inside| -> Vec<String> {
        let differing = from.imports.difference(&without.imports);
        differing.filter(|name| *name != REVEAL).cloned().collect()
    };
    for name in of(new, old) {
        changes.push(Change {
            subject: Subject::Import,
            widens: !name.starts_with("wasi:") || name == WASI_HTTP,
            before: None,
            after: Some(name),
        });
    }
    for name in of(old, new) {
        changes.push(Change {
            subject: Subject::Import,
            widens: false,
            before: Some(name),
            after: None,
        });
    }
}

/// The properties in which two schemas differ, and what else there is beside them.
fn fields(subject: Subject, new: &Value, old: &Value, changes: &mut Vec<Change>) {
    if new == old {
        return;
    }
    let (before, after) = (described(old), described(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in no_longer_sensitive(new, old) {
        changes.push(Change {
            subject,
            widens: true,
            before: None,
            after: Some(format!(
                "`{}` in clear: it is no longer sensitive, so that it is shown and recorded",
                on_one_line(name)
            )),
        });
    }
    let so_far = changes.len();
    for name in names {
        let (before, after) = (before.get(name), after.get(name));
        if before != after {
            changes.push(Change {
                subject,
                widens: false,
                before: before.cloned(),
                after: after.cloned(),
            });
        }
    }
    if changes.len() == so_far {
        // Something beside the properties: whether there may be others, or what they are to each other.
        changes.push(Change {
            subject,
            widens: false,
            before: Some("the rest of its schema".to_owned()),
            after: Some("another one".to_owned()),
        });
    }
}

/// The properties that an old schema has as sensitive, and a new one as plain.
fn no_longer_sensitive<'a>(new: &'a Value, old: &'a Value) -> impl Iterator<Item = &'a String> {
    let properties = new.get("properties").and_then(Value::as_object);
    let is_sensitive = |property: &Value| property.get("sensitive") == Some(&Value::Bool(true));
    let lost = properties.into_iter().flatten().filter(move |(name, now)| {
        let before = old
            .get("properties")
            .and_then(|before| before.get(name.as_str()));
        before.is_some_and(is_sensitive) && !is_sensitive(now)
    });
    lost.map(|(name, _)| name)
}

/// Each property of a schema, on a line.
fn described(schema: &Value) -> BTreeMap<String, String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
    let described = properties.into_iter().flatten().map(|(name, property)| {
        let required = if is_required(name) { " (required)" } else { "" };
        let line = format!("`{}`{required}: {property}", on_one_line(name));
        (name.clone(), line)
    });
    described.collect()
}

impl Subject {
    /// Its name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Subject::Request => "request",
            Subject::Slot => "slot",
            Subject::Reveal => "reveal",
            Subject::Import => "import",
            Subject::Input => "input",
            Subject::Output => "output",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Subject::Request => "request",
            Subject::Slot => "credential",
            Subject::Reveal => "the plain text",
            Subject::Import => "interface",
            Subject::Input => "input",
            Subject::Output => "output",
        }
    }
}

/// One line: `+` what is new, `-` what is gone, `~` what was and what is.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.subject.words();
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "+ {words} {after}"),
            (Some(before), None) => write!(f, "- {words} {before}"),
            (before, after) => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                write!(f, "~ {words} {}, was {}", text(after), text(before))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(allow: &[&str], slots: &[(&str, bool)], imports: &[&str], inputs: Value) -> Asked {
        let slot = |(name, optional): &(&str, bool)| {
            let asked = SlotAsked {
                what_for: "an API key".to_owned(),
                optional: *optional,
            };
            (Slot::new(*name).unwrap(), asked)
        };
        Asked {
            version: "1.0.0".to_owned(),
            digest: Digest::of(b"x"),
            allow: allow.iter().map(|ask| Ask::parse(ask).unwrap()).collect(),
            slots: slots.iter().map(slot).collect(),
            reveal: imports.contains(&REVEAL),
            inside: Some(Inside {
                size: 1,
                imports: imports.iter().map(ToString::to_string).collect(),
                inputs,
                outputs: json!({}),
            }),
        }
    }

    fn said(new: &Asked, old: Option<&Asked>) -> Vec<(bool, String)> {
        let changes = new.changes_since(old);
        changes
            .iter()
            .map(|change| (change.widens, change.to_string()))
            .collect()
    }

    #[test]
    fn what_is_new_is_told_from_what_only_differs() {
        let old = asked(
            &["GET https://h/a/*", "POST https://h/b"],
            &[("api", true), ("old", false)],
            &["sandbook:step/http", "wasi:io/poll"],
            json!({ "required": ["a"], "properties": { "a": { "type": "string" }, "b": {} } }),
        );
        let new = asked(
            &["GET https://h/a/b", "GET https://h/**"],
            &[("api", false), ("mail", true)],
            &["sandbook:step/timer", WASI_HTTP, "wasi:io/streams", REVEAL],
            json!({ "properties": { "a": { "type": "string" }, "c": {} } }),
        );
        let is = |widens: bool, text: &str| (widens, text.to_owned());
        assert_eq!(
            said(&new, Some(&old)),
            [
                is(false, "+ request GET https://h/a/b"),
                is(true, "+ request GET https://h/**"),
                is(false, "- request GET https://h/a/*"),
                is(false, "- request POST https://h/b"),
                is(
                    true,
                    "~ credential `api`: an API key, was `api` (optional): an API key"
                ),
                is(true, "+ credential `mail` (optional): an API key"),
                is(false, "- credential `old`: an API key"),
                is(true, "+ the plain text of secrets"),
                is(true, "+ interface sandbook:step/timer"),
                is(true, "+ interface wasi:http/outgoing-handler"),
                is(false, "+ interface wasi:io/streams"),
                is(false, "- interface sandbook:step/http"),
                is(false, "- interface wasi:io/poll"),
                is(
                    false,
                    "~ input `a`: {\"type\":\"string\"}, was `a` (required): {\"type\":\"string\"}"
                ),
                is(false, "- input `b`: {}"),
                is(false, "+ input `c`: {}"),
            ]
        );
        assert_eq!(said(&new, Some(&new)), []);
    }

    #[test]
    fn without_an_older_version_all_that_is_asked_for_is_new() {
        let new = asked(&["GET {url}"], &[("api", false)], &[REVEAL], json!({}));
        let said = said(&new, None);
        assert_eq!(said.len(), 3);
        assert!(said.iter().all(|(widens, _)| *widens), "{said:?}");
    }

    #[test]
    fn what_is_no_longer_sensitive_and_what_is_no_longer_said_widen() {
        let with = |allow: &[&str], sensitive: bool| {
            let schema = json!({ "properties": { "token": { "sensitive": sensitive } } });
            let mut asked = asked(allow, &[], &[], schema.clone());
            asked.inside.as_mut().unwrap().outputs = schema;
            asked
        };
        let (old, new) = (with(&["GET https://h/a"], true), with(&[], false));
        let wider = |new: &Asked, old: &Asked| -> Vec<String> {
            let said = said(new, Some(old)).into_iter();
            said.filter_map(|(widens, said)| widens.then_some(said))
                .collect()
        };
        let clear = "`token` in clear: it is no longer sensitive, so that it is shown and recorded";
        assert_eq!(
            wider(&new, &old),
            [
                "+ request whichever its step is granted: its manifest no longer says what it needs"
                    .to_owned(),
                format!("+ input {clear}"),
                format!("+ output {clear}"),
            ]
        );
        assert!(
            wider(
                &with(&["GET https://h/a"], true),
                &with(&["GET https://h/a"], false)
            )
            .is_empty()
        );
    }

    #[test]
    fn a_schema_that_differs_beside_its_properties_differs() {
        let with = |inputs| asked(&[], &[], &[], inputs);
        let open = with(json!({ "properties": { "a": {} } }));
        let closed = with(json!({ "properties": { "a": {} }, "additionalProperties": false }));
        assert_eq!(said(&closed, Some(&open)).len(), 1);
    }
}
