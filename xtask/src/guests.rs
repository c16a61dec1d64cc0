//! Building and packing what runs in the sandbox: the plugins, and the guests of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Outcome, built, cargo, program, root, run, say, succeeds, target};

const TARGET: &str = "wasm32-wasip2";

/// Builds all guests and the `sandbook` that packs them, and packs them.
pub(crate) fn build_and_pack() -> Outcome {
    ensure_target()?;
    say("building the plugins (a minute the first time)");
    run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--target",
        TARGET,
        "--manifest-path",
        "plugins/Cargo.toml",
    ])
    .args(["--target-dir".as_ref(), guests_target().as_os_str()]))?;
    say("building sandbook (seven minutes the first time, on two cores)");
    run(&mut program("sandbook"))?;
    pack_all(
        &root().join("plugins"),
        &[target().join("plugins"), root().join("runbooks/plugins")],
    )?;
    pack_all(
        &root().join("tests/guests"),
        &[target().join("test-plugins")],
    )
}

/// Where the guests are built, apart from the host: another target, another profile.
pub(crate) fn guests_target() -> PathBuf {
    target().join("guests")
}

/// Asks rustup for the guests' target where rustc doesn't have it.
pub(crate) fn ensure_target() -> Outcome {
    let has_target = Command::new("rustc")
        .current_dir(root())
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir());
    if has_target {
        return Ok(());
    }
    say("adding the wasm32-wasip2 target");
    if !succeeds(Command::new("rustup").arg("--version")) {
        return Err(format!(
            "rustc has no target {TARGET} and there is no rustup to add it; install it, then try again"
        ));
    }
    run(Command::new("rustup")
        .current_dir(root())
        .args(["target", "add", TARGET]))
}

/// Packs every crate under `rooms` that has a manifest into each of the folders.
fn pack_all(rooms: &Path, folders: &[PathBuf]) -> Outcome {
    for folder in folders {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("`{}` can't be made: {error}", folder.display()))?;
    }
    let entries = std::fs::read_dir(rooms)
        .map_err(|error| format!("`{}` can't be read: {error}", rooms.display()))?;
    for room in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.join("plugin.yaml").is_file())
    {
        let name = room
            .file_name()
            .expect("a folder has a name")
            .to_string_lossy()
            .into_owned();
        let built_as = format!("{}.wasm", name.replace('-', "_"));
        let component = guests_target().join(TARGET).join("release").join(built_as);
        for folder in folders {
            let packed = folder.join(format!("{name}.wasm"));
            run(Command::new(built("sandbook"))
                .args(["plugin", "pack", "--quiet"])
                .arg(&component)
                .arg("--manifest")
                .arg(room.join("plugin.yaml"))
                .arg("--to")
                .arg(packed))?;
        }
    }
    Ok(())
}
