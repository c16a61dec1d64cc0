//! From the contract's words to a plugin's types and back. Only `step!` names what is here.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Context, Done, Failure};

/// Checks that a function can be a step.
pub fn is_a_step<I: DeserializeOwned, O: Serialize>(
    _: fn(&Context, I) -> Result<Done<O>, Failure>,
) {
}

/// Runs a step on the engine's context and input.
#[cfg(target_family = "wasm")]
pub fn enter<I: DeserializeOwned, O: Serialize>(
    run: fn(&Context, I) -> Result<Done<O>, Failure>,
    context: crate::bindings::Context,
    input: &str,
) -> Result<crate::bindings::Output, crate::bindings::Failure> {
    perform(run, &context.into(), input)
        .map(|(data, changed, summary)| crate::bindings::Output {
            data,
            changed,
            summary,
        })
        .map_err(Into::into)
}

/// The same on our own types: outputs as JSON, whether anything changed, and the summary.
#[cfg(any(target_family = "wasm", test))]
fn perform<I: DeserializeOwned, O: Serialize>(
    run: fn(&Context, I) -> Result<Done<O>, Failure>,
    context: &Context,
    input: &str,
) -> Result<(String, bool, String), Failure> {
    let input = serde_json::from_str(input).map_err(|error| {
        Failure::invalid_input(format!("the input is not what the plugin takes: {error}"))
            .with_code("InputMismatch")
    })?;
    let done = run(context, input)?;
    let data = serde_json::to_string(&done.data).map_err(|error| {
        Failure::failed(format!("the outputs can't be written as JSON: {error}"))
            .with_code("OutputMismatch")
    })?;
    Ok((data, done.changed, done.summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, testing};

    #[derive(serde::Deserialize)]
    struct Input {
        n: u8,
    }

    fn double(_: &Context, input: Input) -> Result<Done<serde_json::Value>, Failure> {
        Ok(Done::changed(serde_json::json!({"n": input.n * 2})).summary("doubled"))
    }

    #[test]
    fn outputs_are_json_with_the_summary_beside_them() {
        let (data, changed, summary) = perform(double, &testing::context(), r#"{"n": 4}"#).unwrap();
        assert_eq!(
            (data.as_str(), changed, summary.as_str()),
            (r#"{"n":8}"#, true, "doubled")
        );
    }

    #[test]
    fn an_input_of_another_shape_is_an_invalid_input() {
        let failure = perform(double, &testing::context(), r#"{"n": "four"}"#).unwrap_err();
        assert_eq!(failure.kind, Kind::InvalidInput);
        assert!(
            failure.message.contains("expected u8"),
            "{}",
            failure.message
        );
    }
}
