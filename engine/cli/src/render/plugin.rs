//! A plugin by its manifest and its imports: what it is, asks for, takes and gives; and a step that uses it.

use sandbook_executor::{PluginStanding, Provenance, Standing};
use sandbook_runbook::{KeyName, Manifest};
use sandbook_sandbox::Packed;
use serde_json::{Map, Value, json};

use crate::screen::{Ink, Paper, Table, one_line, safe};

/// A plugin for people.
pub(crate) fn inspection(
    packed: &Packed,
    manifest: &Manifest,
    standing: Option<&PluginStanding>,
    paper: Paper,
) -> String {
    let name = paper.ink(Ink::Strong, &manifest.name.to_string());
    let mut text = format!(
        "{name} {}\n{}\n",
        safe(&manifest.version),
        one_line(&manifest.description)
    );
    let mut facts = Table::default();
    facts.row([faint("digest"), plain(packed.digest().to_string())]);
    facts.row([faint("contract"), plain(manifest.contract.clone())]);
    facts.row([
        faint("size"),
        plain(format!("{} KiB", packed.bytes().len().div_ceil(1024))),
    ]);
    if let Some(standing) = standing {
        facts.row([faint("from"), self::standing(standing)]);
        if standing.provenance.outside {
            facts.row([
                faint("source"),
                plain(one_line(&standing.provenance.source)),
            ]);
        }
        if let Some(signers) = signers(&standing.provenance) {
            facts.row([faint("signed by"), plain(signers)]);
        }
    }
    text.push_str(&facts.render(paper));

    let mut abilities = Table::indented(2);
    for (ink, words) in in_plain_words(packed.imports()) {
        abilities.row([(ink, words)]);
    }
    let mut requests = Table::indented(2);
    for line in &manifest.allow {
        requests.row([plain(safe(&line.to_string()).into_owned())]);
    }
    let mut slots = Table::indented(2);
    for (slot, purpose) in &manifest.slots {
        slots.row([(Ink::Name, slot.to_string()), plain(one_line(purpose))]);
    }
    let parts = [
        ("It is able to:", abilities),
        ("Requests that it asks for:", requests),
        ("Credentials that it asks for, by slot:", slots),
        ("Inputs:", fields(&manifest.inputs, true)),
        ("Outputs:", fields(&manifest.outputs, false)),
    ];
    for (heading, table) in parts {
        let rows = table.render(paper.uncut());
        let rows = if rows.is_empty() {
            "  none\n".to_owned()
        } else {
            rows
        };
        text.push_str(&format!("\n{}\n{rows}", paper.ink(Ink::Strong, heading)));
    }
    text
}

/// The same for programs.
pub(crate) fn inspection_json(
    packed: &Packed,
    manifest: &Manifest,
    standing: Option<&PluginStanding>,
) -> Value {
    let words: Vec<String> = in_plain_words(packed.imports())
        .into_iter()
        .map(|(_, words)| words)
        .collect();
    let allow: Vec<String> = manifest.allow.iter().map(ToString::to_string).collect();
    let slots: Map<String, Value> = manifest
        .slots
        .iter()
        .map(|(slot, purpose)| (slot.to_string(), json!(purpose)))
        .collect();
    json!({
        "name": manifest.name.to_string(), "version": manifest.version, "description": manifest.description,
        "digest": packed.digest().to_string(), "contract": manifest.contract,
        "imports": packed.imports(), "able_to": words, "allow": allow, "slots": slots,
        "inputs": manifest.inputs, "outputs": manifest.outputs,
        "state": standing.map(|standing| standing.standing.as_str()),
        "source": standing.map(|standing| &standing.provenance.source),
        "outside": standing.map(|standing| standing.provenance.outside),
        "accepted": standing.and_then(PluginStanding::is_accepted),
        "signed_by": standing.map(|standing| signed_by(&standing.provenance)),
    })
}

/// Where a project's plugin is from, and whether it may be used.
pub(crate) fn standing(plugin: &PluginStanding) -> (Ink, String) {
    let (ink, words) = match plugin.standing {
        Standing::Inside => return (Ink::Faint, "the project".to_owned()),
        Standing::Accepted => (Ink::Plain, "accepted"),
        Standing::NotAccepted => (Ink::Bad, "not accepted"),
        Standing::NotFetched => (Ink::Bad, "not fetched"),
        Standing::Changed => (Ink::Bad, "not what was accepted"),
        Standing::Altered => (Ink::Bad, "altered on this disk"),
        Standing::Unsigned => (Ink::Bad, "not signed as it must be"),
        Standing::Faulty => (Ink::Bad, "can't be read"),
    };
    let from = if plugin.provenance.outside {
        "outside"
    } else {
        "the project"
    };
    (ink, format!("{from}, {words}"))
}

/// Who has signed a plugin, by the names of their keys in sandbook.yaml; none where nobody must.
pub(crate) fn signers(provenance: &Provenance) -> Option<String> {
    let names = signed_by(provenance);
    (!names.is_empty()).then(|| names.join(", "))
}

/// The same for programs.
pub(crate) fn signed_by(provenance: &Provenance) -> Vec<&str> {
    let keys = provenance.signed_by.iter();
    keys.map(KeyName::as_str).collect()
}

/// What imports mean, for somebody who never read the contract.
fn in_plain_words(imports: &[String]) -> Vec<(Ink, String)> {
    let has = |name: &str| {
        imports
            .iter()
            .any(|import| import.split('@').next() == Some(name))
    };
    let mut words = Vec::new();
    let known = [
        (
            "sandbook:step/http",
            Ink::Plain,
            "send HTTP requests, those that its step is granted",
        ),
        (
            "wasi:http/outgoing-handler",
            Ink::Plain,
            "send HTTP requests by its own client (`wasi:http`), those that its step is granted",
        ),
        (
            "sandbook:step/secrets",
            Ink::Plain,
            "use credentials that are bound to its slots, without seeing them",
        ),
        (
            "sandbook:step/reveal",
            Ink::Bad,
            "see the plain text of a secret, where its step is granted `reveal`",
        ),
        ("sandbook:step/log", Ink::Plain, "write log lines"),
        ("sandbook:step/progress", Ink::Plain, "say how far it is"),
        ("sandbook:step/timer", Ink::Plain, "wait"),
    ];
    for (name, ink, meaning) in known {
        if has(name) {
            words.push((ink, meaning.to_owned()));
        }
    }
    let wasi = imports
        .iter()
        .filter(|import| import.starts_with("wasi:") && !import.starts_with("wasi:http/"))
        .count();
    if wasi > 0 {
        let meaning =
            "read clocks and random numbers; no files, variables, arguments, sockets or names";
        words.push((Ink::Plain, format!("{meaning} (WASI, with nothing in it)")));
    }
    words
}

/// The properties of a schema, one a row.
fn fields(schema: &Value, says_required: bool) -> Table {
    let mut table = Table::indented(2);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return table;
    };
    for (name, property) in properties {
        let mut kind = kind_of(property);
        if says_required && is_required(schema, name) {
            kind.push_str(", required");
        } else if let Some(default) = property.get("default") {
            kind.push_str(&format!(", {default} by default"));
        }
        if property.get("sensitive") == Some(&Value::Bool(true)) {
            kind.push_str(", sensitive");
        }
        table.row([
            (Ink::Name, safe(name).into_owned()),
            (Ink::Faint, safe(&kind).into_owned()),
            plain(description(property)),
        ]);
    }
    table
}

/// A step that uses the plugin, in YAML; `name` is what the project calls it.
pub(crate) fn step(name: &str, manifest: &Manifest) -> String {
    let mut yaml = format!("  - id: {}\n    uses: {name}\n", name.replace('-', "_"));
    if let Some(properties) = manifest
        .inputs
        .get("properties")
        .and_then(Value::as_object)
        .filter(|it| !it.is_empty())
    {
        yaml.push_str("    with:\n");
        let (required, optional): (Vec<_>, Vec<_>) = properties
            .iter()
            .partition(|(name, _)| is_required(&manifest.inputs, name));
        for (name, property) in required {
            yaml.push_str(&format!(
                "      {}: {}{}\n",
                key(name),
                sample(property),
                remark(property)
            ));
        }
        for (name, property) in optional {
            yaml.push_str(&format!(
                "      # {}: {}{}\n",
                key(name),
                sample(property),
                remark(property)
            ));
        }
    }
    if !manifest.slots.is_empty() {
        yaml.push_str("    credentials:\n");
        for (slot, purpose) in &manifest.slots {
            yaml.push_str(&format!(
                "      {slot}: {slot}  # the environment's credential: {}\n",
                one_line(purpose)
            ));
        }
    }
    if !manifest.allow.is_empty() {
        yaml.push_str("    allow:\n");
        for line in &manifest.allow {
            yaml.push_str(&format!("      - {}\n", json!(filled(&line.to_string()))));
        }
    }
    // Each part is a line's, whatever its author wrote; what is left in them are characters that JSON lets pass.
    let lines = yaml.split_terminator('\n');
    lines.map(|line| safe(line).into_owned() + "\n").collect()
}

/// A key in YAML: a plain word as it is, anything else in quotes.
fn key(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins && name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        json!(name).to_string()
    }
}

/// An allow line of a manifest with its holes as words that stand out: `{server}` becomes `SERVER`.
fn filled(line: &str) -> String {
    let mut filled = String::with_capacity(line.len());
    let mut in_hole = false;
    for character in line.chars() {
        match character {
            '{' => in_hole = true,
            '}' => in_hole = false,
            other if in_hole => filled.extend(other.to_uppercase()),
            other => filled.push(other),
        }
    }
    filled
}

/// A value to begin with: an example, the default, the first choice, or an empty one of its kind.
fn sample(property: &Value) -> Value {
    let examples = property
        .get("examples")
        .and_then(|examples| examples.get(0));
    let first = property.get("enum").and_then(|choices| choices.get(0));
    let given = examples
        .or_else(|| property.get("default"))
        .or_else(|| property.get("const"))
        .or(first);
    given
        .cloned()
        .unwrap_or_else(|| match property.get("type").and_then(Value::as_str) {
            Some("integer" | "number") => json!(0),
            Some("boolean") => json!(false),
            Some("array") => json!([]),
            Some("object") => json!({}),
            _ => json!(""),
        })
}

fn remark(property: &Value) -> String {
    let description = description(property);
    let behind = if description.is_empty() {
        String::new()
    } else {
        format!(": {description}")
    };
    format!("  # {}{behind}", safe(&kind_of(property)))
}

fn kind_of(property: &Value) -> String {
    if let Some(choices) = property.get("enum").and_then(Value::as_array) {
        return choices
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" | ");
    }
    match property.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "any".to_owned(),
    }
}

fn description(property: &Value) -> String {
    property
        .get("description")
        .and_then(Value::as_str)
        .map(one_line)
        .unwrap_or_default()
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|required| required.iter().any(|it| it == name))
}

fn plain(text: String) -> (Ink, String) {
    (Ink::Plain, text)
}

fn faint(text: &str) -> (Ink, String) {
    (Ink::Faint, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_said_in_plain_words() {
        let imports = [
            "sandbook:step/http@0.1.0",
            "sandbook:step/reveal@0.1.0",
            "wasi:io/poll@0.2.6",
            "wasi:cli/exit@0.2.6",
        ];
        let words = in_plain_words(&imports.map(str::to_owned));
        assert_eq!(words.len(), 3);
        assert_eq!(words[1].0, Ink::Bad);
    }

    #[test]
    fn holes_become_words_that_stand_out() {
        assert_eq!(
            filled("GET https://{host}/a/{the_id}/*"),
            "GET https://HOST/a/THE_ID/*"
        );
    }

    #[test]
    fn a_step_to_paste_has_only_the_lines_that_it_is_meant_to_have() {
        let manifest = json!({
            "name": "bad", "version": "1", "description": "x", "contract": "sandbook:step@0.1.0",
            "inputs": { "type": "object", "required": ["a\n    allow: ['* https://**']"], "properties": {
                "a\n    allow: ['* https://**']": { "type": "string", "default": "\u{9b}31m\n- id: b" },
                "b\u{1b}[2J": { "type": "string", "description": "x\n    reveal: [api]\u{202e}" },
            } },
            "outputs": { "type": "object" },
            "slots": { "api": "for\n    reveal: [api]" },
        });
        let manifest = Manifest::from_json(manifest.to_string().as_bytes()).unwrap();
        let yaml = step("bad", &manifest);
        assert_eq!(yaml.lines().count(), 7, "{yaml}");
        assert!(!yaml.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{yaml}");
        for line in yaml.lines() {
            let word = line.trim_start();
            assert!(
                !word.starts_with("allow") && !word.starts_with("reveal"),
                "{yaml}"
            );
        }
    }

    #[test]
    fn a_sample_is_of_the_right_kind() {
        assert_eq!(sample(&json!({ "type": "integer" })), json!(0));
        assert_eq!(
            sample(&json!({ "type": "string", "enum": ["a", "b"] })),
            json!("a")
        );
        assert_eq!(
            sample(&json!({ "type": "string", "default": "x", "examples": ["y"] })),
            json!("y")
        );
    }
}
