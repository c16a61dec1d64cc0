//! How much work a schema can make: bounded before it is compiled or held against anything.
//!
//! A schema is a program. One that refers to itself may never end, and one whose references refer to others, twice
//! each, doubles the work with every line. So what a plugin's author writes is looked through first.

use std::collections::HashMap;

use serde_json::Value;

/// The most parts of a schema, each reference counted as what it refers to.
const MOST_PARTS: usize = 4_096;

/// What a regular expression counts as: it takes memory, and time to compile.
const PATTERN_PARTS: usize = 40;

/// How many choices of a list count as a part.
const CHOICES: usize = 8;

/// How deep references may refer to references.
const DEEPEST: usize = 32;

/// The most work that holding a value against a schema may be: parts of the schema, times what the value weighs. Some
/// tenths of a second.
const MOST_WORK: u64 = 1 << 25;

/// The most work for which all that doesn't fit is looked for, since all of it is found before the first is told.
/// Beyond that it is the first misfit alone.
const MOST_THOROUGH: u64 = 1 << 17;

/// How many bytes of text weigh as much as a value.
const TEXT: usize = 32;

/// How thoroughly a value may be held against a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// All that doesn't fit may be looked for.
    Thorough,
    /// The first misfit has to do.
    Brief,
    /// It is too much work to begin with.
    None,
}

/// How thoroughly a value may be held against a schema that comes to so many parts.
pub(super) fn effort(parts: usize, value: &Value) -> Effort {
    let work = (parts as u64).saturating_mul(weight(value) as u64);
    if work <= MOST_THOROUGH {
        Effort::Thorough
    } else if work <= MOST_WORK {
        Effort::Brief
    } else {
        Effort::None
    }
}

fn weight(value: &Value) -> usize {
    1 + match value {
        Value::String(text) => text.len() / TEXT,
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| key.len() / TEXT + weight(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// How many parts a schema comes to once its references are followed. One that can't be counted comes to the most.
pub(super) fn parts(schema: &Value) -> usize {
    count(schema).unwrap_or(MOST_PARTS)
}

/// Why a schema makes too much work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMuch {
    #[error("the schema refers to itself by `{0}`, and might be read without end")]
    Endless(String),
    #[error("the schema's references refer to each other more than {DEEPEST} deep")]
    Deep,
    #[error("the schema comes to more than {MOST_PARTS} parts once its references are followed")]
    Large,
    #[error("`{0}` isn't read here: refer to `#/$defs/NAME`, and put what is meant there")]
    Other(String),
}

/// Checks that work with a schema is bounded.
pub(super) fn check(schema: &Value) -> Result<(), TooMuch> {
    match count(schema)? {
        0..=MOST_PARTS => Ok(()),
        _ => Err(TooMuch::Large),
    }
}

fn count(schema: &Value) -> Result<usize, TooMuch> {
    let mut look = Look {
        root: schema,
        within: Vec::new(),
        known: HashMap::new(),
    };
    look.parts(schema, true)
}

struct Look<'a> {
    root: &'a Value,
    /// The references that are being followed.
    within: Vec<&'a str>,
    /// What references come to that were followed before.
    known: HashMap<&'a str, usize>,
}

impl<'a> Look<'a> {
    fn parts(&mut self, schema: &'a Value, is_root: bool) -> Result<usize, TooMuch> {
        let mut parts = 1_usize;
        match schema {
            Value::Object(map) => {
                for (key, value) in map {
                    let more = match (key.as_str(), value) {
                        ("$ref", Value::String(to)) => self.follow(to)?,
                        (
                            "$dynamicRef" | "$recursiveRef" | "$anchor" | "$dynamicAnchor",
                            Value::String(_),
                        ) => {
                            return Err(TooMuch::Other(key.clone()));
                        }
                        ("$id", Value::String(_)) if !is_root => {
                            return Err(TooMuch::Other(key.clone()));
                        }
                        ("pattern", Value::String(_)) => PATTERN_PARTS,
                        ("patternProperties", Value::Object(patterns)) => {
                            patterns.len() * PATTERN_PARTS + self.parts(value, false)?
                        }
                        (_, value) => self.parts(value, false)?,
                    };
                    parts = parts.saturating_add(more);
                }
            }
            Value::Array(items) => {
                for item in items {
                    parts = parts.saturating_add(self.parts(item, false)?);
                }
                // A value is compared with all choices of a list.
                parts = parts.saturating_add(items.len() / CHOICES);
            }
            // Words and numbers make no work of their own.
            _ => return Ok(0),
        }
        Ok(parts)
    }

    fn follow(&mut self, to: &'a str) -> Result<usize, TooMuch> {
        if let Some(&parts) = self.known.get(to) {
            return Ok(parts);
        }
        if self.within.contains(&to) || to == "#" {
            return Err(TooMuch::Endless(to.to_owned()));
        }
        if self.within.len() == DEEPEST {
            return Err(TooMuch::Deep);
        }
        // Percent signs would be read in two ways.
        let target = to.strip_prefix('#').filter(|to| !to.contains('%'));
        let target = target.and_then(|to| self.root.pointer(to));
        let target = target.ok_or_else(|| TooMuch::Other(format!("$ref: {to}")))?;
        self.within.push(to);
        let parts = self.parts(target, false)?;
        self.within.pop();
        self.known.insert(to, parts);
        Ok(parts)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// A schema whose definitions each refer so often to the next.
    fn chain(length: usize, times: usize) -> Value {
        let definitions: Map<String, Value> = (0..length)
            .map(|n| {
                let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
                (format!("d{n}"), json!({ "allOf": vec![next; times] }))
            })
            .chain([(format!("d{length}"), json!({ "type": "string" }))])
            .collect();
        json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } }, "$defs": definitions })
    }

    #[test]
    fn references_may_be_used_and_shared() {
        let address = json!({ "type": "object", "properties": { "city": { "type": "string", "pattern": "^[a-z]+$" } } });
        let schema = json!({
            "$id": "https://example.com/it", "type": "object", "$defs": { "address": address },
            "properties": { "from": { "$ref": "#/$defs/address" }, "to": { "$ref": "#/$defs/address" } },
        });
        assert_eq!(check(&schema), Ok(()));
        assert_eq!(check(&chain(10, 1)), Ok(()));
    }

    #[test]
    fn what_never_ends_is_refused() {
        for schema in [
            json!({ "type": "object", "$ref": "#" }),
            json!({ "type": "object", "allOf": [{ "$ref": "#/$defs/a" }], "$defs": { "a": { "$ref": "#/$defs/a" } } }),
            json!({ "type": "object", "properties": { "a": { "$ref": "#/properties/a" } } }),
        ] {
            assert!(
                matches!(check(&schema), Err(TooMuch::Endless(_))),
                "{schema}"
            );
        }
    }

    #[test]
    fn what_doubles_with_every_line_is_refused() {
        assert_eq!(check(&chain(30, 2)), Err(TooMuch::Large));
        assert_eq!(check(&chain(5_000, 1)), Err(TooMuch::Deep));
        let patterns: Map<String, Value> = (0..200)
            .map(|n| (format!("p{n}"), json!({ "pattern": "\\w{1,60}" })))
            .collect();
        let schema = json!({ "type": "object", "properties": patterns });
        assert_eq!(check(&schema), Err(TooMuch::Large));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for schema in [
            json!({ "$dynamicRef": "#a" }),
            json!({ "properties": { "a": { "$id": "https://x.example/", "$ref": "#/b" } } }),
            json!({ "$ref": "#a", "$defs": { "b": { "$anchor": "a" } } }),
            json!({ "$ref": "#/$defs/a%62", "$defs": { "a%62": {}, "ab": {} } }),
        ] {
            assert!(matches!(check(&schema), Err(TooMuch::Other(_))), "{schema}");
        }
    }
}
