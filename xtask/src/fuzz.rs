//! Looking for bytes that break what reads them.

use std::fs;
use std::process::Command;

use crate::process::{Outcome, cargo, root, run, say, succeeds, target};

/// The targets, as `tests/fuzz` names them.
const TARGETS: [&str; 6] = [
    "runbook",
    "allow_line",
    "expression",
    "journal",
    "manifest",
    "request",
];

/// How long each target is explored unless it is said, in seconds.
const SECONDS: u32 = 60;

/// The longest that one input may take, in seconds, and the most memory, in MiB.
const BOUNDS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

/// Explores the targets that are named, all of them otherwise, one after the other.
///
/// What breaks one is left in `tests/fuzz/found/TARGET`, where the tests read it from then on.
pub(crate) fn fuzz(arguments: &[String]) -> Outcome {
    let (seconds, targets) = asked(arguments)?;
    if !succeeds(&mut cargo(&["fuzz", "--version"])) {
        return Err(
            "there is no cargo-fuzz; `cargo install --locked cargo-fuzz` gets it. Without it, `cargo test --package \
             fuzz` reads what is known and variations of it"
                .to_owned(),
        );
    }
    let mut broken = Vec::new();
    for name in targets {
        say(&format!(
            "fuzzing `{name}` for {seconds} s (the first build takes twenty minutes on two cores)"
        ));
        if run(&mut explore(name, seconds)?).is_err() {
            broken.push(name);
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!(
        "broken: {}; see `tests/fuzz/found`",
        broken.join(", ")
    ))
}

/// libFuzzer on one target. What it learns is kept with the build; the seeds are only read.
fn explore(name: &str, seconds: u32) -> Outcome<Command> {
    let room = root().join("tests/fuzz");
    let found = room.join("found").join(name);
    let learnt = target().join("fuzz/corpus").join(name);
    for folder in [&found, &learnt] {
        fs::create_dir_all(folder)
            .map_err(|error| format!("`{}` can't be made: {error}", folder.display()))?;
    }
    let mut command = cargo(&["fuzz", "run", "--fuzz-dir", "tests/fuzz/libfuzzer"]);
    command
        .arg("--target-dir")
        .arg(target().join("fuzz"))
        // The engine has no unsafe code for a sanitizer to watch, and without one the stable toolchain will do.
        .args(["--sanitizer", "none", name])
        .args([learnt, room.join("corpus").join(name), found.clone()])
        .args(["--", &format!("-max_total_time={seconds}")])
        .args(BOUNDS)
        // It takes the end of this for the beginning of the file's name.
        .arg(format!("-artifact_prefix={}/", found.display()));
    Ok(command)
}

fn asked(arguments: &[String]) -> Outcome<(u32, Vec<&str>)> {
    let mut seconds = SECONDS;
    let mut targets = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let said = rest.next().and_then(|number| number.parse().ok());
            seconds = said.ok_or("`--seconds` takes a number")?;
        } else if let Some(name) = TARGETS.iter().find(|name| *name == argument) {
            targets.push(*name);
        } else {
            return Err(format!(
                "there is no target `{argument}`; there are {}",
                TARGETS.join(", ")
            ));
        }
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    Ok((seconds, targets))
}
