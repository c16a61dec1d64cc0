//! A plugin alone: the runbook of one step that runs it.

mod given;

use std::collections::BTreeMap;
use std::time::Duration;

use sandbook_runbook::{
    LONGEST_NAME, Manifest, Name, PluginName, RunbookName, Slot, Source, StepId, format_duration,
};
use serde_json::{Map, Value, json};
use url::Url;

pub use self::given::{GivenAlone, PluginAlone};

/// What a plugin is run with.
pub(crate) struct Alone<'a> {
    /// What the step calls it.
    pub(crate) plugin: &'a PluginName,
    pub(crate) manifest: &'a Manifest,
    pub(crate) input: &'a Map<String, Value>,
    /// The credentials by their slots.
    pub(crate) credentials: BTreeMap<&'a Slot, &'a str>,
    pub(crate) reveal: &'a [Slot],
    /// What it is granted; none where that is what its manifest asks for.
    pub(crate) allow: Option<&'a [String]>,
    pub(crate) attempts: u32,
    pub(crate) timeout: Option<Duration>,
    /// Its inputs are made up, so that nothing in them has to stay out of the runbook's text.
    pub(crate) is_made_up: bool,
}

/// A runbook, and what it is given.
pub(crate) struct Written {
    pub(crate) source: Source,
    pub(crate) inputs: Map<String, Value>,
    /// The lines that are not granted, since all of their place is a sensitive input.
    pub(crate) withheld: Vec<String>,
}

/// What becomes of a line that a manifest asks for.
enum Filled {
    Line(String),
    /// An input is missing, or is no place.
    Nothing,
    /// It would have to stand in the runbook's text, which everybody is shown and which is kept.
    Sensitive,
}

impl Alone<'_> {
    /// Its runbook. What the plugin is told are the runbook's inputs, so that nothing in them is taken for an
    /// expression, and what is filled into a line that the manifest asks for stays in its place there.
    pub(crate) fn write(&self) -> Written {
        let mut inputs = Map::new();
        let mut declared = Map::new();
        let mut with = Map::new();
        let mut names = BTreeMap::new();
        for (index, (key, value)) in self.input.iter().enumerate() {
            let Some(kind) = kind_of(value) else {
                // There is no input of this kind, and nothing in it that could be an expression.
                with.insert(key.clone(), value.clone());
                continue;
            };
            let name = match Name::new(key.as_str()) {
                Ok(name) => name.to_string(),
                Err(_) => self.free_name(index + 1, &inputs),
            };
            let sensitive = is_sensitive(self.manifest, key);
            declared.insert(
                name.clone(),
                json!({ "type": kind, "sensitive": sensitive }),
            );
            with.insert(key.clone(), json!(format!("${{{{ inputs.{name} }}}}")));
            inputs.insert(name.clone(), value.clone());
            names.insert(key.as_str(), name);
        }
        let (allow, withheld) = match self.allow {
            Some(lines) => (lines.to_vec(), Vec::new()),
            None => self.asked(&names),
        };
        let step = step_id(self.manifest);
        let retry = match self.attempts {
            0 | 1 => json!({ "attempts": 1 }),
            attempts => json!({ "attempts": attempts, "delay": "1s" }),
        };
        let mut written = json!({
            "id": step.as_str(),
            "uses": self.plugin,
            "with": with,
            "credentials": self.credentials,
            "allow": allow,
            "reveal": self.reveal,
            "retry": retry,
        });
        if let Some(timeout) = self.timeout {
            written["timeout"] = json!(format_duration(timeout));
        }
        let outputs: Map<String, Value> = self.outputs(&step).collect();
        let runbook = json!({
            "name": runbook_name(self.plugin),
            "description": format!("The plugin {} alone.", self.plugin),
            "inputs": declared,
            "steps": [written],
            "outputs": outputs,
        });
        let text = serde_yaml::to_string(&runbook).expect("invariant: JSON is YAML");
        Written {
            source: Source {
                name: format!("plugin {}", self.plugin),
                text,
            },
            inputs,
            withheld,
        }
    }

    /// A name for an input whose own is none of a runbook's.
    fn free_name(&self, number: usize, taken: &Map<String, Value>) -> String {
        (number..)
            .map(|number| format!("input_{number}"))
            .find(|name| !self.input.contains_key(name) && !taken.contains_key(name))
            .expect("invariant: there are more numbers than inputs")
    }

    /// What the step puts out is what the run does, as far as the manifest names it.
    fn outputs(&self, step: &StepId) -> impl Iterator<Item = (String, Value)> {
        let sensitive: Vec<&str> = self.manifest.sensitive_outputs().collect();
        let shown = self.manifest.output_names();
        shown
            .filter(move |name| !sensitive.contains(name))
            .map(move |name| {
                let taken = format!("${{{{ steps.{step}.outputs.{name} | default(none) }}}}");
                (name.to_owned(), json!(taken))
            })
    }

    /// The lines that the manifest asks for, and those that are withheld; left out are those for which an input is
    /// missing.
    fn asked(&self, names: &BTreeMap<&str, String>) -> (Vec<String>, Vec<String>) {
        let (mut granted, mut withheld) = (Vec::new(), Vec::new());
        for ask in &self.manifest.allow {
            let line = ask.to_string();
            match self.filled(&line, names) {
                Filled::Line(filled) => granted.push(filled),
                Filled::Nothing => {}
                Filled::Sensitive => withheld.push(line),
            }
        }
        (granted, withheld)
    }

    fn filled(&self, line: &str, names: &BTreeMap<&str, String>) -> Filled {
        let whole = line.split_once(' ').and_then(|(methods, location)| {
            let name = location.strip_prefix('{')?.strip_suffix('}')?;
            (!name.contains(['{', '}'])).then_some((methods, name))
        });
        let filled = match whole {
            Some((_, name)) if !self.is_made_up && is_sensitive(self.manifest, name) => {
                return match self.input.contains_key(name) {
                    true => Filled::Sensitive,
                    false => Filled::Nothing,
                };
            }
            Some((methods, name)) => {
                let url = self.input.get(name).and_then(Value::as_str);
                let place = url.and_then(place_of);
                place.map(|place| format!("{methods} {place}"))
            }
            None => self.filled_in(line, names),
        };
        filled.map_or(Filled::Nothing, Filled::Line)
    }

    /// A line with expressions in the places of inputs; what these come to is nowhere in the text.
    fn filled_in(&self, line: &str, names: &BTreeMap<&str, String>) -> Option<String> {
        let (methods, location) = line.split_once(' ')?;
        let mut filled = format!("{methods} ");
        let mut rest = location;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            match names.get(name) {
                Some(input) => filled.push_str(&format!("${{{{ inputs.{input} }}}}")),
                None => filled.push_str(&default_of(self.manifest, name)?),
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

/// The id of the step that runs a plugin alone.
pub(crate) fn step_id(manifest: &Manifest) -> StepId {
    let id = manifest.name.as_str().replace('-', "_");
    StepId::new(id).expect("invariant: a plugin's name is an id but for its dashes")
}

/// Whether an input of a plugin is kept outside the record.
pub(crate) fn is_sensitive(manifest: &Manifest, input: &str) -> bool {
    property(manifest, input).and_then(|property| property.get("sensitive")) == Some(&json!(true))
}

/// Reads an input from text, as the type that the manifest has for it: lists and mappings are JSON.
///
/// # Errors
///
/// It is not of that type; says what is expected.
pub(crate) fn parse_input(manifest: &Manifest, name: &str, text: &str) -> Result<Value, String> {
    let kinds: Vec<&str> = match property(manifest, name).and_then(|property| property.get("type"))
    {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let read = serde_json::from_str::<Value>(text).ok();
    if let Some(value) = read.filter(|value| kinds.iter().any(|kind| is_of(value, kind))) {
        return Ok(value);
    }
    if kinds.is_empty() || kinds.contains(&"string") {
        return Ok(Value::String(text.to_owned()));
    }
    let wanted: Vec<&str> = kinds.iter().map(|kind| in_words(kind)).collect();
    Err(format!("`{text}` is not {}", wanted.join(" or ")))
}

fn property<'a>(manifest: &'a Manifest, name: &str) -> Option<&'a Value> {
    manifest.inputs.get("properties")?.get(name)
}

fn default_of(manifest: &Manifest, name: &str) -> Option<String> {
    let default = match property(manifest, name)?.get("default")? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (!default.is_empty() && default.bytes().all(is_plain)).then_some(default)
}

/// A URL's origin and path, which is what a grant is about.
fn place_of(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    // A star that is meant as one is not a wildcard.
    Some(url.as_str().replace('*', "%2A"))
}

fn runbook_name(plugin: &PluginName) -> String {
    let mut name = format!("plugin-{plugin}");
    name.truncate(LONGEST_NAME);
    debug_assert!(
        RunbookName::new(name.as_str()).is_ok(),
        "names are of the same letters"
    );
    name
}

/// The kind of a runbook's input that takes a value; none for null.
fn kind_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    })
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list, as JSON",
        "object" => "a mapping, as JSON",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use sandbook_runbook::{AllowLine, Runbook, Scope};

    use super::*;

    fn manifest() -> Manifest {
        let text = "name: move-it
version: 0.1.0
description: x
contract: sandbook:step@0.1.0
inputs:
  type: object
  properties:
    url: { type: string }
    host: { type: string }
    port: { type: integer, default: 8008 }
    pool-id: { type: [string, 'null'] }
    on: { type: boolean }
    token: { type: string, sensitive: true }
    hook: { type: string, sensitive: true }
outputs: { type: object, properties: { id: { type: string }, key: { type: string, sensitive: true } } }
allow: ['GET {url}', 'POST https://{host}:{port}/pools/{host}', 'GET https://a.example/{token}', 'POST {hook}']
slots: { api: x }
";
        Manifest::parse(&Source {
            name: "plugin.yaml".to_owned(),
            text: text.to_owned(),
        })
        .unwrap()
    }

    fn written(input: &Value) -> (Runbook, Map<String, Value>) {
        let written = written_as(input, false);
        let (runbook, _) = Runbook::parse(&written.source).unwrap();
        (runbook, written.inputs)
    }

    fn written_as(input: &Value, is_made_up: bool) -> Written {
        let manifest = manifest();
        let slot = Slot::new("api").unwrap();
        let alone = Alone {
            plugin: &manifest.name,
            manifest: &manifest,
            input: input.as_object().unwrap(),
            credentials: BTreeMap::from([(&slot, "statuspage")]),
            reveal: &[],
            allow: None,
            attempts: 1,
            timeout: None,
            is_made_up,
        };
        alone.write()
    }

    #[test]
    fn a_sensitive_place_is_granted_only_where_it_is_made_up() {
        let input = json!({ "hook": "https://hooks.example/the-secret-path" });
        let real = written_as(&input, false);
        assert_eq!(real.withheld, ["POST {hook}"]);
        assert!(
            !real.source.text.contains("the-secret-path"),
            "{}",
            real.source.text
        );
        let made_up = written_as(&input, true);
        assert!(made_up.withheld.is_empty());
        let line = "POST https://hooks.example/the-secret-path";
        assert!(made_up.source.text.contains(line));
        assert!(written_as(&json!({}), false).withheld.is_empty());
    }

    #[test]
    fn inputs_that_get_names_get_free_ones() {
        let input = json!({ "a-b": 1, "c-d": 2, "input_1": 3, "input_2": 4 });
        let (_, inputs) = written(&input);
        assert_eq!(
            Value::Object(inputs),
            json!({ "input_1": 3, "input_2": 4, "input_3": 1, "input_4": 2 })
        );
    }

    #[test]
    fn what_it_is_told_are_the_runbooks_inputs() {
        let (runbook, inputs) =
            written(&json!({ "host": "${{ vars.x }}", "pool-id": "p", "on": null, "token": "t" }));
        assert_eq!(
            Value::Object(inputs),
            json!({ "host": "${{ vars.x }}", "input_2": "p", "token": "t" })
        );
        let sensitive = runbook.inputs.iter().filter(|input| input.sensitive);
        assert_eq!(
            sensitive
                .map(|input| input.name.as_str())
                .collect::<Vec<_>>(),
            ["token"]
        );
        assert_eq!(runbook.steps[0].id.as_str(), "move_it");
    }

    #[test]
    fn it_is_granted_what_it_asks_for_with_its_inputs_in_their_places() {
        let grants = |input: &Value| {
            let (runbook, inputs) = written(input);
            let scope = Scope::new(&inputs, &Value::Null);
            let using = runbook.uses().next().unwrap();
            let resolved = using
                .allow
                .iter()
                .map(|line: &AllowLine| line.resolve(&scope));
            resolved
                .map(|grant| {
                    grant.map_or_else(|fault| fault.to_string(), |grant| grant.to_string())
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            grants(&json!({ "url": "https://a.example/x*?q=1#f", "host": "b.example" })),
            [
                "GET https://a.example/x%2A",
                "POST https://b.example:8008/pools/b.example"
            ]
        );
        let wild = &grants(&json!({ "host": "**" }))[0];
        assert!(!wild.starts_with("POST "), "{wild}");
        assert!(grants(&json!({})).is_empty());
    }

    #[test]
    fn text_is_read_as_the_manifest_has_it() {
        let manifest = manifest();
        let read = |name: &str, text: &str| parse_input(&manifest, name, text);
        assert_eq!(read("port", "7"), Ok(json!(7)));
        assert_eq!(read("host", "7"), Ok(json!("7")));
        assert_eq!(read("pool-id", "null"), Ok(Value::Null));
        assert_eq!(read("unknown", "7"), Ok(json!("7")));
        assert_eq!(read("on", "yes").unwrap_err(), "`yes` is not true or false");
        assert_eq!(read("port", "x").unwrap_err(), "`x` is not a whole number");
    }
}
