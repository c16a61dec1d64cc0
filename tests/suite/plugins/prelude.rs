//! What the TypeScript template brings for the web's globals, against Node's own.

use std::process::Command;

use super::built::example;
use crate::support::{Said, repository, target};

#[test]
fn the_web_globals_do_as_nodes_do() {
    let project = target().join("examples/new-typescript/project");
    if example("new-typescript").is_none() {
        return;
    }
    let templates = repository().join("engine/cli/templates/typescript/src");
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("prelude.mjs");
    let bundled = Command::new(project.join("node_modules/.bin/esbuild"))
        .arg(repository().join("tests/suite/plugins/prelude.ts"))
        .args([
            "--bundle",
            "--format=esm",
            "--platform=node",
            "--log-level=warning",
        ])
        .arg(format!("--alias:template={}", templates.display()))
        .arg(format!("--outfile={}", bundle.display()))
        .output()
        .unwrap();
    Said::from(bundled).exits(0);
    let compared = Command::new("node").arg(&bundle).output().unwrap();
    Said::from(compared).exits(0);
}
