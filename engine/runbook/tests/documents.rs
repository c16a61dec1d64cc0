//! What we show people is right: the examples of `README.md`, `docs/runbook.md`, `docs/audit.md` and
//! `docs/plugins/sources.md`, and the project that comes along.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sandbook_runbook::{
    Colour, Environment, Manifest, PluginName, Project, Report, Runbook, Source, check,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> Source {
    Source {
        name: path.display().to_string(),
        text: fs::read_to_string(path).unwrap(),
    }
}

fn expect<T>(result: Result<T, Report>) -> T {
    result.unwrap_or_else(|report| panic!("{}", report.render(Colour::Never)))
}

/// The manifests of our own plugins.
fn plugins() -> BTreeMap<PluginName, Manifest> {
    let folders = fs::read_dir(root().join("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().path().join("plugin.yaml"));
    let manifests = folders
        .filter(|path| path.is_file())
        .map(|path| expect(Manifest::parse(&read(&path))));
    manifests
        .map(|manifest| (manifest.name.clone(), manifest))
        .collect()
}

fn check_runbook(source: &Source, environment: Option<&Environment>) {
    let (runbook, warnings) = expect(Runbook::parse(source));
    let faults: Vec<_> = warnings
        .into_iter()
        .chain(check(&runbook, &plugins(), environment))
        .collect();
    assert!(
        faults.is_empty(),
        "{}",
        Report {
            source: source.clone(),
            faults
        }
        .render(Colour::Never)
    );
}

#[test]
fn the_examples_of_the_reference_pass_the_check() {
    let page = [
        "README.md",
        "docs/runbook.md",
        "docs/audit.md",
        "docs/plugins/sources.md",
    ]
    .map(|page| fs::read_to_string(root().join(page)).unwrap())
    .join("\n");
    let blocks = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```").map(|(block, _)| block));
    let mut examples = 0;
    for block in blocks {
        let (kind, text) = block.split_once('\n').unwrap_or((block, ""));
        let source = Source {
            name: format!("the example {}", text.lines().next().unwrap_or_default()),
            text: text.to_owned(),
        };
        match kind {
            "# runbook" => check_runbook(&source, None),
            "# environment" => drop(expect(Environment::parse(&source))),
            "# project" => drop(expect(Project::parse(&source))),
            _ => continue,
        }
        examples += 1;
    }
    assert!(examples >= 8, "only {examples} examples were found");
}

#[test]
fn our_own_runbooks_pass_the_check_in_the_demo() {
    let folder = root().join("runbooks");
    let demo = expect(Environment::parse(&read(
        &folder.join("environments/demo.yaml"),
    )));
    assert!(demo.is_rehearsal());
    expect(Environment::parse(&read(
        &folder.join("environments/production.example.yaml"),
    )));
    expect(Project::parse(&read(&folder.join("sandbook.yaml"))));
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let is_runbook =
            path.extension().is_some_and(|end| end == "yaml") && !path.ends_with("sandbook.yaml");
        if is_runbook {
            check_runbook(&read(&path), Some(&demo));
        }
    }
}
