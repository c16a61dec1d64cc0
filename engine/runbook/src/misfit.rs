//! What a JSON Schema says about a value, in words that say what to do.

use std::borrow::Cow;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::paths::Location;
use jsonschema::paths::LocationSegment;
use serde_json::Value;

use crate::fault::Fault;
use crate::path::{Path, Segment};
use crate::suggest::closest;

/// Something in a value that doesn't fit its schema.
#[derive(Debug)]
pub(crate) struct Misfit {
    pub(crate) what: What,
    pub(crate) fault: Fault,
}

/// What doesn't fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A key is missing from the mapping at the fault's place.
    Missing,
    /// The key at the fault's place is not one of those that there are.
    UnknownKey,
    /// The value at the fault's place.
    Value,
}

/// Whether messages show the values that they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// They do: the values stand in the document.
    Values,
    /// They don't: the values may be sensitive.
    PlacesOnly,
}

/// How many of a mapping's unknown keys are told.
const MOST_KEYS: usize = 20;

/// What an error means, for a value that lies at `root` in its document.
pub(crate) fn misfits(
    error: &ValidationError<'_>,
    schema: &Value,
    root: &Path,
    showing: Showing,
) -> Vec<Misfit> {
    let place = located(root, error.instance_path());
    let around = Around::new(schema, error.schema_path());
    let value = error.instance().as_ref();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let known = around.keys();
            let unknown = |key: &String| Misfit {
                what: What::UnknownKey,
                fault: unknown_key(place.key(key), key, &known),
            };
            unexpected.iter().take(MOST_KEYS).map(unknown).collect()
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            let help = around
                .description_of(key)
                .map(|said| format!("`{key}`: {said}"));
            let fault = Fault::error(place, format!("`{key}` is missing"))
                .on_key()
                .help_if(help);
            vec![Misfit {
                what: What::Missing,
                fault,
            }]
        }
        kind => vec![Misfit {
            what: What::Value,
            fault: value_fault(kind, value, place, &around, showing),
        }],
    }
}

fn value_fault(
    kind: &ValidationErrorKind,
    value: &Value,
    place: Path,
    around: &Around<'_>,
    showing: Showing,
) -> Fault {
    let shown = shown(value, showing);
    let said = around.description();
    match kind {
        ValidationErrorKind::Type { kind } => {
            let wanted = wanted(kind);
            let help = match value {
                // A number in quotes would still want its unit.
                Value::Number(_) if said.as_ref().is_some_and(|said| said.contains("duration")) => {
                    said
                }
                Value::Number(_) | Value::Bool(_) if wanted.starts_with("text") => {
                    Some("put it in quotes".to_owned())
                }
                Value::Null => Some("write a value, or remove the key".to_owned()),
                Value::String(text) if wanted == "a list" => {
                    Some(format!("write it as a list: `[{text}]`"))
                }
                _ => said,
            };
            Fault::error(
                place,
                format!("expected {wanted}, found {}", type_name(value)),
            )
            .help_if(help)
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(shown_plain)
                .collect();
            not_one_of(place, value.as_str().unwrap_or_default(), &shown, &options)
        }
        ValidationErrorKind::Constant { expected_value } => Fault::error(
            place,
            format!(
                "{shown} must be {}",
                self::shown(expected_value, Showing::Values)
            ),
        )
        .help_if(said),
        ValidationErrorKind::Minimum { limit } => {
            Fault::error(place, format!("{shown} is less than {limit}")).help_if(said)
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            Fault::error(place, format!("{shown} is not more than {limit}")).help_if(said)
        }
        ValidationErrorKind::Maximum { limit } => {
            Fault::error(place, format!("{shown} is more than {limit}")).help_if(said)
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            Fault::error(place, format!("{shown} is not less than {limit}")).help_if(said)
        }
        ValidationErrorKind::MinItems { limit: 1 }
        | ValidationErrorKind::MinLength { limit: 1 }
        | ValidationErrorKind::MinProperties { limit: 1 } => {
            Fault::error(place, "this is empty").help_if(said)
        }
        ValidationErrorKind::MinItems { limit } => {
            Fault::error(place, format!("this has fewer than {limit} items")).help_if(said)
        }
        ValidationErrorKind::MaxItems { limit } => {
            Fault::error(place, format!("this has more than {limit} items")).help_if(said)
        }
        ValidationErrorKind::MinLength { limit } => {
            Fault::error(place, format!("this has fewer than {limit} characters")).help_if(said)
        }
        ValidationErrorKind::MaxLength { limit } => {
            Fault::error(place, format!("this has more than {limit} characters")).help_if(said)
        }
        ValidationErrorKind::MinProperties { limit } => {
            Fault::error(place, format!("this has fewer than {limit} keys")).help_if(said)
        }
        ValidationErrorKind::MaxProperties { limit } => {
            Fault::error(place, format!("this has more than {limit} keys")).help_if(said)
        }
        ValidationErrorKind::Pattern { pattern } => {
            Fault::error(place, format!("{shown} does not match `{pattern}`")).help_if(said)
        }
        ValidationErrorKind::Format { format } => {
            Fault::error(place, format!("{shown} is not of the format `{format}`")).help_if(said)
        }
        ValidationErrorKind::UniqueItems => {
            Fault::error(place, "this list holds something twice").help_if(said)
        }
        ValidationErrorKind::PropertyNames { error } => {
            let Value::String(key) = error.instance().as_ref() else {
                return Fault::error(place, "a key here has a name that can't be");
            };
            Fault::error(place.key(key), format!("`{key}` can't be a key here"))
                .on_key()
                .help_if(said)
        }
        ValidationErrorKind::AnyOf { .. } | ValidationErrorKind::OneOfNotValid { .. } => {
            Fault::error(place, "this has none of the forms that it may have").help_if(said)
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => Fault::error(
            place,
            "this has several forms at once that exclude each other",
        )
        .help_if(said),
        ValidationErrorKind::FalseSchema => {
            Fault::error(place, "nothing can stand here").help_if(said)
        }
        other => Fault::error(
            place,
            format!("this breaks the rule `{}` of the schema", other.keyword()),
        )
        .help_if(said),
    }
}

fn unknown_key(place: Path, key: &str, known: &[&str]) -> Fault {
    let fault = Fault::error(place, format!("unknown key `{}`", cut(key, SHOWN))).on_key();
    match closest(key, known.iter().copied()) {
        Some(meant) => fault.label(format!("did you mean `{meant}`?")),
        None if known.is_empty() => fault.help("there are no keys here"),
        None => fault.help(format!("the keys here are {}", listed(known))),
    }
}

/// That a value, which reads `said` and is shown as `shown`, is none of the options.
pub(crate) fn not_one_of(place: Path, said: &str, shown: &str, options: &[String]) -> Fault {
    if let [only] = options {
        return Fault::error(
            place,
            format!("{shown} is not `{only}`, the only value that can stand here"),
        );
    }
    let fault = Fault::error(place, format!("{shown} is not one of {}", listed(options)));
    match closest(said, options.iter().map(String::as_str)) {
        Some(meant) => fault.label(format!("did you mean `{meant}`?")),
        None => fault,
    }
}

/// A type of JSON value, for people.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Names in backticks, with commas between.
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn wanted(kind: &TypeKind) -> String {
    let name = |name: &str| match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => "nothing",
    };
    match kind {
        TypeKind::Single(wanted) => name(&wanted.to_string()).to_owned(),
        TypeKind::Multiple(several) => several
            .iter()
            .map(|wanted| name(&wanted.to_string()))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// A value in a message: short, in backticks.
fn shown(value: &Value, showing: Showing) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => "this".to_owned(),
        _ if showing == Showing::PlacesOnly => "this".to_owned(),
        value => format!("`{}`", shown_plain(value)),
    }
}

fn shown_plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) => cut(text, SHOWN).into_owned(),
        None => cut(&value.to_string(), SHOWN).into_owned(),
    }
}

/// How much of a value or a key is shown, in characters.
const SHOWN: usize = 60;

/// As much of a text as a message can do with.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn located(root: &Path, location: &Location) -> Path {
    root.extend(location.segments().map(|segment| match segment {
        LocationSegment::Property(key) => Segment::Key(key.into_owned()),
        LocationSegment::Index(index) => Segment::Index(index),
    }))
}

/// The part of a schema that a keyword stands in.
struct Around<'a> {
    root: &'a Value,
    schema: Option<&'a Value>,
}

impl<'a> Around<'a> {
    fn new(schema: &'a Value, keyword: &Location) -> Around<'a> {
        let parent = keyword
            .as_str()
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent);
        Around {
            root: schema,
            schema: schema.pointer(parent),
        }
    }

    fn properties(&self) -> Option<&'a serde_json::Map<String, Value>> {
        self.schema?.get("properties")?.as_object()
    }

    fn keys(&self) -> Vec<&'a str> {
        self.properties()
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect()
    }

    fn description(&self) -> Option<String> {
        self.schema?.get("description")?.as_str().map(str::to_owned)
    }

    fn description_of(&self, key: &str) -> Option<&'a str> {
        let property = self.properties()?.get(key)?;
        let described = match property.get("$ref").and_then(Value::as_str) {
            Some(reference) if property.get("description").is_none() => {
                self.root.pointer(reference.strip_prefix('#')?)?
            }
            _ => property,
        };
        described.get("description")?.as_str()
    }
}
