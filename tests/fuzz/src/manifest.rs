//! A manifest of any bytes, as a component holds it and as its author writes it.

use sandbook_runbook::{Colour, Manifest, Source};
use serde_json::json;

pub(crate) fn read(bytes: &[u8]) {
    match Manifest::from_json(bytes) {
        Ok(manifest) => used(&manifest),
        Err(report) => {
            assert!(report.has_errors());
            assert!(!report.render(Colour::Never).is_empty());
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let source = Source {
        name: "plugin.yaml".to_owned(),
        text: text.to_owned(),
    };
    match Manifest::parse(&source) {
        Ok(manifest) => used(&manifest),
        Err(report) => assert!(!report.render(Colour::Never).is_empty()),
    }
}

/// It is written as it was read, and its schemas can be held against values.
fn used(manifest: &Manifest) {
    let written = manifest.to_json();
    let again = Manifest::from_json(written.as_bytes());
    let again =
        again.unwrap_or_else(|report| panic!("{written}: {}", report.render(Colour::Never)));
    assert_eq!(again.to_json(), written);
    let schemas = [manifest.input_schema(), manifest.output_schema()];
    for schema in schemas {
        let schema = schema.unwrap_or_else(|fault| panic!("{written}: {fault}"));
        for value in [
            json!({}),
            json!({ "url": "x", "a": [1, { "b": null }] }),
            json!(7),
        ] {
            assert_eq!(schema.takes(&value), schema.misfits(&value).is_empty());
        }
    }
    assert!(manifest.sensitive_outputs().count() <= manifest.output_names().count());
}
