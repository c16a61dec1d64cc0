use insta::assert_snapshot;

use super::{RUN, desk};
use crate::support::{Lab, plain::plain};

#[test]
fn help() {
    assert_snapshot!(Lab::new().sandbook(&["--help"]).ok().out);
}

#[test]
fn list() {
    let (_cloud, lab) = desk();
    assert_snapshot!(plain(&lab.sandbook(&["list"]).ok().out, &lab));
    lab.sandbook(&RUN).ok();
    lab.sandbook(&["list"]).ok().says("tell");
}

#[test]
fn check() {
    let (_cloud, lab) = desk();
    let said = lab.sandbook(&["check"]).ok();
    assert_snapshot!(plain(&(said.out + &said.err), &lab));
    for one in ["tell", "tell.yaml"] {
        lab.sandbook(&["check", one])
            .ok()
            .says("1 document checked");
    }

    lab.write(
        "faulty.yaml",
        "name: faulty\nsteps:\n  - id: a\n    uses: nop\n    tiemout: 3s\n  - id: a\n    needs: [b]\n    uses: http-request\n    with: { uri: 7 }\n    allow: [FETCH nowhere]\n",
    );
    let said = lab.sandbook(&["check"]).exits(2);
    assert_snapshot!("check_faulty", plain(&(said.out + &said.err), &lab));
}

#[test]
fn plan() {
    let (cloud, lab) = desk();
    let arguments = ["plan", "tell", "--env", "drill", "-i", "text=all is well"];
    assert_snapshot!(plain(&lab.sandbook(&arguments).ok().out, &lab));

    let mut json = arguments.to_vec();
    json.extend(["--output", "json"]);
    let plan = lab.sandbook(&json).ok().json();
    assert_eq!(plan["runbook"], "tell");
    assert_eq!(plan["steps"][1]["id"], "post");
    assert_eq!(plan["steps"][1]["allow"][0]["may_change"], true);

    let ceiling = lab.sandbook(&["plan", "--ceiling"]).ok();
    assert_snapshot!("plan_ceiling", plain(&ceiling.out, &lab));
    assert!(cloud.requests().is_empty());
}

#[test]
fn an_inspected_step_can_be_pasted() {
    let (_cloud, lab) = desk();
    let plugin = crate::support::target().join("plugins/http-request.wasm");
    let plugin = plugin.to_str().unwrap();
    let said = lab.sandbook(&["plugin", "inspect", plugin]).ok();
    assert_snapshot!("plugin_inspect", plain(&said.out, &lab));
    let said = lab.sandbook(&["plugin", "inspect", plugin, "--step"]).ok();
    assert_snapshot!("plugin_inspect_step", said.out);
    lab.write(
        "pasted.yaml",
        &format!("name: pasted\nsteps:\n{}", said.out),
    );
    let checked = lab.sandbook(&["check", "pasted.yaml"]);
    // What to fill in is still to be filled in, and nothing else is wrong.
    assert!(!checked.err.contains("unknown key"), "{}", checked.err);
}

#[test]
fn schemas_and_completions() {
    let lab = Lab::new();
    for kind in ["runbook", "environment", "manifest"] {
        let schema = lab.sandbook(&["schema", kind]).ok().json();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = lab.sandbook(&["completions", shell]).ok().out;
        assert!(script.contains("sandbook"), "{shell}");
    }
}

#[test]
fn whoami() {
    let lab = Lab::new();
    let said = lab.sandbook(&["whoami"]).ok();
    assert_snapshot!(plain(&said.out, &lab));
}

#[test]
fn a_project_is_made_that_runs_at_once() {
    let lab = Lab::new();
    let made = lab.sandbook(&["init", "made"]).ok();
    assert_snapshot!(plain(&made.out, &lab));
    let within = |arguments: &[&str]| {
        let output = lab
            .command(arguments)
            .current_dir(lab.path("made"))
            .output()
            .unwrap();
        crate::support::Said::from(output)
    };
    within(&["check"]).ok();
    within(&["run", "hello"]).ok().says("hello, world");
    // It doesn't write over what is there.
    assert_ne!(lab.sandbook(&["init", "made"]).status, Some(0));
}
