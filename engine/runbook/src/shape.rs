//! A document's shape: its keys and the types of its values, by our own JSON Schemas, in our own words.
//!
//! What the schemas say in `pattern`, `propertyNames` and `oneOf` is for editors. The conversions to the
//! domain types say the same, better, since they know what is meant. What is left, a wire type and its
//! conversion refuse as well, without a word, so that a document that is right needs no schema.

use std::sync::LazyLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::{Fault, On};
use crate::leaf::Reader;
use crate::misfit::{Misfit, Showing, What, misfits};
use crate::path::{Path, Segment};
use crate::schema::{Kind, schema};

/// Reads a document's value: into its wire type `W`, and from there into what it means. Where faults stand in
/// the way and there is yet a document without what they are about, `together` says what is wrong with how its
/// parts fit together.
///
/// # Errors
///
/// All of its faults.
pub(crate) fn document<W: DeserializeOwned + Default, T>(
    kind: Kind,
    value: Value,
    convert: impl Fn(W, &mut Reader) -> Option<T>,
    together: impl FnOnce(&T) -> Vec<Fault>,
) -> Result<T, Vec<Fault>> {
    // Most documents are right, and then their wire type says all that the schema would, and sooner.
    if let Some(wire) = quickly(&value) {
        let mut reader = Reader::default();
        if let Some(document) = convert(wire, &mut reader)
            && reader.faults.is_empty()
        {
            return Ok(document);
        }
    }
    let (wire, mut faults) = read(kind, value);
    let mut reader = Reader::default();
    let document = convert(wire, &mut reader);
    add_beside(&mut faults, reader.faults, is_around);
    if let Some(document) = document.as_ref().filter(|_| !faults.is_empty()) {
        let more = together(document);
        add_beside(&mut faults, more, |fault, earlier| {
            is_around(fault, earlier) || is_missing_for(fault, earlier)
        });
    }
    match document {
        Some(document) if faults.is_empty() => Ok(document),
        None if faults.is_empty() => Err(vec![Fault::error(
            Path::root(),
            "the document can't be read",
        )]),
        _ => Err(faults),
    }
}

/// The wire type of a value that fits it. Values that hold a null don't: for an optional key, a null
/// would pass for its absence.
fn quickly<W: DeserializeOwned>(value: &Value) -> Option<W> {
    fn has_null(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Array(items) => items.iter().any(has_null),
            Value::Object(map) => map.values().any(has_null),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    if has_null(value) {
        None
    } else {
        W::deserialize(value).ok()
    }
}

/// Reads a document into its wire type. What doesn't fit is left out of it, so that the rest can be
/// looked at as well; what is missing is already told in the faults.
fn read<T: DeserializeOwned + Default>(kind: Kind, mut value: Value) -> (T, Vec<Fault>) {
    let compiled = compiled(kind);
    let errors = compiled
        .validator
        .iter_errors(&value)
        .filter(|error| is_ours(error.kind()));
    let found: Vec<Misfit> = errors
        .flat_map(|error| misfits(&error, &compiled.schema, &Path::root(), Showing::Values))
        .collect();
    let mut faults = Vec::new();
    for misfit in found {
        if misfit.what != What::Missing {
            remove(&mut value, misfit.fault.path.segments());
        }
        faults.push(not_yet(kind, misfit));
    }
    let read = serde_json::from_value(value).unwrap_or_else(|error| {
        if faults.is_empty() {
            faults.push(Fault::error(Path::root(), error.to_string()));
        }
        T::default()
    });
    (read, faults)
}

/// Adds those faults that aren't mere echoes of what was said before.
fn add_beside(said: &mut Vec<Fault>, faults: Vec<Fault>, is_echo: impl Fn(&Fault, &Fault) -> bool) {
    let before = said.len();
    for fault in faults {
        if !said[..before]
            .iter()
            .any(|earlier| is_echo(&fault, earlier))
        {
            said.push(fault);
        }
    }
}

/// Whether a fault is about a place in which an earlier one lies.
fn is_around(fault: &Fault, earlier: &Fault) -> bool {
    earlier.path.lies_in(&fault.path)
}

/// Whether a fault may be that something is missing for which an earlier one's key was meant.
fn is_missing_for(fault: &Fault, earlier: &Fault) -> bool {
    let (path, wrong) = (fault.path.segments(), earlier.path.segments());
    match wrong {
        [parent @ .., Segment::Key(_)] if earlier.on == On::Key && fault.on == On::Key => {
            path.starts_with(parent) && path.len() <= wrong.len()
        }
        _ => false,
    }
}

struct Compiled {
    validator: Validator,
    schema: Value,
}

fn compiled(kind: Kind) -> &'static Compiled {
    static RUNBOOK: LazyLock<Compiled> = LazyLock::new(|| compile(Kind::Runbook));
    static ENVIRONMENT: LazyLock<Compiled> = LazyLock::new(|| compile(Kind::Environment));
    static MANIFEST: LazyLock<Compiled> = LazyLock::new(|| compile(Kind::Manifest));
    static PROJECT: LazyLock<Compiled> = LazyLock::new(|| compile(Kind::Project));
    static CASES: LazyLock<Compiled> = LazyLock::new(|| compile(Kind::Cases));
    match kind {
        Kind::Runbook => &RUNBOOK,
        Kind::Environment => &ENVIRONMENT,
        Kind::Manifest => &MANIFEST,
        Kind::Project => &PROJECT,
        Kind::Cases => &CASES,
    }
}

fn compile(kind: Kind) -> Compiled {
    let schema = serde_json::from_str(schema(kind)).expect("invariant: our schemas are JSON");
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .offline()
        .build(&schema)
        .expect("invariant: our schemas are schemas");
    Compiled { validator, schema }
}

/// Whether the shape says it, and not the conversion.
fn is_ours(kind: &ValidationErrorKind) -> bool {
    !matches!(
        kind,
        ValidationErrorKind::Pattern { .. }
            | ValidationErrorKind::PropertyNames { .. }
            | ValidationErrorKind::OneOfNotValid { .. }
            | ValidationErrorKind::OneOfMultipleValid { .. }
    )
}

/// Keys that later versions bring.
const LATER_IN_RUNBOOK: [&str; 2] = ["foreach", "runbook"];
const LATER_IN_ENVIRONMENT: [&str; 3] = ["age", "vault", "exec"];

fn not_yet(kind: Kind, misfit: Misfit) -> Fault {
    let Misfit { what, fault } = misfit;
    let later: &[&str] = match kind {
        Kind::Runbook => &LATER_IN_RUNBOOK,
        Kind::Environment => &LATER_IN_ENVIRONMENT,
        Kind::Manifest | Kind::Project | Kind::Cases => &[],
    };
    let help = "a later version of Sandbook brings it; remove it until then";
    match (what, fault.path.segments().last()) {
        (What::UnknownKey, Some(Segment::Key(key))) if later.contains(&key.as_str()) => {
            Fault::error(fault.path.clone(), format!("`{key}` is not yet supported"))
                .on_key()
                .help(help)
        }
        _ => fault,
    }
}

/// Takes a value out of a document; an item goes with the key that its list belongs to.
fn remove(value: &mut Value, segments: &[Segment]) {
    let Some(at) = segments
        .iter()
        .rposition(|segment| matches!(segment, Segment::Key(_)))
    else {
        return;
    };
    let Segment::Key(key) = &segments[at] else {
        return;
    };
    let mut parent = value;
    for segment in &segments[..at] {
        let below = match segment {
            Segment::Key(key) => parent.get_mut(key),
            Segment::Index(index) => parent.get_mut(*index),
        };
        match below {
            Some(below) => parent = below,
            None => return,
        }
    }
    if let Value::Object(map) = parent {
        map.shift_remove(key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_the_rest_is_read() {
        let value = json!({ "name": "x", "steps": [{ "id": "a", "uses": 7, "whit": {} }, { "id": "b", "wait": "1s" }] });
        let (read, faults) = read::<Value>(Kind::Runbook, value);
        assert_eq!(
            read,
            json!({ "name": "x", "steps": [{ "id": "a" }, { "id": "b", "wait": "1s" }] })
        );
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn our_schemas_describe_every_property() {
        fn check(schema: &Value) {
            for (key, property) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let described =
                    property.get("description").is_some() || property.get("$ref").is_some();
                assert!(described, "{key}");
            }
            schema
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(_, below)| check(below));
        }
        for kind in [
            Kind::Runbook,
            Kind::Environment,
            Kind::Manifest,
            Kind::Project,
            Kind::Cases,
        ] {
            check(&compiled(kind).schema);
        }
    }
}
