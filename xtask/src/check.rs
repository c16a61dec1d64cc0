//! What holds for every commit, beside the tests.

use crate::guests::{ensure_target, guests_target};
use crate::process::{Outcome, cargo, run, say};

/// Format, clippy with warnings denied, and the docs, of host and guests.
pub(crate) fn check() -> Outcome {
    ensure_target()?;
    let guests = ["--manifest-path", "plugins/Cargo.toml"];
    say("format");
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["fmt", "--all", "--check"]).args(guests))?;
    say("clippy (four minutes the first time, on two cores)");
    run(&mut cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]))?;
    run(cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--target",
        "wasm32-wasip2",
        "--release",
    ])
    .args(guests)
    .args(["--target-dir".as_ref(), guests_target().as_os_str()])
    .args(["--", "--deny", "warnings"]))?;
    say("docs");
    run(
        cargo(&["doc", "--locked", "--workspace", "--no-deps", "--quiet"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )
}
