//! A plugin's own JSON Schemas: of what it is told and of what it puts out.

use std::sync::OnceLock;

use jsonschema::error::ValidationError;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::fault::Fault;
use crate::misfit::{Showing, cut, listed, misfits};
use crate::path::Path;

mod plain;
mod work;

use plain::Plain;
use work::Effort;

/// A JSON Schema (2020-12) that refers to nothing outside itself, ready to be held against values.
#[derive(Debug)]
pub struct DataSchema {
    schema: Value,
    plain: Option<Plain>,
    /// How many parts it comes to.
    parts: usize,
    /// Of a plain schema, compiled when something doesn't fit it.
    compiled: OnceLock<Result<Validator, SchemaFault>>,
}

/// How many misfits of one value are told.
const MOST_TOLD: usize = 20;

/// Why a value is not a schema that a plugin can have.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it is not a JSON Schema: {0}")]
pub struct SchemaFault(String);

impl DataSchema {
    /// Reads a schema. Its regular expressions take linear time, and nothing is fetched.
    ///
    /// # Errors
    ///
    /// It is no schema, or refers to what it doesn't hold.
    pub fn compile(schema: &Value) -> Result<DataSchema, SchemaFault> {
        let read = DataSchema {
            schema: schema.clone(),
            plain: Plain::read(schema),
            parts: work::parts(schema),
            compiled: OnceLock::new(),
        };
        if read.plain.is_none() {
            read.validator().map_err(Clone::clone)?;
        }
        Ok(read)
    }

    /// Whether a value fits. One that is too large to be held against this schema doesn't.
    pub fn takes(&self, value: &Value) -> bool {
        work::effort(self.parts, value) != Effort::None && self.fits(value)
    }

    fn fits(&self, value: &Value) -> bool {
        self.plain.as_ref().is_some_and(|plain| plain.takes(value))
            || self.validator().is_ok_and(|schema| schema.is_valid(value))
    }

    /// What doesn't fit in a value, the first of it where it is much: places, and what is wrong there; empty when it
    /// fits. No value is shown, since it may be sensitive, only keys.
    pub fn misfits(&self, value: &Value) -> Vec<String> {
        self.found(value, &Path::root(), Showing::PlacesOnly, |_| true)
            .into_iter()
            .map(|fault| match fault.path.segments() {
                [] => fault.message,
                _ => format!("`{}`: {}", cut(&fault.path.to_string(), 100), fault.message),
            })
            .collect()
    }

    /// The faults of a value that lies at `root` in its document; only those that `counts` lets pass.
    pub(crate) fn faults(
        &self,
        value: &Value,
        root: &Path,
        counts: impl Fn(&ValidationError<'_>) -> bool,
    ) -> Vec<Fault> {
        self.found(value, root, Showing::Values, counts)
    }

    /// The first faults of a value.
    fn found(
        &self,
        value: &Value,
        root: &Path,
        showing: Showing,
        counts: impl Fn(&ValidationError<'_>) -> bool,
    ) -> Vec<Fault> {
        let whole = |message: String| vec![Fault::error(root.clone(), message)];
        let effort = work::effort(self.parts, value);
        if effort == Effort::None {
            return whole("it is too large to be held against its schema".to_owned());
        }
        // Most values fit, and that is found out sooner than what doesn't.
        if self.fits(value) {
            return Vec::new();
        }
        let validator = match self.validator() {
            Ok(validator) => validator,
            Err(fault) => return whole(fault.to_string()),
        };
        let errors: Vec<ValidationError<'_>> = match effort {
            Effort::Thorough => validator.iter_errors(value).filter(counts).collect(),
            _ => validator
                .validate(value)
                .err()
                .into_iter()
                .filter(counts)
                .collect(),
        };
        errors
            .iter()
            .flat_map(|error| misfits(error, &self.schema, root, showing))
            .map(|misfit| misfit.fault)
            .take(MOST_TOLD)
            .collect()
    }

    fn validator(&self) -> Result<&Validator, &SchemaFault> {
        let compile = || {
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
                .offline()
                .build(&self.schema)
                .map_err(|error| SchemaFault(error.to_string()))
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// The most memory that a compiled regular expression may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// The largest schema of a manifest, as JSON.
const LARGEST: usize = 128 * 1024;

/// Checks that a manifest's schema is one.
pub(crate) fn check(schema: &Value, place: &Path, faults: &mut Vec<Fault>) {
    let size = schema.to_string().len();
    if size > LARGEST {
        faults.push(
            Fault::error(
                place.clone(),
                format!("the schema is {size} bytes long; at most {LARGEST} are read"),
            )
            .on_key(),
        );
        return;
    }
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        let fault = Fault::error(place.clone(), "the schema is not of type `object`").on_key();
        faults.push(fault.help("write `type: object`, with the names under `properties`"));
        return;
    }
    let before = faults.len();
    check_references(schema, schema, place, faults);
    if faults.len() > before {
        return;
    }
    if let Err(too_much) = work::check(schema) {
        faults.push(Fault::error(place.clone(), too_much.to_string()).on_key());
        return;
    }
    let Err(fault) = DataSchema::compile(schema) else {
        return;
    };
    let meta = jsonschema::draft202012::meta::validator();
    let errors = meta.iter_errors(schema);
    faults.extend(errors.flat_map(|error| {
        let unknown = unknown_type(&error);
        let misfits = misfits(&error, &Value::Null, place, Showing::Values);
        misfits.into_iter().map(move |misfit| match &unknown {
            Some(message) => Fault {
                message: message.clone(),
                ..misfit.fault
            },
            None => misfit.fault,
        })
    }));
    if faults.len() == before {
        faults.push(Fault::error(place.clone(), fault.to_string()).on_key());
    }
}

/// That a `type` is none, in words.
fn unknown_type(error: &ValidationError<'_>) -> Option<String> {
    let Value::String(name) = error.instance().as_ref() else {
        return None;
    };
    let types = [
        "string", "integer", "number", "boolean", "array", "object", "null",
    ];
    let is_type = error.instance_path().as_str().ends_with("/type");
    is_type.then(|| format!("`{name}` is not a type; the types are {}", listed(types)))
}

/// A schema holds all that it refers to.
fn check_references(root: &Value, schema: &Value, place: &Path, faults: &mut Vec<Fault>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                let place = place.key(key);
                match (key.as_str(), value.as_str()) {
                    ("$ref" | "$dynamicRef", Some(reference)) if !reference.starts_with('#') => {
                        let fault =
                            Fault::error(place, format!("`{reference}` lies outside the schema"));
                        faults.push(
                            fault.help("refer to `#/$defs/NAME`, and put what is meant there"),
                        );
                    }
                    ("$ref", Some(reference))
                        if reference[1..].starts_with('/')
                            && root.pointer(&reference[1..]).is_none() =>
                    {
                        faults.push(Fault::error(
                            place,
                            format!("the schema has no `{reference}`"),
                        ));
                    }
                    ("$schema", Some(draft))
                        if draft != "https://json-schema.org/draft/2020-12/schema" =>
                    {
                        let fault =
                            Fault::error(place, format!("`{draft}` is not the draft that is read"));
                        faults.push(fault.help("write it in draft 2020-12, or remove `$schema`"));
                    }
                    _ => check_references(root, value, &place, faults),
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| {
                check_references(root, item, &place.index(index), faults);
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn misfits_are_told_with_their_places() {
        let schema = DataSchema::compile(&json!({
            "type": "object", "additionalProperties": false, "required": ["url"],
            "properties": { "url": { "type": "string" }, "rules": { "type": "array", "items": { "type": "integer" } } },
        }));
        let misfits = schema
            .unwrap()
            .misfits(&json!({ "rules": [1, "x"], "y": 1 }));
        assert_eq!(
            misfits,
            [
                "`rules[1]`: expected a whole number, found text",
                "`y`: unknown key `y`",
                "`url` is missing"
            ]
        );
    }

    #[test]
    fn what_doesnt_fit_a_thousand_times_over_is_told_some_times() {
        let all_of = vec![json!({ "type": "string" }); 2_000];
        let schema =
            json!({ "type": "object", "properties": { "xs": { "items": { "allOf": all_of } } } });
        let schema = DataSchema::compile(&schema).unwrap();
        let xs = |number: usize| json!({ "xs": vec![0; number] });
        assert_eq!(schema.misfits(&xs(40)).len(), MOST_TOLD);
        // Here all of them would be millions.
        assert_eq!(schema.misfits(&xs(10_000)).len(), 1);
        let refused = schema.misfits(&xs(500_000));
        assert_eq!(refused, ["it is too large to be held against its schema"]);
        assert!(!schema.takes(&xs(500_000)));

        let closed = json!({ "type": "object", "properties": { "known": {} }, "additionalProperties": false });
        let schema = DataSchema::compile(&closed).unwrap();
        let key = |number: usize| format!("{number}{}", "x".repeat(1_000));
        let many: Value = (0..500).map(|number| (key(number), json!(0))).collect();
        let misfits = schema.misfits(&many);
        assert_eq!(misfits.len(), MOST_TOLD);
        assert!(misfits.iter().all(|said| said.len() < 400), "{misfits:?}");
    }
}
