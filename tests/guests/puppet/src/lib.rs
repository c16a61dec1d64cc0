//! Does what its input says, so that the engine's tests can have a step do anything.

mod action;
mod perform;
mod send;

use sandbook_step::prelude::*;

use action::{Action, Input};

fn run(context: &Context, input: Input) -> Result<Done<Value>, Failure> {
    let mut results = Vec::new();
    for action in input.actions {
        match action {
            Action::Return {
                data,
                changed,
                summary,
            } => {
                let data = data.unwrap_or_else(|| json!({"results": results}));
                return Ok(Done::when(changed, data).summary(summary));
            }
            Action::BigOutput { bytes } => {
                return Ok(Done::unchanged(json!({"text": "x".repeat(bytes)})));
            }
            action => results.extend(perform::perform(context, action)?),
        }
    }
    Ok(Done::unchanged(json!({"results": results})))
}

sandbook_step::step!(run);
