//! Runs that are killed, cut off and lied to, for as long as one likes.

use crate::guests::build_and_pack;
use crate::process::{Outcome, built, program, root, run};

/// Builds what is tortured and what tortures it, and does so; arguments go to the latter.
pub(crate) fn torture(arguments: &[String]) -> Outcome {
    build_and_pack()?;
    run(&mut program("torture"))?;
    run(std::process::Command::new(built("torture"))
        .current_dir(root())
        .args(arguments))
}
