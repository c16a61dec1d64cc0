//! From a document's text to its value. What YAML allows and a runbook doesn't is refused here: tags,
//! keys that aren't text or that come twice, several documents, and sizes out of proportion.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer as _, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde_json::{Map, Number, Value};

use crate::fault::{Fault, Report};
use crate::path::{Path, Segment};
use crate::source::Source;
use crate::spans::Spans;

mod syntax;

/// The largest document that is read, in bytes: 1 MiB.
pub const LARGEST_DOCUMENT: usize = 1 << 20;
/// How deep a document may nest.
const DEPTH: usize = 64;
/// How many values a document may have once its aliases are filled in.
const VALUES: usize = 100_000;
/// How long all its texts may be together, in bytes, once its aliases are filled in.
const TEXTS: usize = 8 << 20;
/// How much of a key that isn't text is shown, in characters.
const SHOWN_KEY: usize = 60;

/// Reads a document of another kind than a project's own, by the same rules: nothing comes twice, and nothing is out of
/// proportion.
///
/// # Errors
///
/// Everything that is wrong with it as YAML; of syntax errors only the first.
pub fn read_document(source: &Source) -> Result<Value, Report> {
    parse(source).map_err(|faults| Report {
        source: source.clone(),
        faults,
    })
}

/// Reads a document. A mapping's keys keep their order.
///
/// # Errors
///
/// Everything that is wrong with it as YAML; of syntax errors only the first.
pub(crate) fn parse(source: &Source) -> Result<Value, Vec<Fault>> {
    let text = &source.text;
    if text.len() > LARGEST_DOCUMENT {
        let fault = Fault::error(
            Path::root(),
            format!("the document is {} bytes long", text.len()),
        );
        return Err(vec![
            Fault {
                span: Some(0..0),
                ..fault
            }
            .help(format!("at most {LARGEST_DOCUMENT} bytes are read")),
        ]);
    }
    if let Some(at) = syntax::opened_without_end(text) {
        let fault = Fault::error(Path::root(), "values are nested too deep");
        return Err(vec![Fault {
            span: Some(at),
            ..fault
        }]);
    }
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let document = documents.next().ok_or_else(|| vec![empty()])?;
    let reading = Reading::default();
    let value = document
        .deserialize_any(Build {
            reading: &reading,
            trail: &Trail::Root,
            depth: 0,
        })
        .map_err(|error| vec![syntax::fault(text, &error)])?;
    let mut faults = reading.faults.into_inner();
    if value.is_null() && faults.is_empty() {
        return Err(vec![empty()]);
    }
    if documents.next().is_some() {
        faults.push(syntax::several_documents(text));
    }
    if faults.is_empty() {
        Ok(value)
    } else {
        Err(placed(text, faults))
    }
}

fn empty() -> Fault {
    Fault::error(Path::root(), "the document is empty")
        .help("`sandbook init DIR` makes a project with one of each kind to start from")
}

/// A key that comes twice is shown where it comes the second time.
fn placed(text: &str, mut faults: Vec<Fault>) -> Vec<Fault> {
    let spans = Spans::of(text);
    for fault in faults
        .iter_mut()
        .filter(|fault| fault.message.starts_with(TWICE))
    {
        fault.span = spans.repeated(&fault.path);
    }
    faults
}

const TWICE: &str = "duplicate key";

#[derive(Debug, Default)]
struct Reading {
    faults: RefCell<Vec<Fault>>,
    values: Cell<usize>,
    texts: Cell<usize>,
}

impl Reading {
    fn fault(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }
}

/// The way down to a value; a path is made of it only for a fault.
enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut at = self;
        loop {
            at = match at {
                Trail::Root => break,
                Trail::Key(parent, key) => {
                    segments.push(Segment::Key((*key).to_owned()));
                    parent
                }
                Trail::Index(parent, index) => {
                    segments.push(Segment::Index(*index));
                    parent
                }
            };
        }
        segments.into_iter().rev().collect()
    }
}

#[derive(Clone, Copy)]
struct Build<'a> {
    reading: &'a Reading,
    trail: &'a Trail<'a>,
    depth: usize,
}

impl<'a> Build<'a> {
    fn below(self, trail: &'a Trail<'a>) -> Build<'a> {
        Build {
            trail,
            depth: self.depth + 1,
            ..self
        }
    }

    fn count<E: de::Error>(self) -> Result<(), E> {
        if self.depth > DEPTH {
            return Err(E::custom(format!(
                "values are nested more than {DEPTH} deep"
            )));
        }
        self.reading.values.set(self.reading.values.get() + 1);
        if self.reading.values.get() > VALUES {
            return Err(E::custom(format!(
                "the document has more than {VALUES} values, aliases filled in"
            )));
        }
        Ok(())
    }

    /// Counts a text. An alias says a long one in two letters.
    fn text<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.reading
            .texts
            .set(self.reading.texts.get() + text.len());
        if self.reading.texts.get() > TEXTS {
            return Err(E::custom(format!(
                "the document's texts come to more than {TEXTS} bytes, aliases filled in"
            )));
        }
        Ok(())
    }

    fn refuse(self, message: impl Into<String>, help: &str) -> Value {
        self.reading
            .fault(Fault::error(self.trail.path(), message).help(help));
        Value::Null
    }
}

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(self.refuse(
            format!("number `{value}` is too large"),
            "put it in quotes to make it text",
        ))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(self.refuse(
            format!("number `{value}` is too large"),
            "put it in quotes to make it text",
        ))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or_else(
            || {
                self.refuse(
                    "this number is not finite",
                    "put it in quotes to make it text",
                )
            },
            Value::Number,
        ))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        self.text(&value)?;
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            items.next_element_seed(self.below(&Trail::Index(self.trail, list.len())))?
        {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key(self.reading))? {
            let key = match key {
                Ok(text) => text,
                Err(other) => {
                    let other = shortened(&other);
                    let path = self.trail.path().key(&other);
                    let fault = Fault::error(path, format!("key `{other}` is not text")).on_key();
                    self.reading
                        .fault(fault.help(format!("put it in quotes: `\"{other}\"`")));
                    other
                }
            };
            let value = entries.next_value_seed(self.below(&Trail::Key(self.trail, &key)))?;
            if map.contains_key(&key) {
                let fault = Fault::error(self.trail.path().key(&key), format!("{TWICE} `{key}`"));
                self.reading
                    .fault(fault.on_key().help("keep one of the two"));
            } else {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (tag, content) = data.variant::<String>()?;
        self.refuse(
            format!("tag `!{}` is not supported", tag.trim_start_matches('!')),
            "remove the tag",
        );
        content.newtype_variant_seed(self)
    }
}

/// A mapping's key, counted with the rest of the document; an error where it isn't text, which holds how it reads.
struct Key<'a>(&'a Reading);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Result<String, String>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        // A key of a key matters to nobody: what is wrong inside is not kept.
        let known = self.0.faults.borrow().len();
        let build = Build {
            reading: self.0,
            trail: &Trail::Root,
            depth: DEPTH - 4,
        };
        let key = build.deserialize(deserializer)?;
        self.0.faults.borrow_mut().truncate(known);
        Ok(match key {
            Value::String(text) => Ok(text),
            Value::Null => Err("null".to_owned()),
            other => Err(other.to_string()),
        })
    }
}

fn shortened(key: &str) -> String {
    match key.char_indices().nth(SHOWN_KEY) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Value, Vec<String>> {
        let source = Source {
            name: "test.yaml".to_owned(),
            text: text.to_owned(),
        };
        parse(&source).map_err(|faults| faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn values_keep_their_types_and_keys_their_order() {
        let value = read("b: yes\na: [1, 2.5, true, null, '7', 0x10]\n").unwrap();
        assert_eq!(
            value,
            json!({ "b": "yes", "a": [1, 2.5, true, null, "7", 16] })
        );
        assert_eq!(
            value.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["b", "a"]
        );
    }

    #[test]
    fn all_that_yaml_allows_and_a_runbook_does_not_is_told_at_once() {
        let faults =
            read("a: 1\na: 2\n8080: x\nb: !secret y\nc: { d: 1, d: 2 }\ne: .inf\n").unwrap_err();
        assert_eq!(
            faults,
            [
                "duplicate key `a`",
                "key `8080` is not text",
                "tag `!secret` is not supported",
                "duplicate key `d`",
                "this number is not finite",
            ]
        );
    }

    #[test]
    fn aliases_are_filled_in_within_bounds() {
        assert_eq!(
            read("a: &x [1]\nb: *x\n").unwrap(),
            json!({ "a": [1], "b": [1] })
        );
        let mut bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
        for level in 1..9 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!(
                "a{level}: &a{level} [{}]\n",
                [before.as_str(); 10].join(", ")
            ));
        }
        assert_eq!(read(&bomb).unwrap_err().len(), 1);
        assert_eq!(read(&"[".repeat(10_000)).unwrap_err().len(), 1);
        assert_eq!(
            read(&"x".repeat(LARGEST_DOCUMENT + 1)).unwrap_err(),
            [format!(
                "the document is {} bytes long",
                LARGEST_DOCUMENT + 1
            )]
        );
    }

    #[test]
    fn one_document_is_wanted() {
        assert_eq!(read("").unwrap_err(), ["the document is empty"]);
        assert_eq!(read("# nothing\n").unwrap_err(), ["the document is empty"]);
        assert_eq!(
            read("a: 1\n---\nb: 2\n").unwrap_err(),
            ["a second document begins here"]
        );
    }
}
