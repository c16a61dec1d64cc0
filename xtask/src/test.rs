//! All tests.

use crate::examples::build_all;
use crate::guests::{build_and_pack, guests_target};
use crate::process::{Outcome, cargo, run, say, succeeds};

/// Builds the plugins, in all languages, then runs the guests' tests and the host's.
///
/// The host's run under nextest where it is installed, under `cargo test` elsewhere.
pub(crate) fn test(arguments: &[String]) -> Outcome {
    build_and_pack()?;
    build_all()?;
    say("testing the plugins' own logic");
    run(cargo(&[
        "test",
        "--locked",
        "--quiet",
        "--workspace",
        "--manifest-path",
        "plugins/Cargo.toml",
    ])
    .args(["--target-dir".as_ref(), guests_target().as_os_str()]))?;
    say("testing the engine (the whole of it takes a minute or two)");
    let runner: &[&str] = if succeeds(&mut cargo(&["nextest", "--version"])) {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    run(cargo(runner)
        .args(["--locked", "--workspace"])
        .args(arguments))
}
