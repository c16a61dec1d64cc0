//! Grants, ceilings and requests of any text: what is permitted is what the reference permits, and no more under a ceiling.

use std::slice;
use std::sync::Arc;

use sandbook_runbook::{AllowLine, Ask, Grant, Permission, Scope};
use serde_json::{Map, json};
use url::Url;

use crate::reference;

/// Lines: a step's allow line, a line of a ceiling, a method, a URL, and a value that fills the first line's holes.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let (line, ceiling, method, url, value) = (next(), next(), next(), next(), next());

    if let Ok(ask) = Ask::parse(line) {
        assert_eq!(Ask::parse(&ask.to_string()).as_ref(), Ok(&ask));
    }
    let (Some(grant), Some(ceiling)) = (granted(line, value), grant(ceiling)) else {
        return;
    };
    let within = grant.within(slice::from_ref(&ceiling));
    assert!(!within || grant.overlaps(&ceiling), "{grant} in {ceiling}");
    assert_eq!(grant.overlaps(&ceiling), ceiling.overlaps(&grant));
    let Ok(url) = Url::parse(url) else { return };

    let (by_step, by_ceiling) = (grant.permits(method, &url), ceiling.permits(method, &url));
    for (grant, permitted) in [(&grant, by_step), (&ceiling, by_ceiling)] {
        if let Some(expected) = reference::permits(&grant.to_string(), method, &url) {
            assert_eq!(permitted, expected, "{grant} for {method} {url}");
        }
    }
    assert!(
        !(within && by_step) || by_ceiling,
        "{grant} in {ceiling}: {url}"
    );
    assert!(!(by_step && by_ceiling) || grant.overlaps(&ceiling));
    let permission = Permission {
        step: vec![grant],
        ceiling: Some(Arc::from([ceiling])),
    };
    let permitted = permission.permits(method, &url);
    assert_eq!(permitted.is_ok(), by_step && by_ceiling, "{method} {url}");
    if let Err(denial) = permitted {
        assert_eq!(denial.is_outside_ceiling(), by_step);
        assert!(denial.to_string().contains(method));
    }
}

/// What a line becomes with a value in its holes. It stays in its place: with a name in it, which a wildcard stands
/// for, what is granted lies within the line that a ceiling would have for it.
fn granted(line: &str, value: &str) -> Option<Grant> {
    let Ok(allow) = AllowLine::parse(line) else {
        return grant(line);
    };
    let inputs = Map::from_iter([("x".to_owned(), json!(value))]);
    let scope = Scope::new(&inputs, &json!({ "x": value }));
    let granted = allow.resolve(&scope).ok()?;
    let is_name = value
        .chars()
        .all(|c| c.is_alphanumeric() || " -_".contains(c));
    if let Some(open) = allow.for_ceiling().filter(|_| is_name) {
        let open = AllowLine::parse(&open).expect("invariant: a ceiling's line is one");
        let open = open.resolve(&scope);
        let open = open.unwrap_or_else(|fault| panic!("{line} with {value:?}: {fault}"));
        assert!(
            granted.within(slice::from_ref(&open)),
            "{granted} in {open}"
        );
    }
    round_trips(&granted);
    Some(granted)
}

fn grant(line: &str) -> Option<Grant> {
    let grant = Grant::parse(line).ok()?;
    round_trips(&grant);
    Some(grant)
}

fn round_trips(grant: &Grant) {
    assert_eq!(Grant::parse(&grant.to_string()).as_ref(), Ok(grant));
    assert!(grant.within(slice::from_ref(grant)) && grant.overlaps(grant));
}
