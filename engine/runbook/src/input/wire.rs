//! An input as the document has it, and its conversion.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::Value;

use super::{Input, InputKind};
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::names::Name;
use crate::path::Path;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireInput {
    #[serde(rename = "type")]
    kind: Option<WireKind>,
    description: Option<String>,
    required: Option<bool>,
    default: Option<Value>,
    #[serde(rename = "enum")]
    one_of: Option<Vec<Value>>,
    pattern: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    sensitive: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireKind {
    String,
    Integer,
    Number,
    Boolean,
    List,
    Object,
}

impl WireInput {
    /// The words for the kinds of values.
    pub(crate) const TYPES: [&str; 6] =
        ["string", "integer", "number", "boolean", "list", "object"];

    /// An input of which only the type is said; none where the word is no type.
    pub(crate) fn of_type(word: &str) -> Option<WireInput> {
        let kind =
            WireKind::deserialize(IntoDeserializer::<Error>::into_deserializer(word)).ok()?;
        Some(WireInput {
            kind: Some(kind),
            ..WireInput::default()
        })
    }

    pub(crate) fn convert(self, name: &str, place: &Path, reader: &mut Reader) -> Option<Input> {
        let name = Name::new(name)
            .map_err(|fault| reader.fault(Fault::error(place.clone(), fault.to_string()).on_key()));
        let kind = match self.kind? {
            WireKind::String => InputKind::String,
            WireKind::Integer => InputKind::Integer,
            WireKind::Number => InputKind::Number,
            WireKind::Boolean => InputKind::Boolean,
            WireKind::List => InputKind::List,
            WireKind::Object => InputKind::Object,
        };
        if self.one_of.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        Some(Input {
            name: name.ok()?,
            kind,
            required: self.required.unwrap_or(self.default.is_none()),
            default: self.default,
            one_of: self.one_of.unwrap_or_default(),
            pattern: self.pattern,
            min: self.min,
            max: self.max,
            description: self.description,
            sensitive: self.sensitive,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_for_a_type_is_one() {
        for word in WireInput::TYPES {
            assert!(WireInput::of_type(word).is_some(), "{word}");
        }
        assert!(WireInput::of_type("text").is_none());
    }
}
