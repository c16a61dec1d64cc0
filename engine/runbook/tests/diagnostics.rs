//! What people read when a document is wrong: each case is a file.
//!
//! `tests/diagnostics/KIND-NAME.yaml` is a runbook, an environment, a manifest, a project or cases, and
//! `KIND-NAME.txt` beside it is what is said of it. A runbook is checked with the plugins in `plugins/`; a
//! first line `# environment: NAME` adds the environment of that name in `environments/`, and a second one
//! `# inputs: JSON` plans a run. `UPDATE_EXPECT=1 cargo test -p sandbook-runbook` writes the expected texts anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sandbook_runbook::{
    Cases, CheckedRunbook, Colour, Environment, Manifest, Plan, PluginName, Project, Report,
    Runbook, Source, check,
};
use serde_json::{Map, Value};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

fn read(path: &Path) -> Source {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Source {
        name,
        text: fs::read_to_string(path).unwrap(),
    }
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort();
    paths
}

fn plugins() -> BTreeMap<PluginName, Manifest> {
    let manifests = yaml_files(&folder().join("plugins"))
        .into_iter()
        .map(|path| {
            let manifest = Manifest::parse(&read(&path))
                .unwrap_or_else(|report| panic!("{}", report.render(Colour::Never)));
            (manifest.name.clone(), manifest)
        });
    manifests.collect()
}

/// What a case's first lines say in a comment.
fn directive<'a>(source: &'a Source, key: &str) -> Option<&'a str> {
    let comments = source.text.lines().take_while(|line| line.starts_with('#'));
    comments
        .filter_map(|line| {
            line.strip_prefix("# ")?
                .strip_prefix(key)?
                .strip_prefix(": ")
        })
        .next()
}

/// What is said of a document.
fn said(source: &Source) -> String {
    let rendered = |faults| {
        Report {
            source: source.clone(),
            faults,
        }
        .render(Colour::Never)
    };
    let of_report = |report: Report| report.render(Colour::Never);
    match source.name.split('-').next() {
        Some("cases") => Cases::parse(source).map_or_else(of_report, |_| String::new()),
        Some("environment") => Environment::parse(source).map_or_else(of_report, |_| String::new()),
        Some("manifest") => Manifest::parse(source).map_or_else(of_report, |_| String::new()),
        Some("project") => Project::parse(source).map_or_else(of_report, |_| String::new()),
        Some("runbook") => {
            let environment = directive(source, "environment").map(|name| {
                let path = folder().join("environments").join(format!("{name}.yaml"));
                Environment::parse(&read(&path))
                    .unwrap_or_else(|report| panic!("{}", of_report(report)))
            });
            let more = |runbook: &Runbook| Some(check(runbook, &plugins(), environment.as_ref()));
            match Runbook::parse_with(source, more) {
                Err(report) => of_report(report),
                Ok((runbook, warnings)) => {
                    let faults = match directive(source, "inputs") {
                        Some(inputs) => {
                            let inputs: Map<String, Value> = serde_json::from_str(inputs).unwrap();
                            CheckedRunbook::new(runbook, plugins(), [], environment)
                                .and_then(|(runbook, _)| Plan::new(runbook, inputs))
                                .map_or_else(|faults| faults, |_| Vec::new())
                        }
                        None => check(&runbook, &plugins(), environment.as_ref()),
                    };
                    rendered(warnings.into_iter().chain(faults).collect())
                }
            }
        }
        _ => panic!("`{}` has no kind in its name", source.name),
    }
}

#[test]
fn every_fault_is_told_as_expected() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut differ = Vec::new();
    let mut cases = 0;
    for path in yaml_files(&folder()) {
        cases += 1;
        let expected_path = path.with_extension("txt");
        let said = said(&read(&path));
        if update {
            fs::write(&expected_path, &said).unwrap();
        } else if fs::read_to_string(&expected_path).unwrap_or_default() != said {
            differ.push(format!("== {}\n{said}", path.display()));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(cases >= 30, "only {cases} cases were found");
}

#[test]
fn a_report_says_its_places_and_shows_them_in_colour() {
    let source = read(&folder().join("runbook-unknown-keys.yaml"));
    let report = Runbook::parse(&source).unwrap_err();
    let first = &report.located()[0];
    assert_eq!(
        (first.line, first.column, first.path.as_str()),
        (2, 1, "descripton")
    );
    assert!(report.has_errors());
    assert!(report.render(Colour::Always).contains("\u{1b}["));
    assert!(!report.render(Colour::Never).contains('\u{1b}'));
}

#[test]
fn each_rule_of_the_shape_holds_alone() {
    let refused = |text: &str| {
        let source = Source {
            name: "alone.yaml".to_owned(),
            text: text.to_owned(),
        };
        let said = [
            Runbook::parse(&source).map_or_else(|report| report.faults, |_| Vec::new()),
            Environment::parse(&source).map_or_else(|report| report.faults, |_| Vec::new()),
            Manifest::parse(&source).map_or_else(|report| report.faults, |_| Vec::new()),
        ];
        assert!(said.iter().all(|faults| !faults.is_empty()), "{text}");
    };
    for step in [
        "uses: a, retry: { delay: 1s }",
        "uses: a, retry: { attempts: 0 }",
        "uses: a, retry: { attempts: 101 }",
        "uses: a, needs: ~",
        "uses: a, name: ~",
        "uses: a, timeout: ~",
        "assert: { condition: true }",
    ] {
        refused(&format!("name: x\nsteps: [{{ id: a, {step} }}]"));
    }
    refused("name: x\nsteps: []");
    refused("name: x\nsteps: [{ id: a, wait: 1s }]\ninputs: { a: { type: string, enum: [] } }");
    refused("name: x\nsteps: [{ id: a, wait: 1s }]\ninputs: { a: {} }");
    refused("name: x");
    for credential in [
        "kind: bearer, origins: [https://a.example.com]",
        "kind: bearer, secret: { env: X }",
        "kind: bearer, secret: { env: X }, origins: []",
        "kind: bearer, secret: { env: '' }, origins: [https://a.example.com]",
        "secret: { env: X }, origins: [https://a.example.com]",
    ] {
        refused(&format!(
            "name: x\nceiling: []\ncredentials: {{ a: {{ {credential} }} }}"
        ));
    }
    let manifest = "name: x\ndescription: x\ninputs: { type: object }\noutputs: { type: object }";
    refused(&format!(
        "{manifest}\nversion: ''\ncontract: sandbook:step@0.1.0"
    ));
    refused(&format!(
        "{manifest}\nversion: '1'\ncontract: sandbook:step@0.2.0"
    ));
    refused(&format!(
        "{manifest}\nversion: '1'\ncontract: sandbook:step@0.1.0\nslots: {{ a: {{ optional: true }} }}"
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_text_breaks_reading_or_showing(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        removed in 0..12_usize,
        inserted in prop::sample::select(vec![
            "", "\"", "'", "- ", ": ", "{", "[", "&a", "*a", "!t", "\t", "\r\n", "---\n", "|\n", ">-\n", "#", "ü\u{1f600}", "\u{feff}",
            "${{ ", " }}", "? ", "<<: ", "\0", "%YAML 1.1\n", "\u{85}", "\u{2028}",
        ]),
    ) {
        let paths = yaml_files(&folder());
        let mut source = read(&paths[which.index(paths.len())]);
        let characters: Vec<char> = source.text.chars().collect();
        let at = at.index(characters.len() + 1);
        let rest = &characters[(at + removed).min(characters.len())..];
        source.text = characters[..at].iter().collect::<String>() + inserted + &rest.iter().collect::<String>();
        for report in [
            Runbook::parse(&source).err(),
            Environment::parse(&source).err(),
            Manifest::parse(&source).err(),
            Project::parse(&source).err(),
            Cases::parse(&source).err(),
        ].into_iter().flatten() {
            report.located();
            prop_assert!(!report.render(Colour::Never).is_empty());
        }
    }
}
