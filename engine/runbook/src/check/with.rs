//! Whether what a step tells its plugin fits the plugin's schema, as far as it is known.

use jsonschema::error::{ValidationError, ValidationErrorKind};

use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::path::{Path, Segment};
use crate::step::Use;

/// `place` is the step's.
pub(super) fn check(using: &Use, manifest: &Manifest, place: &Path, faults: &mut Vec<Fault>) {
    let schema = match manifest.input_schema() {
        Ok(schema) => schema,
        Err(fault) => {
            let message = format!(
                "the inputs of plugin `{}` can't be checked: {fault}",
                manifest.name
            );
            faults.push(Fault::error(place.key("with"), message).on_key());
            return;
        }
    };
    if schema.takes(&using.written) {
        return;
    }
    let unknown: Vec<String> = using
        .with
        .expressions()
        .map(|(path, _)| pointer(path))
        .collect();
    let place = place.key("with");
    faults.extend(schema.faults(&using.written, &place, |error| is_certain(error, &unknown)));
}

/// Whether an error stands whatever the expressions come to.
fn is_certain(error: &ValidationError<'_>, unknown: &[String]) -> bool {
    let place = error.instance_path().as_str();
    let touches_unknown = unknown
        .iter()
        .any(|unknown| lies_in(unknown, place) || lies_in(place, unknown));
    if !touches_unknown {
        return true;
    }
    if unknown.iter().any(|unknown| lies_in(place, unknown)) {
        return false;
    }
    // The value is a mapping or a list that is known, of something that isn't: its keys are certain,
    // unless what it holds decides over the rule.
    let depends = [
        "/if",
        "/then/",
        "/else/",
        "/anyOf/",
        "/oneOf/",
        "/not",
        "/dependent",
    ];
    let conditional = depends
        .iter()
        .any(|part| error.evaluation_path().as_str().contains(part));
    !conditional
        && matches!(
            error.kind(),
            ValidationErrorKind::AdditionalProperties { .. }
                | ValidationErrorKind::Required { .. }
                | ValidationErrorKind::Type { .. }
                | ValidationErrorKind::MinItems { .. }
                | ValidationErrorKind::MaxItems { .. }
                | ValidationErrorKind::MinProperties { .. }
                | ValidationErrorKind::MaxProperties { .. }
                | ValidationErrorKind::PropertyNames { .. }
        )
}

/// Whether a JSON pointer lies at or below another.
fn lies_in(pointer: &str, other: &str) -> bool {
    pointer
        .strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn pointer(path: &Path) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Index(index) => format!("/{index}"),
    };
    path.segments().iter().map(part).collect()
}
