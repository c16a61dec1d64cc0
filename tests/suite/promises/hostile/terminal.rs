//! Words that are made to move a cursor, to colour, to turn the direction of writing, or to pass for the engine's own.

use std::fs;

use serde_json::{Value, json};

use crate::promises::stage::Stage;
use crate::support::{Said, target};

/// Escape sequences in their two forms, a bell, marks that turn the direction of writing, line ends of all kinds, and
/// what would be a line of the engine's, a heading, a row of a table and a link.
const NASTY: &str = "a\u{1b}[31mb\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}\u{61c}\r\u{85}\u{2028}\n\u{2713} forged  1.0 s: succeeded\n## Forged\n| forged | row |\n[forged](https://forged.example)";

/// A value in YAML's and JSON's common form, in ASCII only.
fn written(value: &Value) -> String {
    let text = value.to_string();
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            written.push(character);
        } else {
            written.push_str(&format!("\\u{:04x}", u32::from(character)));
        }
    }
    written
}

/// Has nothing in it that a terminal acts upon, and no line that a plugin began.
#[track_caller]
fn is_harmless(said: &Said) {
    for text in [&said.out, &said.err] {
        let harmful = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(harmful), "{text:?}");
        for line in text.lines() {
            // What continues an error's message is set in deeper than any line of the engine's.
            let line = line
                .strip_prefix("       ")
                .map_or(line.trim_start(), |_| "");
            for forged in ["\u{2713} forged", "## Forged", "| forged", "[forged"] {
                assert!(!line.starts_with(forged), "{text}");
            }
        }
    }
}

#[test]
fn what_a_plugin_says_is_harmless_wherever_it_is_shown() {
    let stage = Stage::new();
    let nasty = written(&json!(NASTY));
    let said = stage.run(&format!(
        r#"steps:
  - id: a
    uses: puppet
    on_failure: continue
    allow: [GET https://echo.simcloud.test/*]
    with:
      actions:
        - {{ do: log, level: error, message: {nasty} }}
        - {{ do: print, text: {nasty} }}
        - {{ do: print, error: true, text: {nasty} }}
        - {{ do: progress, message: {nasty}, fraction: 0.5 }}
        - {{ do: send, method: {nasty}, url: {nasty} }}
        - {{ do: send, url: "https://echo.simcloud.test/x", headers: {{ x: {nasty} }} }}
        - {{ do: fail, code: {nasty}, message: {nasty} }}
  - id: b
    uses: puppet
    with: {{ actions: [{{ do: return, changed: true, summary: {nasty}, data: {{ text: {nasty} }} }}] }}
  - {{ id: c, uses: puppet, on_failure: pause, with: {{ actions: [{{ do: panic, message: {nasty} }}] }} }}
"#
    ));
    let said = said.exits(3);
    is_harmless(&said);
    assert!(said.out.contains(r"a\u{1b}[31mb"), "{}", said.out);
    for command in [
        &["show", "@last"][..],
        &["show", "@last", "--markdown"],
        &["log", "@last"],
        &["runs"],
        &["list"],
    ] {
        is_harmless(&stage.lab.sandbook(command).ok());
    }
    let markdown = stage
        .lab
        .sandbook(&["show", "@last", "--markdown"])
        .ok()
        .out;
    for heading in markdown.lines().filter(|line| line.starts_with('#')) {
        assert!(!heading.contains("Forged"), "{markdown}");
    }
    assert!(
        !markdown.replace(r"\](", "").contains("](") && !markdown.contains("https://forged"),
        "{markdown}"
    );
}

#[test]
fn what_a_plugins_manifest_says_is_harmless_wherever_it_is_shown() {
    let stage = Stage::new();
    let lab = &stage.lab;
    let manifest = json!({
        "name": "bad", "version": &NASTY[..25], "description": NASTY, "contract": "sandbook:step@0.1.0",
        "inputs": { "type": "object", "required": [NASTY], "properties": {
            NASTY: { "type": "string", "description": NASTY, "default": NASTY },
            "other": { "enum": [NASTY] },
        } },
        "outputs": { "type": "object", "properties": { "text": { "description": NASTY } } },
        "slots": { "api": { "description": NASTY, "optional": true } },
    });
    let pack = |manifest: &str| {
        lab.write("plugin.yaml", manifest);
        let noop = target().join("guests/wasm32-wasip2/release/noop.wasm");
        let noop = noop.to_str().unwrap().to_owned();
        lab.sandbook(&[
            "plugin",
            "pack",
            &noop,
            "--manifest",
            "plugin.yaml",
            "--to",
            "bad.wasm",
        ])
    };
    is_harmless(&pack(&written(&manifest)).ok());
    let project = fs::read_to_string(lab.path("sandbook.yaml")).unwrap();
    lab.write("sandbook.yaml", &format!("{project}  bad: bad.wasm\n"));
    stage.job(&format!(
        "steps: [{{ id: a, uses: bad, with: {{ {}: x }} }}]",
        written(&json!(NASTY))
    ));
    for command in [
        &["plugin", "list"][..],
        &["plugin", "inspect", "bad"],
        &["plugin", "inspect", "bad", "--step"],
        &["plugin", "check", "bad.wasm"],
        &["plan", "job"],
        &["run", "job"],
        &["show", "@last"],
    ] {
        is_harmless(&lab.sandbook(command).ok());
    }
    // And where the manifest itself is at fault.
    let mut faulty = manifest.clone();
    faulty[NASTY] = json!(NASTY);
    is_harmless(&pack(&written(&faulty)).exits(2));
    stage.job("steps: [{ id: a, uses: bad, with: { unknown: 1 } }]");
    is_harmless(&lab.sandbook(&["check", "job"]).exits(2));
}
