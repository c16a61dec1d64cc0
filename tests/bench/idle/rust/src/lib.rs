//! A step that does nothing.

mod sandbook;

use sandbook::{Context, Done, Failure};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {}

#[derive(Serialize)]
struct Output {}

fn run(_: &Context, _: Input) -> Result<Done<Output>, Failure> {
    Ok(Done::unchanged(Output {}))
}

sandbook::step!(run);
