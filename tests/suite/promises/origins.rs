//! Plugins from elsewhere: what is used is what was accepted, signed by whom it must be, and on this disk. By https
//! URLs, and from a real registry.

mod files;
mod from_registry;
mod from_url;
mod images;
mod registry;
mod signatures;
mod signer;

use std::fs;
use std::path::Path;

use crate::support::{Lab, Said, target};

/// A project without plugins, with one runbook that uses `stranger`.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.write("sandbook.yaml", "# mine\nstate: .sandbook\n");
    lab.write(
        "job.yaml",
        "name: job\nsteps: [{ id: a, uses: stranger }]\n",
    );
    lab
}

/// What the plugin asks for at first, and in its next version.
const FIRST: &str = "version: 1.0.0\nallow: [\"GET https://api.example.com/pages/{page}\"]\n";
const SECOND: &str = "version: 1.1.0\nallow: [\"* https://api.example.com/**\"]\n";

/// A component that does nothing, packed with a manifest that says this.
fn packed(lab: &Lab, manifest: &str) -> Vec<u8> {
    let noop = target().join("guests/wasm32-wasip2/release/noop.wasm");
    let whole = format!(
        "name: stranger\ndescription: Somebody else's.\ncontract: sandbook:step@0.1.0\ninputs: {{ type: object, properties: {{ page: {{ type: string }} }} }}\noutputs: {{ type: object }}\n{manifest}"
    );
    lab.write("packing/manifest.yaml", &whole);
    let arguments = [
        "plugin",
        "pack",
        noop.to_str().unwrap(),
        "--manifest",
        "packing/manifest.yaml",
        "--to",
        "packing/packed.wasm",
    ];
    lab.sandbook(&arguments).ok();
    let bytes = fs::read(lab.path("packing/packed.wasm")).unwrap();
    fs::remove_dir_all(lab.path("packing")).unwrap();
    bytes
}

/// Asserts that nothing uses the plugin, and that each says so.
#[track_caller]
fn refuses(lab: &Lab, says: &[&str]) {
    for arguments in [&["check"][..], &["plan", "job"], &["run", "job"]] {
        let mut said = lab.sandbook(arguments).exits(2);
        for text in says {
            said = said.says(text);
        }
    }
    is_untouched(lab);
}

/// Asserts that nothing was run or compiled yet.
#[track_caller]
fn is_untouched(lab: &Lab) {
    assert!(!lab.path(".sandbook/journal.db").exists());
    assert!(!lab.path(".sandbook/cache").exists());
}

fn add(lab: &Lab, source: &str) -> Said {
    lab.sandbook(&["plugin", "add", "stranger", source, "--yes"])
}

fn text(lab: &Lab, name: &str) -> String {
    fs::read_to_string(lab.path(name)).unwrap()
}

/// How the plugin stands, by `plugin list`.
fn state(lab: &Lab) -> String {
    let listed = lab
        .sandbook(&["plugin", "list", "-o", "json"])
        .ok()
        .json_lines();
    let stranger = listed
        .iter()
        .find(|plugin| plugin["name"] == "stranger")
        .unwrap();
    stranger["state"].as_str().unwrap().to_owned()
}

/// The only component that was fetched.
fn fetched(lab: &Lab) -> std::path::PathBuf {
    let folder = lab.path(".sandbook-plugins");
    let entries = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let components: Vec<_> = entries
        .filter(|path| path.extension() == Some(Path::new("wasm").as_os_str()))
        .collect();
    assert_eq!(components.len(), 1, "{components:?}");
    components[0].clone()
}
