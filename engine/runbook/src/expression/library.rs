//! What an expression may use.

use std::sync::LazyLock;

use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::bound::within;
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
///
/// MiniJinja's filters pay for what they have made when it is made already, and a list may hold another one a
/// million times and cost nothing. So each filter is behind a guard that looks at what goes in and what comes out, and
/// gives nothing undefined but to `default`.
pub(super) static LIBRARY: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut library = Environment::new();
    library.set_undefined_behavior(UndefinedBehavior::Strict);
    library.set_fuel(Some(FUEL));
    for function in ["range", "dict", "debug", "namespace"] {
        library.remove_global(function);
    }
    add_unguarded(&mut library);
    for name in FILTERS {
        let behind = unguarded(name);
        library.add_filter(
            name,
            move |state: &mut State, plain: Rest<Value>, named: Kwargs| {
                let mut arguments = plain.0;
                if named.args().next().is_some() {
                    arguments.push(named.into());
                }
                let given = arguments.first().is_some_and(|first| !first.is_undefined());
                if !given && name != "default" {
                    return Err(Error::from(ErrorKind::UndefinedError));
                }
                arguments.iter().try_for_each(within)?;
                let made = state.apply_filter(&behind, &arguments)?;
                within(&made)?;
                Ok::<Value, Error>(made)
            },
        );
    }
    library
});

/// The name that a filter has behind its guard. No expression can use it: it isn't one of [`FILTERS`].
fn unguarded(name: &str) -> String {
    format!("_{name}")
}

fn add_unguarded(library: &mut Environment<'static>) {
    macro_rules! add {
        ($($name:ident)*) => {
            $(library.add_filter(unguarded(stringify!($name)), minijinja::filters::$name);)*
        };
    }
    add!(abs bool default dictsort first float groupby int items join last length lines list lower map max min);
    add!(reject rejectattr replace reverse round select selectattr slice sort split string sum trim unique upper);
    // MiniJinja's own escapes what HTML doesn't like.
    library.add_filter(unguarded("tojson"), |value: &Value| match to_json(value) {
        Ok(json) => Ok(json.to_string()),
        Err(fault) => Err(Error::new(ErrorKind::BadSerialization, fault.to_string())),
    });
}

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
