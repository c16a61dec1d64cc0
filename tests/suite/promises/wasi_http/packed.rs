//! That a plugin has such a client is something that its manifest says, and that people see.

use std::fs;

use sandbook_sandbox::pack;

use crate::promises::stage::Stage;
use crate::support::target;

const MANIFEST: &str = "\
name: puppet
version: 0.1.0
description: Does what its input says.
contract: sandbook:step@0.1.0
inputs: { type: object }
outputs: { type: object }
";

const UNSAID: &str = "and its manifest doesn't say so; write `wasi_http: true` into `plugin.yaml`";

#[test]
fn unsaid_it_is_not_packed() {
    let stage = Stage::new();
    let component = target().join("test-plugins/puppet.wasm");
    let component = component.to_str().unwrap();
    let pack = |manifest: &str| {
        stage.lab.write("plugin.yaml", manifest);
        let to = ["--manifest", "plugin.yaml", "--to", "packed.wasm"];
        let arguments = [&["plugin", "pack", component][..], &to].concat();
        stage.lab.sandbook(&arguments)
    };
    pack(MANIFEST).exits(2).says(UNSAID).says("`wasi:http/");
    pack(&format!("{MANIFEST}wasi_http: false\n"))
        .exits(2)
        .says(UNSAID);
    pack(&format!("{MANIFEST}wasi_http: yes please\n"))
        .exits(2)
        .says("wasi_http");
    pack(&format!("{MANIFEST}wasi_http: true\n")).ok();
    stage
        .lab
        .sandbook(&["plugin", "check", "./packed.wasm"])
        .ok();
}

#[test]
fn whoever_takes_it_out_of_the_manifest_is_found_out() {
    let stage = Stage::new();
    let packed = fs::read(target().join("test-plugins/puppet.wasm")).unwrap();
    let manifest = br#"{"wasi_http": false}"#;
    assert!(pack(&packed, manifest).is_err());
    // As a stranger's packer would have it: the key is renamed in the bytes.
    let (said, other) = (&br#""wasi_http":true"#[..], &br#""wasi_httq":true"#[..]);
    let at = packed.windows(said.len()).rposition(|bytes| bytes == said);
    let mut forged = packed;
    forged[at.unwrap()..][..said.len()].copy_from_slice(other);
    fs::write(stage.lab.path("forged.wasm"), forged).unwrap();
    for arguments in [
        ["plugin", "inspect", "./forged.wasm"],
        ["plugin", "check", "./forged.wasm"],
    ] {
        stage.lab.sandbook(&arguments).exits(2).says(UNSAID);
    }
    stage.lab.write(
        "sandbook.yaml",
        "state: .sandbook\nplugins: { forged: forged.wasm }\n",
    );
    stage.job("steps: [{ id: a, uses: forged }]\n");
    for arguments in [&["check", "job.yaml"][..], &["run", "job", "--env", "test"]] {
        stage.lab.sandbook(arguments).exits(2).says(UNSAID);
    }
}

#[test]
fn people_see_it() {
    let stage = Stage::new();
    let inspected = stage.lab.sandbook(&["plugin", "inspect", "puppet"]).ok();
    inspected.says("send HTTP requests by its own client (`wasi:http`)");
    stage.job("steps: [{ id: a, uses: puppet, with: { actions: [] } }, { id: b, uses: noop }]\n");
    let plan = ["plan", "job", "--env", "test"];
    let planned = stage.lab.sandbook(&plan).ok();
    assert_eq!(
        planned.out.matches("wasi:http").count(),
        1,
        "{}",
        planned.out
    );
    stage.lab.write("old.yaml", MANIFEST);
    let noop = target().join("test-plugins/noop.wasm");
    let to = ["--manifest", "old.yaml", "--to", "old.wasm"];
    let pack = [&["plugin", "pack", noop.to_str().unwrap()][..], &to].concat();
    stage.lab.sandbook(&pack).ok();
    let new = target().join("test-plugins/puppet.wasm");
    let diff = ["plugin", "diff", "./old.wasm", new.to_str().unwrap()];
    let said = stage.lab.sandbook(&diff);
    assert!(
        said.out.contains("interface wasi:http/outgoing-handler"),
        "{said:?}"
    );
}
