//! The commands that the pages about plugins show, run as they stand there, one after the other, in a folder of their own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use simcloud::{Cloud, Options};

use super::built::example;
use super::services::{Answer, Services};
use crate::support::markdown::{self, Block};
use crate::support::{Lab, Said, repository, target};

/// The pages whose commands are run.
const PAGES: [&str; 5] = [
    "docs/plugin.md",
    "docs/plugins/languages.md",
    "docs/plugins/sdk.md",
    "docs/plugins/testing.md",
    "plugins/examples/README.md",
];

/// What a block of code can be. Only those of `sh` are commands, so that none is shown that isn't run.
const KINDS: [&str; 9] = [
    "c",
    "go",
    "python",
    "rust",
    "sh",
    "text",
    "toml",
    "typescript",
    "yaml",
];

fn read(page: &str) -> String {
    fs::read_to_string(repository().join(page)).unwrap()
}

/// The page as a script: its commands, and the files between them that say where they lie: `# environments/demo.yaml`.
fn script(page: &str) -> String {
    markdown::blocks(page)
        .into_iter()
        .filter_map(|Block { language, text }| match language.as_str() {
            "sh" => Some(text),
            "yaml" => {
                let said = text.lines().next()?.strip_prefix("# ")?;
                let path = said.split([',', ' ']).next()?;
                let is_path = path.ends_with(".yaml");
                is_path.then(|| {
                    format!("mkdir -p \"$(dirname {path})\"\ncat > {path} <<'END'\n{text}END\n")
                })
            }
            _ => None,
        })
        .collect()
}

/// A shell in this folder that finds the built `sandbook`, and the toolchains as xtask/src/tools.rs has them. It gets
/// nothing from anywhere: all that is needed was got when the examples were built.
fn shell(folder: &Path, script: &str) -> Said {
    let tools = target().join("tools");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [
        target().join("debug"),
        tools.join("venv/bin"),
        tools.join("cargo/bin"),
    ];
    let path = std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)));
    let state = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-eux", "-c", script])
        .current_dir(folder)
        .env("PATH", path.unwrap())
        // One for all commands, so that a plugin is compiled once.
        .env("SANDBOOK_HOME", state.path().join("state"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target().join("guests"))
        .env("GOCACHE", tools.join("go/cache"))
        .env("GOPATH", tools.join("go/path"))
        .env("GOPROXY", "off")
        .env(
            "GOFLAGS",
            format!("-modfile={}", tools.join("go/go.mod").display()),
        )
        .env("ZIG_GLOBAL_CACHE_DIR", tools.join("zig"))
        .env("npm_config_cache", tools.join("npm"))
        .env("npm_config_offline", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Said::from(output)
}

/// Follows the guide from nothing, in this language.
fn the_guide_leads_to_a_step(language: &str) {
    if example(&format!("new-{language}")).is_none() {
        return;
    }
    let services = Services::start(|asked| match asked.line.as_str() {
        "GET www.example.com/page" => Answer::json(&json!({ "title": "Hello" })),
        _ => Answer::text(404, "nothing here"),
    });
    let shown = script(&read("docs/plugin.md"));
    let script = shown
        .replace("--lang python", &format!("--lang {language}"))
        .replace("http://127.0.0.1:8080", &services.origin());
    assert!(
        shown.contains("--lang python") && shown.contains("http://127.0.0.1:8080"),
        "{shown}"
    );
    let folder = tempfile::tempdir().unwrap();
    let said = shell(folder.path(), &script).exits(0);
    assert!(said.out.contains("all went as expected"), "{}", said.out);
    // `plugin run` did ask the service.
    assert!(!services.asked().is_empty(), "{}", said.err);
}

#[test]
fn the_guide_in_rust() {
    the_guide_leads_to_a_step("rust");
}

#[test]
fn the_guide_in_typescript() {
    the_guide_leads_to_a_step("typescript");
}

#[test]
fn the_guide_in_python() {
    the_guide_leads_to_a_step("python");
}

#[test]
fn the_guide_in_go() {
    the_guide_leads_to_a_step("go");
}

#[test]
fn the_guide_in_c() {
    the_guide_leads_to_a_step("c");
}

#[test]
fn testing() {
    let cloud = Cloud::start_thread(Options::healthy()).unwrap();
    let lab = Lab::flagship(cloud.origin().trim_start_matches("http://"));
    fs::copy(
        lab.path("plugins/post-status.wasm"),
        lab.path("post-status.wasm"),
    )
    .unwrap();
    let script = script(&read("docs/plugins/testing.md"));
    let said = shell(&lab.path(""), &script).exits(0);
    assert_eq!(
        said.out.matches("all went as expected").count(),
        2,
        "{}",
        said.out
    );
}

#[test]
fn an_example_as_a_project_of_its_own() {
    if example("new-typescript").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repository().join("plugins"), folder.path().join("plugins"))
        .unwrap();
    let script = script(&read("plugins/examples/README.md"));
    let said = shell(folder.path(), &script).exits(0);
    assert!(said.out.contains("all went as expected"), "{}", said.out);
}

#[test]
fn every_block_says_what_it_is() {
    for page in PAGES {
        for block in markdown::blocks(&read(page)) {
            assert!(
                KINDS.contains(&block.language.as_str()),
                "{page}:\n{}",
                block.text
            );
        }
    }
    for page in ["docs/plugins/languages.md", "docs/plugins/sdk.md"] {
        assert_eq!(
            script(&read(page)),
            "",
            "no test runs the commands of `{page}`"
        );
    }
}
