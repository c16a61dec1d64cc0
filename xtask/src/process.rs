//! Running other programs, and where things lie.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// What a chore ends with: nothing, or the words for the person who called it.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The repository's root: the one that `cargo xtask` was called in, also where several clones share
/// a target directory and this binary was built in another.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&package)
            .parent()
            .expect("xtask lies in the repository's root")
            .to_owned()
    });
    &ROOT
}

/// Where cargo builds the host.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A binary of the host's, built in the one profile of demo and tests.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// `cargo`, started in the repository's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// What builds one of the workspace's programs. Of the whole workspace, so that all of them share what they
/// depend on, with the same features.
pub(crate) fn program(name: &str) -> Command {
    cargo(&["build", "--locked", "--workspace", "--bin", name])
}

/// Says what is being done, on standard error, so that standard output stays the chore's own.
pub(crate) fn say(what: &str) {
    eprintln!("==> {what}");
}

/// Runs a command to its end; anything but success is an error that shows it.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| format!("`{}` could not be started: {error}", shown(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{}` ended with {status}", shown(command)))
    }
}

/// Whether a command can be run and succeeds; says nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text)
        .map_err(|error| format!("`{}` can't be written: {error}", path.display()))
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
