//! From JSON to MiniJinja's values, and back.

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::{Map, Number, Value as Json};

/// The largest result of an expression, counted as its JSON text.
pub(crate) const LARGEST_RESULT: usize = 8 * 1024 * 1024;
const DEEPEST_RESULT: usize = 100;

/// How large a value is, counted as results are.
pub(crate) fn weight(json: &Json) -> usize {
    let own = match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(weight).sum(),
        Json::Object(object) => object
            .iter()
            .map(|(name, item)| name.len() + weight(item))
            .sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    4 + own
}

/// Why a value can't be JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum JsonFault {
    #[error("it is undefined")]
    Undefined,
    #[error("it is larger than {LARGEST_RESULT} bytes")]
    TooLarge,
    #[error("it is nested too deeply")]
    TooDeep,
    #[error("it holds {0}, which JSON can't say")]
    NotJson(&'static str),
}

/// A JSON value for MiniJinja.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(from_json).collect(),
        Json::Object(object) => Value::from_pairs(
            object
                .iter()
                .map(|(key, value)| (key.as_str(), from_json(value))),
        ),
    }
}

/// A value as JSON: whole numbers stay whole, and nothing that is undefined is passed over.
pub(super) fn to_json(value: &Value) -> Result<Json, JsonFault> {
    Writer {
        left: LARGEST_RESULT,
    }
    .write(value, DEEPEST_RESULT)
}

struct Writer {
    left: usize,
}

impl Writer {
    fn write(&mut self, value: &Value, depth: usize) -> Result<Json, JsonFault> {
        let depth = depth.checked_sub(1).ok_or(JsonFault::TooDeep)?;
        self.spend(4)?;
        match value.kind() {
            ValueKind::Undefined => Err(JsonFault::Undefined),
            ValueKind::None => Ok(Json::Null),
            ValueKind::Bool => Ok(Json::Bool(value.is_true())),
            ValueKind::Number => number(value)
                .map(Json::Number)
                .ok_or(JsonFault::NotJson("a number")),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                self.spend(text.len())?;
                Ok(Json::String(text.to_owned()))
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let mut list = Vec::new();
                for item in items(value)? {
                    list.push(self.write(&item, depth)?);
                }
                Ok(Json::Array(list))
            }
            ValueKind::Map => {
                let mut map = Map::new();
                for key in items(value)? {
                    let name = key
                        .as_str()
                        .ok_or(JsonFault::NotJson("a key that is not text"))?;
                    self.spend(name.len())?;
                    let item = value.get_item(&key).map_err(|_| JsonFault::Undefined)?;
                    map.insert(name.to_owned(), self.write(&item, depth)?);
                }
                Ok(Json::Object(map))
            }
            ValueKind::Bytes => Err(JsonFault::NotJson("bytes")),
            _ => Err(JsonFault::NotJson("something that is not data")),
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), JsonFault> {
        self.left = self.left.checked_sub(bytes).ok_or(JsonFault::TooLarge)?;
        Ok(())
    }
}

fn items(value: &Value) -> Result<impl Iterator<Item = Value>, JsonFault> {
    value
        .try_iter()
        .map_err(|_| JsonFault::NotJson("something that is not data"))
}

fn number(value: &Value) -> Option<Number> {
    if value.is_integer() {
        i64::try_from(value.clone())
            .map(Number::from)
            .or_else(|_| u64::try_from(value.clone()).map(Number::from))
            .ok()
    } else {
        f64::try_from(value.clone()).ok().and_then(Number::from_f64)
    }
}
