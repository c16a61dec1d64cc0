//! Schemas of a plain kind, which need no compiling.
//!
//! The JSON Schema engine compiles the schema of schemas before it looks at the first of ours, which takes
//! longer than all the rest of checking a short runbook. Most plugins' schemas say little: types, properties,
//! lists, choices, bounds. Such a schema is read here into a form that can't be wrong, and values are held
//! against that. Here is only yes or perhaps: what is no plain schema, and what doesn't fit one, is the engine's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Number, Value};

/// A schema that says nothing but what has a field here, or what is said to people only.
#[derive(Debug, Default)]
pub(super) struct Plain {
    types: Option<Vec<Type>>,
    choices: Option<Vec<Value>>,
    properties: BTreeMap<String, Plain>,
    more: More,
    required: BTreeSet<String>,
    items: Option<Box<Plain>>,
    value: Bounds<f64>,
    length: Bounds<u64>,
    count: Bounds<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// `additionalProperties`.
#[derive(Debug, Default)]
enum More {
    #[default]
    Anything,
    Nothing,
    Each(Box<Plain>),
}

#[derive(Debug, Default)]
struct Bounds<T> {
    least: Option<T>,
    most: Option<T>,
}

impl Plain {
    /// Reads a schema (2020-12); none where it isn't plain, or no schema at all.
    pub(super) fn read(schema: &Value) -> Option<Plain> {
        let mut plain = Plain::default();
        for (key, value) in schema.as_object()? {
            match key.as_str() {
                "type" => plain.types = Some(types(value)?),
                "enum" => plain.choices = Some(value.as_array()?.clone()),
                "properties" => {
                    for (name, below) in value.as_object()? {
                        plain.properties.insert(name.clone(), Plain::read(below)?);
                    }
                }
                "additionalProperties" => {
                    plain.more = match value {
                        Value::Bool(true) => More::Anything,
                        Value::Bool(false) => More::Nothing,
                        each => More::Each(Box::new(Plain::read(each)?)),
                    }
                }
                "required" => {
                    for name in value.as_array()? {
                        if !plain.required.insert(name.as_str()?.to_owned()) {
                            return None;
                        }
                    }
                }
                "items" => plain.items = Some(Box::new(Plain::read(value)?)),
                "minimum" => plain.value.least = Some(exact(value.as_number()?)?),
                "maximum" => plain.value.most = Some(exact(value.as_number()?)?),
                "minLength" => plain.length.least = Some(value.as_u64()?),
                "maxLength" => plain.length.most = Some(value.as_u64()?),
                "minItems" => plain.count.least = Some(value.as_u64()?),
                "maxItems" => plain.count.most = Some(value.as_u64()?),
                // A format is a word for people in this draft: the engine doesn't look at it either.
                "title" | "description" | "format" if value.is_string() => {}
                "default" | "sensitive" => {}
                _ => return None,
            }
        }
        Some(plain)
    }

    /// Whether a value surely fits.
    pub(super) fn takes(&self, value: &Value) -> bool {
        let is_one = |types: &Vec<Type>| types.iter().any(|wanted| wanted.takes(value));
        self.types.as_ref().is_none_or(is_one)
            && self
                .choices
                .as_ref()
                .is_none_or(|choices| choices.contains(value))
            && match value {
                Value::Number(number) => {
                    self.value.is_open()
                        || exact(number).is_some_and(|number| self.value.take(&number))
                }
                Value::String(text) => {
                    self.length.is_open() || self.length.take(&(text.chars().count() as u64))
                }
                Value::Array(items) => {
                    let takes = |each: &Plain| items.iter().all(|item| each.takes(item));
                    self.count.take(&(items.len() as u64))
                        && self.items.as_deref().is_none_or(takes)
                }
                Value::Object(object) => {
                    self.required.iter().all(|name| object.contains_key(name))
                        && object.iter().all(|(name, value)| self.holds(name, value))
                }
                Value::Null | Value::Bool(_) => true,
            }
    }

    /// Whether an object may hold this.
    fn holds(&self, name: &str, value: &Value) -> bool {
        match (self.properties.get(name), &self.more) {
            (Some(property), _) => property.takes(value),
            (None, More::Anything) => true,
            (None, More::Nothing) => false,
            (None, More::Each(each)) => each.takes(value),
        }
    }
}

impl Type {
    fn parse(name: &str) -> Option<Type> {
        Some(match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "integer" => Type::Integer,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => Type::Array,
            "object" => Type::Object,
            _ => return None,
        })
    }

    fn takes(self, value: &Value) -> bool {
        match self {
            Type::Null => value.is_null(),
            Type::Boolean => value.is_boolean(),
            // That `1.0` is one as well is left to the engine.
            Type::Integer => value.is_i64() || value.is_u64(),
            Type::Number => value.is_number(),
            Type::String => value.is_string(),
            Type::Array => value.is_array(),
            Type::Object => value.is_object(),
        }
    }
}

impl<T: PartialOrd> Bounds<T> {
    fn is_open(&self) -> bool {
        self.least.is_none() && self.most.is_none()
    }

    fn take(&self, size: &T) -> bool {
        self.least.as_ref().is_none_or(|least| size >= least)
            && self.most.as_ref().is_none_or(|most| size <= most)
    }
}

/// One type, or several that differ.
fn types(value: &Value) -> Option<Vec<Type>> {
    let Value::Array(names) = value else {
        return Some(vec![Type::parse(value.as_str()?)?]);
    };
    let mut types = Vec::new();
    for name in names {
        let wanted = Type::parse(name.as_str()?)?;
        if types.contains(&wanted) {
            return None;
        }
        types.push(wanted);
    }
    (!types.is_empty()).then_some(types)
}

/// A number that a float holds as it is.
fn exact(number: &Number) -> Option<f64> {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    number
        .as_f64()
        .filter(|float| number.is_f64() || float.abs() < WHOLE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn engine(schema: &Value) -> Option<jsonschema::Validator> {
        jsonschema::draft202012::options()
            .offline()
            .build(schema)
            .ok()
    }

    #[test]
    fn a_plain_schema_says_what_the_engine_says() {
        let schemas = [
            json!({}),
            json!({ "type": "object" }),
            json!({ "type": ["integer", "null"] }),
            json!({ "type": "number", "minimum": 1, "maximum": 2.5 }),
            json!({ "minimum": 0, "minLength": 2, "maxItems": 1 }),
            json!({ "type": "string", "minLength": 1, "maxLength": 2, "format": "uri" }),
            json!({ "enum": ["a", 1, null] }),
            json!({ "enum": [] }),
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }),
            json!({ "properties": { "a": {} }, "additionalProperties": false }),
            json!({ "additionalProperties": { "type": "array", "items": { "type": "boolean" } } }),
        ];
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(1),
            json!(-3),
            json!(2.5),
            json!(u64::MAX),
            json!(""),
            json!("a"),
            json!("üü"),
            json!("aaa"),
            json!([]),
            json!(["a"]),
            json!([1, true]),
            json!({}),
            json!({ "a": "x" }),
            json!({ "a": 1 }),
            json!({ "a": [true] }),
            json!({ "b": [] }),
        ];
        for schema in &schemas {
            let plain = Plain::read(schema).unwrap();
            let engine = engine(schema).unwrap();
            for value in &values {
                // Beyond what a float holds exactly, the engine is asked.
                let is_huge = value.as_u64() == Some(u64::MAX) && !plain.value.is_open();
                assert_eq!(
                    plain.takes(value),
                    engine.is_valid(value) && !is_huge,
                    "{schema} {value}"
                );
            }
        }
        assert!(
            !Plain::read(&json!({ "type": "integer" }))
                .unwrap()
                .takes(&json!(1.0))
        );
        assert!(
            !Plain::read(&json!({ "enum": [1] }))
                .unwrap()
                .takes(&json!(1.0))
        );
    }

    #[test]
    fn what_is_no_schema_is_not_plain() {
        for (key, values) in [
            (
                "type",
                vec![
                    json!("strng"),
                    json!(7),
                    json!([]),
                    json!(["string", "string"]),
                    json!(["x"]),
                ],
            ),
            ("enum", vec![json!(3), json!({})]),
            (
                "properties",
                vec![
                    json!([]),
                    json!({ "a": 7 }),
                    json!({ "a": { "type": "x" } }),
                ],
            ),
            (
                "additionalProperties",
                vec![json!(7), json!("no"), json!({ "items": 1 })],
            ),
            ("required", vec![json!("a"), json!([1]), json!(["a", "a"])]),
            ("items", vec![json!(7), json!([{}])]),
            ("minimum", vec![json!("1"), json!(null)]),
            ("maximum", vec![json!(true)]),
            ("minLength", vec![json!(-1), json!(1.5), json!("1")]),
            ("maxLength", vec![json!({})]),
            ("minItems", vec![json!("x")]),
            ("maxItems", vec![json!(-7)]),
            ("title", vec![json!(7)]),
            ("description", vec![json!(["x"])]),
            ("format", vec![json!(1)]),
        ] {
            for value in values {
                let schema = json!({ "type": "object", key: value });
                assert!(engine(&schema).is_none(), "{schema}");
                assert!(Plain::read(&schema).is_none(), "{schema}");
            }
        }
        for beyond in [
            json!(true),
            json!({ "pattern": "a" }),
            json!({ "$ref": "#" }),
            json!({ "not": {} }),
        ] {
            assert!(Plain::read(&beyond).is_none(), "{beyond}");
        }
    }
}
