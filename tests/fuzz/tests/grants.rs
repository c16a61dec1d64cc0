//! Grants and ceilings against the reference, over lines and requests that nearly fit each other.

use std::sync::Arc;

use fuzz::reference;
use proptest::prelude::*;
use proptest::sample::select;
use sandbook_runbook::{Grant, Permission};
use url::Url;

fn segment() -> impl Strategy<Value = &'static str> {
    let names = select(vec![
        "a", "b", "a%20b", "%7Ea", "~a", "a;x", "A", "%C3%BC", "ü",
    ]);
    let odd = select(vec![
        "", "a%2Fb", "a%2fb", "..%5cb", "%252e", "100%25", "a*", "%2A", "..;", "%00", "a:b", "\"",
    ]);
    prop_oneof![4 => names, 1 => odd]
}

fn host() -> impl Strategy<Value = &'static str> {
    select(vec![
        "h.example",
        "a.h.example",
        "b.a.h.example",
        "xh.example",
        "H.Example",
        "h.example.",
        "h",
        "example",
    ])
}

fn port() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", ":80", ":443", ":8443"])
}

fn scheme() -> impl Strategy<Value = &'static str> {
    select(vec!["http", "https"])
}

fn method() -> impl Strategy<Value = &'static str> {
    select(vec!["GET", "POST", "DELETE", "get", "TRACE", ""])
}

prop_compose! {
    fn request()(
        scheme in scheme(), host in host(), port in port(), path in prop::collection::vec(segment(), 0..4),
        query in select(vec!["", "?a=/../*"]),
    ) -> Url {
        let text = format!("{scheme}://{host}{port}/{}{query}", path.join("/"));
        Url::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}

prop_compose! {
    fn grant()(
        methods in select(vec!["GET", "POST", "GET,POST", "DELETE,GET", "*"]), scheme in scheme(),
        below in select(vec!["", "*."]), host in host(), port in port(),
        path in prop::collection::vec(prop_oneof![2 => segment(), 1 => Just("*")], 0..4),
        rest in select(vec!["", "/**"]),
    ) -> Option<Grant> {
        Grant::parse(&format!("{methods} {scheme}://{below}{host}{port}/{}{rest}", path.join("/"))).ok()
    }
}

fn expected(grants: &[Grant], method: &str, url: &Url) -> bool {
    grants.iter().any(|grant| {
        let permitted = reference::permits(&grant.to_string(), method, url);
        permitted.unwrap_or_else(|| panic!("the reference doesn't know `{grant}`"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_permitted_when_the_reference_permits_it(
        step in prop::collection::vec(grant(), 0..4), ceiling in prop::collection::vec(grant(), 0..4),
        method in method(), url in request(),
    ) {
        let step: Vec<Grant> = step.into_iter().flatten().collect();
        let ceiling: Vec<Grant> = ceiling.into_iter().flatten().collect();
        let (by_step, by_ceiling) = (expected(&step, method, &url), expected(&ceiling, method, &url));
        let bounded = Permission { step: step.clone(), ceiling: Some(Arc::from(ceiling)) };
        let denial = bounded.permits(method, &url).err();
        prop_assert_eq!(denial.is_none(), by_step && by_ceiling, "{} {}: {:?}", method, url, bounded);
        if let Some(denial) = denial {
            prop_assert_eq!(denial.is_outside_ceiling(), by_step);
        }
        let unbounded = Permission { step, ceiling: None };
        prop_assert_eq!(unbounded.permits(method, &url).is_ok(), by_step);
    }

    #[test]
    fn what_a_line_was_made_from_is_permitted_by_it(
        url in request(), method in select(vec!["GET", "POST"]), stars in prop::collection::vec(any::<bool>(), 4),
    ) {
        let mut line = format!("{method} {}", &url[..url::Position::BeforePath]);
        for (segment, star) in url.path()[1..].split('/').zip(stars) {
            line.push('/');
            line.push_str(if star && segment.chars().all(char::is_alphanumeric) && !segment.is_empty() {
                "*"
            } else {
                segment
            });
        }
        if let Ok(grant) = Grant::parse(&line) {
            prop_assert!(grant.permits(method, &url), "{} for {}", grant, url);
        }
    }
}
