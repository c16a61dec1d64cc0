//! A runbook, an environment and a project of any text: read, checked and planned, or refused with places in the text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sandbook_runbook::{
    CheckedRunbook, Colour, Environment, Fault, Manifest, Plan, PluginName, Project, Report,
    Runbook, Source, check,
};
use serde_json::Map;

static PLUGINS: LazyLock<BTreeMap<PluginName, Manifest>> = LazyLock::new(|| {
    let manifest = source(
        "name: http-check
version: 0.1.0
description: Asks a URL until it answers.
contract: sandbook:step@0.1.0
inputs:
  type: object
  required: [url]
  properties:
    url: { type: string }
    status: { type: integer, minimum: 100, maximum: 599 }
outputs: { type: object, properties: { status: { type: integer }, token: { type: string, sensitive: true } } }
allow: ['GET {url}']
slots: { auth: { description: Authenticates the requests., optional: true } }
",
    );
    let manifest = Manifest::parse(&manifest).expect("invariant: the manifest above is one");
    BTreeMap::from([(manifest.name.clone(), manifest)])
});

static ENVIRONMENT: LazyLock<Environment> = LazyLock::new(|| {
    let environment = source(
        "name: test
vars: { page: abc, sites: [{ name: east }, { name: west }], host: api.example.com }
credentials:
  api: { kind: bearer, secret: { env: API }, origins: [https://api.example.com] }
ceiling: ['* https://*.example.com/**']
",
    );
    Environment::parse(&environment).expect("invariant: the environment above is one")
});

pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = source(text);
    if let Err(report) = Environment::parse(&source) {
        shown(&report);
    }
    if let Err(report) = Project::parse(&source) {
        shown(&report);
    }
    let more = |runbook: &Runbook| Some(check(runbook, &PLUGINS, Some(&ENVIRONMENT)));
    let runbook = match Runbook::parse_with(&source, more) {
        Ok((runbook, _)) => runbook,
        Err(report) => return shown(&report),
    };
    let told = |faults: Vec<Fault>| {
        shown(&Report {
            source: source.clone(),
            faults,
        });
    };
    let environment = Some(ENVIRONMENT.clone());
    match CheckedRunbook::new(runbook, PLUGINS.clone(), [], environment) {
        Err(faults) => told(faults),
        Ok((runbook, warnings)) => {
            told(warnings);
            if let Err(faults) = Plan::new(runbook, Map::new()) {
                told(faults);
            }
        }
    }
}

fn source(text: &str) -> Source {
    Source {
        name: "any.yaml".to_owned(),
        text: text.to_owned(),
    }
}

/// A fault has a place in the text, and can be shown.
fn shown(report: &Report) {
    let lines = report.source.text.matches('\n').count() + 1;
    for located in report.located() {
        assert!((1..=lines).contains(&located.line), "{located:?}");
        assert!(!located.message.is_empty(), "{located:?}");
    }
    assert_eq!(
        report.render(Colour::Never).is_empty(),
        report.faults.is_empty()
    );
}
