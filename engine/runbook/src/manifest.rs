//! A plugin's manifest: what it says of itself, read without running any of its code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::data_schema::{DataSchema, SchemaFault};
use crate::fault::{Fault, Report};
use crate::grant::Ask;
use crate::leaf::Reader;
use crate::misfit::listed;
use crate::names::{Name, PluginName, Slot};
use crate::path::Path;
use crate::schema::Kind;
use crate::source::Source;
use crate::suggest::closest;
use crate::{data_schema, shape, yaml};

/// What a plugin says of itself.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its name.
    pub name: PluginName,
    /// Its version.
    pub version: String,
    /// What it does.
    pub description: String,
    /// What a step's `with` holds: a JSON Schema of type object.
    pub inputs: Value,
    /// What it puts out: a JSON Schema of type object.
    pub outputs: Value,
    /// The requests that it needs.
    pub allow: Vec<Ask>,
    /// The credentials that it asks for, and what each is for.
    pub slots: BTreeMap<Slot, String>,
    /// The slots that may stay unbound.
    pub optional_slots: BTreeSet<Slot>,
    /// The contract that it is built for: [`CONTRACT`].
    pub contract: String,
    /// Whether it brings its own HTTP client, which sends requests by `wasi:http`.
    pub wasi_http: bool,
    compiled: Arc<Compiled>,
}

/// The schemas in compiled form, once for all clones of a manifest, from when they are first asked for.
#[derive(Debug, Default)]
struct Compiled {
    inputs: OnceLock<Result<Arc<DataSchema>, SchemaFault>>,
    outputs: OnceLock<Result<Arc<DataSchema>, SchemaFault>>,
}

/// The contract between this engine and its plugins.
pub const CONTRACT: &str = "sandbook:step@0.1.0";

/// The largest manifest in a component, in bytes.
const LARGEST: usize = 256 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wire {
    name: Option<String>,
    version: Option<String>,
    description: Option<String>,
    contract: Option<String>,
    wasi_http: bool,
    inputs: Option<Map<String, Value>>,
    outputs: Option<Map<String, Value>>,
    allow: Vec<String>,
    slots: BTreeMap<String, WireSlot>,
}

/// What a slot is for, alone or with whether it may stay unbound.
#[derive(Debug)]
struct WireSlot {
    description: Option<String>,
    optional: bool,
}

impl<'de> Deserialize<'de> for WireSlot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireSlot, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Whole {
            description: Option<String>,
            optional: bool,
        }
        match Value::deserialize(deserializer)? {
            Value::String(description) => Ok(WireSlot {
                description: Some(description),
                optional: false,
            }),
            whole => {
                let Whole {
                    description,
                    optional,
                } = Whole::deserialize(whole).map_err(D::Error::custom)?;
                Ok(WireSlot {
                    description,
                    optional,
                })
            }
        }
    }
}

impl Manifest {
    /// Reads the manifest that a component holds. Its source is called `manifest`.
    ///
    /// # Errors
    ///
    /// All of its faults.
    pub fn from_json(bytes: &[u8]) -> Result<Manifest, Report> {
        let refuse = |text: &str, fault| Report {
            source: Source {
                name: "manifest".to_owned(),
                text: text.to_owned(),
            },
            faults: vec![fault],
        };
        if bytes.len() > LARGEST {
            let fault = Fault::error(
                Path::root(),
                format!(
                    "the manifest is {} bytes long; at most {LARGEST} are read",
                    bytes.len()
                ),
            );
            return Err(refuse("", fault));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            refuse(
                "",
                Fault::error(Path::root(), format!("the manifest is not UTF-8: {error}")),
            )
        })?;
        let value: Value = serde_json::from_str(text).map_err(|error| {
            refuse(
                text,
                Fault::error(Path::root(), format!("the manifest is not JSON: {error}")),
            )
        })?;
        // What is shown is laid out, one key a line. JSON is YAML as far as places go.
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        Manifest::convert(
            value,
            &Source {
                name: "manifest".to_owned(),
                text,
            },
        )
    }

    /// Reads a manifest that its author writes, in YAML.
    ///
    /// # Errors
    ///
    /// All of its faults.
    pub fn parse(source: &Source) -> Result<Manifest, Report> {
        let value = yaml::parse(source).map_err(|faults| Report {
            source: source.clone(),
            faults,
        })?;
        Manifest::convert(value, source)
    }

    /// The schema of what a step tells the plugin, compiled.
    ///
    /// # Errors
    ///
    /// It can't be compiled, which a manifest that was read never says.
    pub fn input_schema(&self) -> Result<Arc<DataSchema>, SchemaFault> {
        compiled(&self.compiled.inputs, &self.inputs)
    }

    /// The schema of what the plugin puts out, compiled.
    ///
    /// # Errors
    ///
    /// It can't be compiled, which a manifest that was read never says.
    pub fn output_schema(&self) -> Result<Arc<DataSchema>, SchemaFault> {
        compiled(&self.compiled.outputs, &self.outputs)
    }

    /// The manifest as a component holds it.
    pub fn to_json(&self) -> String {
        let slots = self.slots.iter().map(|(slot, what_for)| {
            let optional = self.optional_slots.contains(slot);
            (
                slot.to_string(),
                json!({ "description": what_for, "optional": optional }),
            )
        });
        let slots: Map<String, Value> = slots.collect();
        let mut manifest = json!({
            "name": self.name,
            "version": self.version,
            "description": self.description,
            "contract": self.contract,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "allow": self.allow.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "slots": slots,
        });
        // Unsaid where it isn't so: what was packed before there was such a key packs to the same bytes.
        if self.wasi_http {
            manifest["wasi_http"] = Value::Bool(true);
        }
        manifest.to_string()
    }

    /// The names of the outputs that the plugin declares.
    pub fn output_names(&self) -> impl Iterator<Item = &str> {
        properties(&self.outputs).map(|(name, _)| name.as_str())
    }

    /// Whether the plugin says that it puts out more than it declares: `additionalProperties` that isn't
    /// false, or `patternProperties`.
    pub fn has_open_outputs(&self) -> bool {
        let more = self
            .outputs
            .get("additionalProperties")
            .is_some_and(|more| *more != Value::Bool(false));
        more || self.outputs.get("patternProperties").is_some()
    }

    /// The names of the outputs that are kept outside the record.
    pub fn sensitive_outputs(&self) -> impl Iterator<Item = &str> {
        let sensitive = |schema: &Value| schema.get("sensitive") == Some(&Value::Bool(true));
        properties(&self.outputs)
            .filter(move |(_, schema)| sensitive(schema))
            .map(|(name, _)| name.as_str())
    }

    fn convert(value: Value, source: &Source) -> Result<Manifest, Report> {
        shape::document(Kind::Manifest, value, Wire::convert, |_| Vec::new()).map_err(|faults| {
            Report {
                source: source.clone(),
                faults,
            }
        })
    }
}

impl Wire {
    fn convert(self, reader: &mut Reader) -> Option<Manifest> {
        let root = Path::root();
        let name = self
            .name
            .and_then(|name| reader.parsed::<PluginName>(&name, &root.key("name")));
        let mut schema = |key: &str, schema: Option<Map<String, Value>>| {
            let schema = Value::Object(schema?);
            data_schema::check(&schema, &root.key(key), &mut reader.faults);
            Some(schema)
        };
        let inputs = schema("inputs", self.inputs);
        let outputs = schema("outputs", self.outputs);
        for name in outputs.iter().flat_map(properties).map(|(name, _)| name) {
            if let Err(fault) = Name::new(name) {
                let place = root.key("outputs").key("properties").key(name);
                reader.fault(
                    Fault::error(place, fault.to_string())
                        .on_key()
                        .help("expressions name outputs: `steps.ID.outputs.NAME`"),
                );
            }
        }
        let allow = asks(&self.allow, inputs.as_ref(), reader);
        let mut slots = BTreeMap::new();
        let mut optional_slots = BTreeSet::new();
        for (
            slot,
            WireSlot {
                description,
                optional,
            },
        ) in self.slots
        {
            match Slot::new(&slot) {
                Ok(slot) => {
                    if optional {
                        optional_slots.insert(slot.clone());
                    }
                    slots.insert(slot, description?);
                }
                Err(fault) => reader
                    .fault(Fault::error(root.key("slots").key(slot), fault.to_string()).on_key()),
            }
        }
        Some(Manifest {
            name: name?,
            version: self
                .version
                .filter(|version| (1..=64).contains(&version.chars().count()))?,
            description: self.description?,
            inputs: inputs?,
            outputs: outputs?,
            allow,
            slots,
            optional_slots,
            contract: self.contract.filter(|contract| contract == CONTRACT)?,
            wasi_http: self.wasi_http,
            compiled: Arc::default(),
        })
    }
}

/// The lines that ask for requests; each hole names an input.
fn asks(lines: &[String], inputs: Option<&Value>, reader: &mut Reader) -> Vec<Ask> {
    let known: Vec<&str> = inputs
        .into_iter()
        .flat_map(properties)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut asks = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let place = Path::root().key("allow").index(index);
        let Some(ask) = reader.take(
            Ask::parse(line).map_err(|fault| format!("this is not an allow line: {fault}")),
            &place,
        ) else {
            continue;
        };
        for hole in ask.holes() {
            if !known.contains(&hole.as_str()) {
                let fault = Fault::error(place.clone(), format!("`{{{hole}}}` names no input"))
                    .on_part(format!("{{{hole}}}"));
                reader.fault(match closest(hole.as_str(), known.iter().copied()) {
                    Some(meant) => fault.label(format!("did you mean `{{{meant}}}`?")),
                    None if known.is_empty() => fault.help("the plugin declares no inputs"),
                    None => fault.help(format!("the inputs are {}", listed(&known))),
                });
            }
        }
        asks.push(ask);
    }
    asks
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
fn compiled(
    cell: &OnceLock<Result<Arc<DataSchema>, SchemaFault>>,
    schema: &Value,
) -> Result<Arc<DataSchema>, SchemaFault> {
    cell.get_or_init(|| DataSchema::compile(schema).map(Arc::new))
        .clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_its_own_is_said_where_there_is_one_and_nowhere_else() {
        let manifest = |more: &str| {
            let text = format!(
                "name: x\nversion: 1.0.0\ndescription: X.\ncontract: {CONTRACT}\ninputs: {{ type: object }}\noutputs: {{ type: object }}\n{more}"
            );
            let name = "plugin.yaml".to_owned();
            Manifest::parse(&Source { name, text })
        };
        let packed = |more: &str| {
            let json = manifest(more).unwrap().to_json();
            let read = Manifest::from_json(json.as_bytes()).unwrap();
            (read.wasi_http, json.contains("wasi_http"))
        };
        assert_eq!(packed("wasi_http: true\n"), (true, true));
        assert_eq!(packed("wasi_http: false\n"), (false, false));
        assert_eq!(packed(""), (false, false));
        let faults = manifest("wasi_http: \"true\"\n").unwrap_err().faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}
