//! Inputs: what a runbook has to know before it runs.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value, json};

use crate::names::Name;
use crate::suggest::closest;

mod document;
mod rule;
mod wire;

pub use document::read_inputs;
pub use rule::InputRuleFault;
pub(crate) use wire::WireInput;

/// An input that a runbook declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// What expressions call it: `inputs.NAME`.
    pub name: Name,
    /// What kind of value it takes.
    pub kind: InputKind,
    /// Whether a run can't do without a value. Unless declared, exactly when there is no default.
    pub required: bool,
    /// The value where none is given.
    pub default: Option<Value>,
    /// The values that it takes; empty when any will do.
    pub one_of: Vec<Value>,
    /// A regular expression (ECMA 262, as in JSON Schema) that text must match somewhere: `^` and `$` tie it down.
    pub pattern: Option<String>,
    /// The least value of a number, the least number of characters of text or of items of a list.
    pub min: Option<f64>,
    /// The greatest value of a number, the greatest number of characters of text or of items of a list.
    pub max: Option<f64>,
    /// What it means, for whoever is asked for it.
    pub description: Option<String>,
    /// Whether its value is shown nowhere.
    pub sensitive: bool,
}

/// A kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    List,
    /// An object.
    Object,
}

/// Why a value doesn't fit an input. No value is shown: it may be sensitive.
#[derive(Debug, thiserror::Error)]
pub enum InputFault {
    /// It is of another kind.
    #[error("it must be {wanted}, and is {found}")]
    Kind {
        /// The input's kind.
        wanted: InputKind,
        /// The kind of the value, for people.
        found: &'static str,
    },
    /// Its text can't be read as the kind that it must be.
    #[error("it must be {wanted}, {}", .wanted.written())]
    Text {
        /// The input's kind.
        wanted: InputKind,
        /// What the reader of JSON says, for lists and objects.
        source: Option<serde_json::Error>,
    },
    /// It isn't one of the choices.
    #[error("it must be one of {}{}", .choices.join(", "), did_you_mean(.meant.as_deref()))]
    Choice {
        /// The choices.
        choices: Vec<String>,
        /// The one that was probably meant.
        meant: Option<String>,
    },
    /// It doesn't match the pattern.
    #[error("it must match the pattern `{0}`")]
    Pattern(String),
    /// The pattern is none, so that nothing can match it.
    #[error("its pattern `{0}` is not a regular expression")]
    BadPattern(String),
    /// It is too small.
    #[error("it must {} {bound}{}", .wanted.least(), .wanted.measure(*.bound))]
    Min {
        /// The input's kind.
        wanted: InputKind,
        /// The bound.
        bound: f64,
    },
    /// It is too large.
    #[error("it must {} {bound}{}", .wanted.most(), .wanted.measure(*.bound))]
    Max {
        /// The input's kind.
        wanted: InputKind,
        /// The bound.
        bound: f64,
    },
}

impl Input {
    /// Reads a value as it is typed, by the declared kind: text stands for itself, numbers and
    /// `true` or `false` are written plainly, lists and objects as JSON.
    ///
    /// The input's other rules are not looked at: see [`validate`](Input::validate).
    ///
    /// # Errors
    ///
    /// It can't be read as a value of that kind.
    pub fn parse_text(&self, text: &str) -> Result<Value, InputFault> {
        let wanted = self.kind;
        let trimmed = text.trim();
        let value = match self.kind {
            InputKind::String => Some(Value::String(text.to_owned())),
            InputKind::Integer => whole_number(trimmed),
            InputKind::Number => whole_number(trimmed).or_else(|| fraction(trimmed)),
            InputKind::Boolean => trimmed.parse().ok().map(Value::Bool),
            InputKind::List | InputKind::Object => {
                let value = serde_json::from_str(trimmed).map_err(|error| InputFault::Text {
                    wanted,
                    source: Some(error),
                })?;
                self.check_kind(&value)?;
                Some(value)
            }
        };
        value.ok_or(InputFault::Text {
            wanted,
            source: None,
        })
    }

    /// Checks a value against the input's kind and rules.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks.
    pub fn validate(&self, value: &Value) -> Result<(), InputFault> {
        self.check_kind(value)?;
        if !self.one_of.is_empty() && !self.one_of.contains(value) {
            let choices: Vec<String> = self.one_of.iter().map(shown).collect();
            let meant =
                closest(&shown(value), choices.iter().map(String::as_str)).map(str::to_owned);
            return Err(InputFault::Choice { choices, meant });
        }
        if let (Some(pattern), Value::String(_)) = (&self.pattern, value) {
            let matcher =
                matcher(pattern).ok_or_else(|| InputFault::BadPattern(pattern.clone()))?;
            if !matcher.is_valid(value) {
                return Err(InputFault::Pattern(pattern.clone()));
            }
        }
        let wanted = self.kind;
        match (size(value), self.min, self.max) {
            (Some(size), Some(bound), _) if size < bound => Err(InputFault::Min { wanted, bound }),
            (Some(size), _, Some(bound)) if size > bound => Err(InputFault::Max { wanted, bound }),
            _ => Ok(()),
        }
    }

    fn check_kind(&self, value: &Value) -> Result<(), InputFault> {
        if self.kind.takes(value) {
            Ok(())
        } else {
            Err(InputFault::Kind {
                wanted: self.kind,
                found: kind_of(value),
            })
        }
    }
}

impl InputKind {
    /// Whether a value is of this kind.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match self {
            InputKind::String => value.is_string(),
            InputKind::Integer => value.is_i64() || value.is_u64(),
            InputKind::Number => value.is_number(),
            InputKind::Boolean => value.is_boolean(),
            InputKind::List => value.is_array(),
            InputKind::Object => value.is_object(),
        }
    }

    /// The kind as a runbook declares it.
    pub fn as_str(self) -> &'static str {
        match self {
            InputKind::String => "string",
            InputKind::Integer => "integer",
            InputKind::Number => "number",
            InputKind::Boolean => "boolean",
            InputKind::List => "list",
            InputKind::Object => "object",
        }
    }

    /// How a value of this kind is typed.
    fn written(self) -> &'static str {
        match self {
            InputKind::String => "written as it is",
            InputKind::Integer => "such as `3`",
            InputKind::Number => "such as `1.5`",
            InputKind::Boolean => "written `true` or `false`",
            InputKind::List => "written as JSON, such as `[\"a\", \"b\"]`",
            InputKind::Object => "written as JSON, such as `{\"a\": 1}`",
        }
    }

    fn least(self) -> &'static str {
        match self {
            InputKind::String | InputKind::List => "have at least",
            _ => "be at least",
        }
    }

    fn most(self) -> &'static str {
        match self {
            InputKind::String | InputKind::List => "have at most",
            _ => "be at most",
        }
    }

    /// What `min` and `max` count, where it is this many.
    fn measure(self, bound: f64) -> &'static str {
        let is_one = bound.total_cmp(&1.0).is_eq();
        match self {
            InputKind::String if is_one => " character",
            InputKind::String => " characters",
            InputKind::List if is_one => " item",
            InputKind::List => " items",
            _ => "",
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            InputKind::String => "text",
            InputKind::Integer => "a whole number",
            InputKind::Number => "a number",
            InputKind::Boolean => "true or false",
            InputKind::List => "a list",
            InputKind::Object => "an object",
        })
    }
}

/// The values of a run's inputs, and which of them are sensitive.
#[derive(Clone, Default, PartialEq)]
pub struct Inputs {
    values: Map<String, Value>,
    sensitive: BTreeSet<Name>,
}

impl Inputs {
    /// Takes a value that was checked against its input.
    pub fn insert(&mut self, input: &Input, value: Value) {
        if input.sensitive {
            self.sensitive.insert(input.name.clone());
        }
        self.values.insert(input.name.to_string(), value);
    }

    /// The values by name, sensitive ones among them.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// A value by name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Names and values in the order of the runbook, sensitive ones among them.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.values.iter()
    }

    /// Whether the value of this name is shown nowhere.
    pub fn is_sensitive(&self, name: &str) -> bool {
        self.sensitive.contains(name)
    }

    /// The values as they may be shown: a sensitive one is the text `[sensitive]`.
    pub fn redacted(&self) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let value = if self.is_sensitive(name) {
                json!("[sensitive]")
            } else {
                value.clone()
            };
            (name.clone(), value)
        };
        self.iter().map(shown).collect()
    }
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inputs").field(&self.redacted()).finish()
    }
}

/// A pattern, as JSON Schema's engine reads it; none when it is no regular expression.
fn matcher(pattern: &str) -> Option<jsonschema::Validator> {
    jsonschema::options()
        .offline()
        .build(&json!({ "pattern": pattern }))
        .ok()
}

/// What `min` and `max` are held against.
fn size(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Some(text.chars().count() as f64),
        Value::Array(items) => Some(items.len() as f64),
        _ => None,
    }
}

fn whole_number(text: &str) -> Option<Value> {
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| text.parse::<u64>().map(Value::from))
        .ok()
}

fn fraction(text: &str) -> Option<Value> {
    text.parse()
        .ok()
        .and_then(serde_json::Number::from_f64)
        .map(Value::Number)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) if InputKind::Integer.takes(value) => "a whole number",
        Value::Number(_) => "a number with a fraction",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn did_you_mean(meant: Option<&str>) -> String {
    meant
        .map(|meant| format!("; did you mean `{meant}`?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
