//! Does nothing, so that what a step costs can be seen.

use sandbook_step::prelude::*;

#[derive(Deserialize, Serialize)]
struct Nothing {}

fn run(_: &Context, nothing: Nothing) -> Result<Done<Nothing>, Failure> {
    Ok(Done::unchanged(nothing))
}

sandbook_step::step!(run);
