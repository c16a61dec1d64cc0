//! The plugins' own cases, and those of the documentation.

use crate::support::{Lab, repository, target};

fn packed(plugin: &str) -> String {
    let packed = target().join("plugins").join(format!("{plugin}.wasm"));
    packed.display().to_string()
}

#[test]
fn every_plugin_goes_as_its_cases_say() {
    let lab = Lab::new();
    for plugin in [
        "failover-sql",
        "http-check",
        "http-request",
        "post-status",
        "update-ip",
    ] {
        let cases = repository().join("plugins").join(plugin).join("cases.yaml");
        let cases = cases.display().to_string();
        lab.sandbook(&["plugin", "test", &cases, "--plugin", &packed(plugin)])
            .ok()
            .says("all went as expected");
    }
}

/// The page's first example is a whole file, and the second one a case of it.
#[test]
fn the_examples_of_the_page_go_as_they_say() {
    let page = repository().join("docs/plugins/testing.md");
    let page = std::fs::read_to_string(page).unwrap();
    let examples: Vec<&str> = page
        .split("```yaml\n")
        .skip(1)
        .map(|part| part.split("```").next().unwrap())
        .collect();
    let [file, case] = examples[..] else {
        panic!("{} examples", examples.len())
    };
    let lab = Lab::new();
    lab.write("post-status.cases.yaml", &format!("{file}{case}"));
    let said = lab.sandbook(&[
        "plugin",
        "test",
        "post-status.cases.yaml",
        "--plugin",
        "post-status",
    ]);
    said.ok().says("2 cases: all went as expected");
}
