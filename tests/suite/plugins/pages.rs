//! What `docs/plugins/` says of each plugin: its steps pass the check, and nothing of the manifest is left out.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Lab, repository};

/// The pages that are of no plugin.
const GUIDES: [&str; 5] = ["README", "languages", "sdk", "sources", "testing"];

fn pages() -> Vec<(String, String)> {
    let folder = repository().join("docs/plugins");
    let page = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&path).unwrap())
    };
    let files = fs::read_dir(folder).unwrap().flatten();
    files
        .map(|entry| page(entry.path()))
        .filter(|(name, _)| !GUIDES.contains(&name.as_str()))
        .collect()
}

#[test]
fn each_plugin_has_a_page_that_the_list_names() {
    let list = fs::read_to_string(repository().join("docs/plugins/README.md")).unwrap();
    let mut named: Vec<String> = pages().into_iter().map(|(name, _)| name).collect();
    named.sort();
    let manifests = fs::read_dir(repository().join("plugins"))
        .unwrap()
        .flatten();
    let mut plugins: Vec<String> = manifests
        .filter(|entry| entry.path().join("plugin.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    plugins.sort();
    assert_eq!(named, plugins);
    for name in named {
        assert!(list.contains(&format!("[{name}]({name}.md)")), "{name}");
    }
}

#[test]
fn the_steps_pass_the_check() {
    let lab = Lab::new();
    for (name, page) in pages() {
        let steps: Vec<&str> = page
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split_once("```").map(|(step, _)| step))
            .collect();
        assert!(!steps.is_empty(), "`{name}` has no step to paste");
        for step in steps {
            let step = step.replace('\n', "\n  ");
            lab.write("page.yaml", &format!("name: page\nsteps:\n  {step}\n"));
            lab.sandbook(&["check", "page.yaml"]).ok();
        }
    }
}

#[test]
fn inputs_outputs_and_slots_are_all_described() {
    let lab = Lab::new();
    for (name, page) in pages() {
        let inspect = ["plugin", "inspect", &name, "--output", "json"];
        let manifest = lab.sandbook(&inspect).ok().json();
        let names = |of: &Value| -> Vec<String> {
            let object = of.as_object();
            object.map_or_else(Vec::new, |object| object.keys().cloned().collect())
        };
        let inputs = names(&manifest["inputs"]["properties"]);
        let outputs = names(&manifest["outputs"]["properties"]);
        assert!(!inputs.is_empty() && !outputs.is_empty(), "{manifest}");
        for word in [inputs, outputs, names(&manifest["slots"])].concat() {
            let named = format!("`{word}`");
            assert!(
                page.contains(&named),
                "{named} is not on the page of `{name}`"
            );
        }
    }
}
