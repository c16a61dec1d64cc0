//! What a case's step is granted, and the environment that it runs in.

use std::collections::BTreeSet;

use sandbook_runbook::{Case, Origin, Runbook, Scope, Source};
use serde_json::{Map, Value, json};

use crate::refused::Refused;

/// What the step is granted, its holes filled.
pub(super) fn grants(
    runbook: &Runbook,
    inputs: &Map<String, Value>,
) -> Result<Vec<String>, Refused> {
    let scope = Scope::new(inputs, &Value::Null);
    let lines = runbook.uses().flat_map(|using| &using.allow);
    lines
        .map(|line| match line.resolve(&scope) {
            Ok(grant) => Ok(grant.to_string()),
            Err(fault) => Err(Refused::because(format!("its grants: {fault}"))),
        })
        .collect()
}

/// An environment in which the case's credentials go wherever the case has requests, and nothing real is reached.
pub(super) fn environment(case: &Case, grants: &[String]) -> Source {
    let asked = case
        .exchanges
        .iter()
        .map(|exchange| exchange.request.request.origin());
    let granted = grants.iter().filter_map(|grant| origin_of(grant));
    let mut origins: BTreeSet<String> = asked.chain(granted).map(|it| it.to_string()).collect();
    if origins.is_empty() {
        origins.insert("https://nowhere.invalid".to_owned());
    }
    let credentials: Map<String, Value> = case
        .credentials
        .iter()
        .map(|(slot, secret)| {
            let credential = json!({
                "kind": "bearer", "secret": { "literal": secret }, "origins": origins,
            });
            (slot.to_string(), credential)
        })
        .collect();
    let reroute: Map<String, Value> = origins
        .iter()
        .map(|origin| (origin.clone(), json!("http://127.0.0.1:9")))
        .collect();
    let environment = json!({
        "name": "test",
        "credentials": credentials,
        "ceiling": grants,
        "network": { "reroute": reroute },
    });
    Source {
        name: "environments/test.yaml".to_owned(),
        text: environment.to_string(),
    }
}

/// The origin of a grant that is about one.
fn origin_of(grant: &str) -> Option<Origin> {
    let (_, place) = grant.split_once(' ')?;
    let (scheme, rest) = place.split_once("://")?;
    let authority = rest.split('/').next()?;
    format!("{scheme}://{authority}").parse().ok()
}
