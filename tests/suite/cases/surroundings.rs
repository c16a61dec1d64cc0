//! Which cases are meant, and files that can't be used.

use crate::support::Lab;

const ONE: &str = "cases: [{ name: nothing is done, expect: {} }]";

#[test]
fn a_plugins_cases_are_found_beside_it() {
    let lab = Lab::new();
    lab.sandbook(&["plugin", "test"])
        .exits(2)
        .says("there are no cases here");
    lab.write("built/noop.cases.yaml", ONE);
    for target in [
        &["noop"][..],
        &["built/noop.wasm"],
        &["built/noop.cases.yaml"],
        &[],
    ] {
        let said = lab.sandbook(&[&["plugin", "test"], target].concat());
        said.ok().says("1 case: all went as expected");
    }
    lab.write(
        "elsewhere/cases.yaml",
        &format!("plugin: ../built/noop.wasm\n{ONE}"),
    );
    lab.sandbook(&["plugin", "test", "./elsewhere"]).ok();
    lab.sandbook(&["plugin", "test", "noop", "--case", "something"])
        .exits(2)
        .says("there are `nothing is done`");
}

/// As a plugin lies that `plugin new` has made: its cases are the folder's.
#[test]
fn a_folders_cases_are_those_of_the_plugin_that_they_are_about() {
    let lab = Lab::new();
    lab.write("built/cases.yaml", &format!("plugin: noop.wasm\n{ONE}"));
    lab.sandbook(&["plugin", "test", "noop"]).ok();
    lab.sandbook(&["plugin", "test", "built/noop.wasm"]).ok();
    lab.sandbook(&["plugin", "test"]).ok().says("1 case: ");
    lab.write("built/cases.yaml", &format!("plugin: other.wasm\n{ONE}"));
    lab.sandbook(&["plugin", "test", "noop"])
        .exits(2)
        .says("noop.cases.yaml");
}

#[test]
fn a_file_with_faults_is_refused_whole() {
    let lab = Lab::new();
    lab.write("good.yaml", ONE);
    lab.write(
        "bad.yaml",
        "cases:\n  - { name: a, expect: {}, exchange: [] }\n  - { name: a, expect: {} }\n",
    );
    let said = lab.sandbook(&["plugin", "test", "good.yaml", "bad.yaml", "-p", "noop"]);
    let said = said.exits(2).says("did you mean `exchanges`?");
    said.clone().says("there is another case `a`");
    assert_eq!(said.out, "");
    lab.sandbook(&["plugin", "test", "good.yaml"])
        .exits(2)
        .says(".wasm");
    lab.sandbook(&["plugin", "test", "missing.yaml", "-p", "noop"])
        .exits(2)
        .says("can't read `missing.yaml`");
}

#[test]
fn nothing_is_left_of_a_case_but_the_compiled_plugin() {
    let lab = Lab::new();
    lab.write("built/noop.cases.yaml", ONE);
    lab.sandbook(&["plugin", "test", "noop"]).ok();
    assert!(lab.path(".sandbook/cache").is_dir());
    lab.sandbook(&["runs"]).ok();
    assert!(!lab.path(".sandbook/journal.db").exists());
}
