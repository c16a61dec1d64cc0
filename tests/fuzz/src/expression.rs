//! An expression of any text over a small world: it comes to a bounded value, or says why not.

use std::sync::LazyLock;

use sandbook_runbook::{Expression, Scope, Stand, StepFacts, StepId, Template};
use serde_json::{Map, Value, json};

/// The largest value that an expression may come to, in bytes of text and keys.
const LARGEST: usize = 8 << 20;

static STEP: LazyLock<StepId> =
    LazyLock::new(|| StepId::new("done").expect("invariant: `done` is an id"));

static SCOPE: LazyLock<Scope> = LazyLock::new(|| {
    let inputs = json!({
        "n": 3, "big": u64::MAX, "half": 0.5, "name": "web", "list": [3, 1, 2], "none": null,
        "on": true, "object": { "a": [1, { "b": "c" }] },
    });
    let inputs: Map<String, Value> = inputs.as_object().cloned().unwrap_or_default();
    let mut scope = Scope::new(
        &inputs,
        &json!({ "o": { "a-b": 1 }, "xs": [{ "k": "p" }, { "k": "q" }], "text": "a,b,c" }),
    );
    scope.set_step(
        &STEP,
        StepFacts {
            status: "succeeded",
            changed: true,
            outputs: json!({ "url": "https://h" }),
            error: None,
        },
    );
    scope
});

pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Expression::parse(text) {
        Err(fault) => {
            assert!(fault.at.start <= fault.at.end && fault.at.end <= text.len());
            assert!(text.get(fault.at.clone()).is_some(), "{fault:?}");
        }
        Ok(expression) => evaluated(&expression),
    }
    let value = json!({ "whole": text, "within": [format!("a {text} b")] });
    match Template::parse(&value) {
        Err(faults) => assert!(!faults.is_empty()),
        Ok(template) => {
            let rendered = template.render(&SCOPE);
            assert!(!template.is_literal() || rendered.is_ok());
        }
    }
}

fn evaluated(expression: &Expression) {
    // Its text is an expression again, and the same one, unless a quoted mark in it opens another.
    if !expression.source().contains("${{") {
        let again = Expression::parse(expression.source());
        assert_eq!(again.as_ref(), Ok(expression));
    }
    for stand in [Stand::NotRun, Stand::Failed, Stand::Succeeded] {
        expression.is_undefined_when(&STEP, stand);
    }
    let first = expression.eval(&SCOPE);
    if let Ok(value) = &first {
        assert!(weight(value) <= LARGEST);
    }
    assert_eq!(first, expression.eval(&SCOPE));
}

fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| key.len() + weight(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}
