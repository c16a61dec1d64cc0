//! The code that the guide shows is code that is built: each snippet stands, as it is, in the step that it is taken from.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{markdown, repository};

/// The files that a page's snippets are taken from, by their language.
fn sources(page: &str, language: &str) -> Vec<PathBuf> {
    let at = |path: &str| repository().join(path);
    let guide = |file: &str| vec![at("plugins/examples/retire-pool").join(file)];
    match (page, language) {
        ("docs/plugins/sdk.md", "rust") => ["lib.rs", "http.rs", "testing.rs"]
            .map(|file| at("plugins/sdk/src").join(file))
            .to_vec(),
        (_, "rust") => guide("rust/src/lib.rs"),
        (_, "typescript") => guide("typescript/src/step.ts"),
        (_, "python") => guide("python/plugin.py"),
        (_, "go") => guide("go/main.go"),
        (_, "c") => guide("c/src/step.c"),
        (_, "yaml") => [guide("all/plugin.yaml"), guide("all/cases.yaml")].concat(),
        _ => Vec::new(),
    }
}

/// The file's lines; of what stands in a comment of Rust's, what is in it.
fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let line = line
            .strip_prefix("//!")
            .map_or(line, |line| line.strip_prefix(' ').unwrap_or(line));
        line.to_owned()
    });
    lines.collect()
}

/// The lines without the margin that they all have.
fn flush(lines: &[impl AsRef<str>]) -> Vec<String> {
    let lines = || lines.iter().map(AsRef::as_ref);
    let margin = |line: &str| line.len() - line.trim_start().len();
    let least = lines()
        .filter(|line| !line.trim().is_empty())
        .map(margin)
        .min();
    lines()
        .map(|line| {
            line.get(least.unwrap_or_default()..)
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

fn stands_in(snippet: &[String], source: &Path) -> bool {
    let lines = lines(source);
    lines
        .windows(snippet.len())
        .any(|window| flush(window) == snippet)
}

#[test]
fn each_snippet_is_code_that_is_built() {
    let mut found = 0;
    let mut missing = Vec::new();
    for page in ["docs/plugin.md", "docs/plugins/sdk.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        for block in markdown::blocks(&text) {
            let sources = sources(page, &block.language);
            // Whole files of YAML are used by the commands around them.
            if sources.is_empty() || block.text.starts_with("# ") && block.language == "yaml" {
                continue;
            }
            found += 1;
            let snippet: Vec<&str> = block.text.lines().collect();
            let snippet = flush(&snippet);
            if !sources.iter().any(|source| stands_in(&snippet, source)) {
                missing.push(format!("{page}: not in {sources:?}:\n{}", block.text));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(found > 20, "only {found} snippets were found");
}
