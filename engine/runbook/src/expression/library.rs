//! What an expression may use.

use std::sync::LazyLock;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::json::to_json;

/// The filters of expressions, as in `inputs.names | join(", ")`.
///
/// They are MiniJinja's, but for `tojson`, which writes plain JSON.
pub const FILTERS: [&str; 34] = [
    "abs",
    "bool",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "tojson",
    "trim",
    "unique",
    "upper",
];

/// The tests of expressions, as in `inputs.name is defined`.
pub const TESTS: [&str; 27] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "sameas",
];

/// How much one evaluation may do. An instruction costs 1, and so do 64 bytes of text that is made.
const FUEL: u64 = 1_000_000;

/// The one environment: strict, and the same for all expressions.
pub(super) static LIBRARY: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut library = Environment::new();
    library.set_undefined_behavior(UndefinedBehavior::Strict);
    library.set_fuel(Some(FUEL));
    for function in ["range", "dict", "debug", "namespace"] {
        library.remove_global(function);
    }
    // MiniJinja's own escapes what HTML doesn't like.
    library.add_filter("tojson", |value: &Value| match to_json(value) {
        Ok(json) => Ok(json.to_string()),
        Err(fault) => Err(Error::new(ErrorKind::BadSerialization, fault.to_string())),
    });
    library
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_listed_is_there() {
        let mut state = LIBRARY.empty_state();
        for name in FILTERS {
            let missing = state
                .apply_filter(name, &[])
                .is_err_and(|e| e.kind() == ErrorKind::UnknownFilter);
            assert!(!missing, "{name}");
        }
        for name in TESTS {
            let missing = state
                .perform_test(name, &[])
                .is_err_and(|e| e.kind() == ErrorKind::UnknownTest);
            assert!(!missing, "{name}");
        }
    }
}
