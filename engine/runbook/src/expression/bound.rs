//! How large a value may be that a filter takes or makes.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::json::LARGEST_RESULT;

/// How deep such a value may nest.
const DEEPEST: usize = 128;

/// Whether a value is no larger than a result may be, counted as results are: what stands in it twice counts twice.
///
/// # Errors
///
/// It is larger. What lies past the bound isn't looked at.
pub(super) fn within(value: &Value) -> Result<(), Error> {
    let mut left = LARGEST_RESULT;
    match weigh(value, &mut left, DEEPEST) {
        Some(()) => Ok(()),
        None => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a filter is given, or makes, more than {LARGEST_RESULT} bytes"),
        )),
    }
}

fn weigh(value: &Value, left: &mut usize, depth: usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let own = 4 + value.as_str().map_or(0, str::len);
    *left = left.checked_sub(own)?;
    let kind = value.kind();
    if !matches!(kind, ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
        return Some(());
    }
    // What can't be walked through is the filter's to refuse.
    for item in value.try_iter().into_iter().flatten() {
        weigh(&item, left, depth)?;
        if kind == ValueKind::Map {
            let entry = value.get_item(&item).unwrap_or_default();
            weigh(&entry, left, depth)?;
        }
    }
    Some(())
}
