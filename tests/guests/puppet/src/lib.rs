//! Does what its input says, so that the engine's tests can have a step do anything.

mod action;
mod misuse;
mod perform;
mod send;
mod spill;
mod wasi;

use sandbook_step::prelude::*;

use action::{Action, Input};
use spill::Way;

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
            Action::Spill(spill) if spill.to == Way::Return => {
                let text = spill::text(&spill)?;
                let data = json!({"results": [text], "text": text});
                return Ok(Done::unchanged(data).summary(text));
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
