//! Measuring.

use crate::examples::build_idle;
use crate::guests::build_and_pack;
use crate::process::{Outcome, cargo, root, run, say, target};

/// Builds the engine and its floors as they are released, and measures one against the other.
pub(crate) fn bench(names: &[String]) -> Outcome {
    build_and_pack()?;
    let is_named = |bench: &str| names.is_empty() || names.iter().any(|name| name == bench);
    if ["languages", "look"].into_iter().any(is_named) {
        build_idle()?;
    }
    say("building the release (seven minutes the first time, on two cores)");
    run(&mut cargo(&[
        "build",
        "--locked",
        "--release",
        "--package",
        "sandbook",
        "--package",
        "bench",
    ]))?;
    run(std::process::Command::new(target().join("release/bench"))
        .current_dir(root())
        .args(names))
}
