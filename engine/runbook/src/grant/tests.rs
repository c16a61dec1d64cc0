//! The grant against a naive reading of the same rules, and against itself.

use proptest::prelude::*;
use url::Url;

use super::*;

fn grant(line: &str) -> Grant {
    Grant::parse(line).unwrap_or_else(|fault| panic!("{line}: {fault}"))
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn requests_are_permitted_by_method_origin_and_path() {
    for (line, request, permitted) in [
        ("GET https://h/a", "https://h/a", true),
        ("GET https://h/a", "https://h/a?q=../x", true),
        ("GET https://h/a", "https://h/a/", false),
        ("GET https://h/a/", "https://h/a/", true),
        ("GET https://h/a", "http://h/a", false),
        ("GET https://h/a", "https://h:8443/a", false),
        ("GET https://h/a", "https://h:443/a", true),
        ("GET https://h:8443/a", "https://h:8443/a", true),
        ("GET https://h/a", "https://H/%61", true),
        ("GET https://h/a", "https://u@h/a", false),
        ("GET https://h/a", "https://h./a", false),
        ("GET https://h/", "https://h", true),
        ("GET https://h/*", "https://h/", false),
        ("GET https://h/*", "https://h/a", true),
        ("GET https://h/*", "https://h/a/b", false),
        ("GET https://h/*/b", "https://h/a/b", true),
        ("GET https://h/*/b", "https://h//b", false),
        ("GET https://h/**", "https://h/", true),
        ("GET https://h/**", "https://h/a/b/", true),
        ("GET https://h/**", "https://h/a//b", false),
        ("GET https://h/a/**", "https://h/a", true),
        ("GET https://h/a/**", "https://h/a/", true),
        ("GET https://h/a/**", "https://h/ab", false),
        ("GET https://h/a/**", "https://h/a/../b", false),
        ("GET https://h/a/**", "https://h/a/%2e%2e/b", false),
        ("GET https://h/a/**", "https://h/a/x%2f..%2f..%2fb", false),
        ("GET https://h/a/**", "https://h/a/..%5cb", false),
        ("GET https://h/a/**", "https://h/a/..;/b", false),
        ("GET https://h/a/**", "https://h/a/%252e%252e%252fb", false),
        ("GET https://h/a%2Fb", "https://h/a%2fb", true),
        ("GET https://h/a%2Fb", "https://h/a/b", false),
        ("GET https://h/a//b", "https://h/a//b", true),
        ("GET https://h/a:start", "https://h/a%3Astart", false),
        ("GET https://h/%2A", "https://h/*", true),
        ("GET https://*.h/", "https://a.b.h/", true),
        ("GET https://*.h/", "https://h/", false),
    ] {
        assert_eq!(
            grant(line).permits("GET", &url(request)),
            permitted,
            "{line} for {request}"
        );
    }
    let any = grant("* https://h/");
    for (method, permitted) in [
        ("DELETE", true),
        ("get", false),
        ("CONNECT", false),
        ("TRACE", false),
        ("", false),
    ] {
        assert_eq!(
            any.permits(method, &url("https://h/")),
            permitted,
            "{method}"
        );
    }
}

#[test]
fn a_grant_is_shown_in_one_way() {
    for (line, shown) in [
        (
            "  POST,GET   https://API.example.com:443/v1/%7Ea ",
            "GET,POST https://api.example.com/v1/~a",
        ),
        ("* http://h:80/**", "* http://h/**"),
        (
            "GET https://h/ü/{x}".replace("{x}", "y").as_str(),
            "GET https://h/%C3%BC/y",
        ),
        (
            "GET https://h/a%2f*".replace('*', "b").as_str(),
            "GET https://h/a%2Fb",
        ),
    ] {
        let grant = grant(line);
        assert_eq!(grant.to_string(), shown);
        assert_eq!(Grant::parse(shown).unwrap(), grant);
    }
}

#[test]
fn a_line_that_is_no_grant_says_why() {
    for (line, said) in [
        ("https://h/", "methods, a blank and a URL"),
        ("GET, POST https://h/", "without blanks between them"),
        ("GET https://h/ x", "a blank in its URL"),
        ("GETT https://h/", "did you mean `GET`?"),
        ("CONNECT https://h/", "not a method that can be granted"),
        ("GET,GET https://h/", "says nothing"),
        ("GET ftp://h/", "must begin with `https://`"),
        ("GET *://h/", "must begin with `https://`"),
        ("GET https://h", "it has no path"),
        ("GET https:///x", "is not a host"),
        ("GET https://a.*.h/", "can only be `*.` in front"),
        ("GET https://*/", "can only be `*.` in front"),
        ("GET https://*.127.0.0.1/", "the address"),
        ("GET https://h./", "ends in a dot"),
        ("GET https://h:0/", "not a port"),
        ("GET https://h:*/", "not a port"),
        ("GET https://u:p@h/", "no user name"),
        ("GET https://h/?a", "query strings"),
        ("GET https://h/#a", "fragments"),
        ("GET https://h/{a}", "is no hole"),
        ("GET https://h\\x/", "the character"),
        ("GET https://h/**/a", "only be last"),
        ("GET https://h/a*", "whole segment"),
        ("GET https://h/../a", "not a segment"),
        ("GET https://h/%2e/a", "not a segment"),
        ("GET https://h/100%", "hexadecimal"),
    ] {
        let fault = Grant::parse(line).unwrap_err().to_string();
        assert!(fault.contains(said), "{line}: {fault}");
    }
}

#[test]
fn a_ceiling_covers_by_methods() {
    let ceiling = [grant("GET https://*.h/**"), grant("POST https://*.h/a/*")];
    assert!(grant("GET,POST https://x.h/a/b").within(&ceiling));
    assert!(!grant("GET,POST https://x.h/a/b/c").within(&ceiling));
    assert!(!grant("DELETE https://x.h/a/b").within(&ceiling));
    assert!(!grant("GET https://x.h/a//b").within(&ceiling));
    assert!(!grant("GET https://x.h/a").within(&[]));
}

#[test]
fn a_denial_says_which_grant_is_missing() {
    let permission = Permission {
        step: vec![grant("* https://h/a/**")],
        ceiling: Some([grant("GET https://h/**")].into()),
    };
    let denial = |method, text| {
        permission
            .permits(method, &url(text))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(permission.permits("GET", &url("https://h/a/b?x=1")), Ok(()));
    assert_eq!(
        denial("GET", "https://u:secret@h:444/b?token=1"),
        "`GET https://h:444/b` is not granted: add `GET https://h:444/b` to the step's `allow`"
    );
    assert_eq!(
        denial("POST", "https://h/a/b?token=1"),
        "`POST https://h/a/b` is outside the environment's ceiling: no line of its `ceiling` permits it"
    );
    assert!(denial("GET", "https://h/a/x%2Fy").ends_with("; no wildcard stands for `x%2Fy`"));
    assert!(denial("GET", "https://h/a//y").ends_with("; no wildcard stands for an empty segment"));
}

/// The rules once more, as plainly as can be: texts, and recursion.
mod naive {
    pub(super) fn permits(line: &str, method: &str, request: &str) -> bool {
        let (methods, pattern) = line.split_once(' ').unwrap();
        let all = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
        let method_permitted = if methods == "*" {
            all.contains(&method)
        } else {
            methods.split(',').any(|m| m == method)
        };
        let request = request.split('?').next().unwrap();
        let (scheme, own) = pattern.split_once("://").unwrap();
        let (asked_scheme, asked) = request.split_once("://").unwrap();
        let (own_host, own_path) = own.split_once('/').unwrap();
        let (asked_host, asked_path) = asked.split_once('/').unwrap();
        method_permitted
            && scheme == asked_scheme
            && host(own_host, asked_host)
            && path(&split(own_path), &split(asked_path))
    }

    fn split(path: &str) -> Vec<&str> {
        if path.is_empty() {
            vec![]
        } else {
            path.split('/').collect()
        }
    }

    fn host(own: &str, asked: &str) -> bool {
        match own.strip_prefix("*.") {
            None => own == asked,
            Some(domain) => match asked.split_once('.') {
                None => false,
                Some((_, above)) => above == domain || host(own, above),
            },
        }
    }

    fn path(own: &[&str], asked: &[&str]) -> bool {
        match (own, asked) {
            ([], []) => true,
            (["**"], []) | (["**"], [""]) => true,
            (["**"], [first, rest @ ..]) => name(first) && path(own, rest),
            (["*", own @ ..], [first, rest @ ..]) => name(first) && path(own, rest),
            ([text, own @ ..], [first, rest @ ..]) => text == first && path(own, rest),
            _ => false,
        }
    }

    /// Of the segments that the tests use, those that a wildcard may stand for.
    fn name(segment: &str) -> bool {
        ["a", "b", "c%20d", "e.f"].contains(&segment)
    }
}

const SEGMENTS: [&str; 9] = [
    "a", "b", "c%20d", "e.f", "", "a%2Fb", "x%5Cy", "..;v", "%252F",
];

fn segment() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => prop::sample::select(&SEGMENTS[..4]), 1 => prop::sample::select(&SEGMENTS[4..])]
}

fn host_text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "h.example",
        "a.h.example",
        "b.a.h.example",
        "xh.example",
        "127.0.0.1",
        "h.example:8443",
    ])
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["GET", "POST", "DELETE", "get", "TRACE"])
}

prop_compose! {
    fn request()(
        scheme in prop::sample::select(vec!["http", "https"]),
        host in host_text(),
        path in prop::collection::vec(segment(), 0..4),
        query in prop::sample::select(vec!["", "?a=/x/*"]),
    ) -> String {
        format!("{scheme}://{host}/{}{query}", path.join("/"))
    }
}

prop_compose! {
    fn line()(
        methods in prop::sample::select(vec!["GET", "POST", "GET,POST", "*"]),
        scheme in prop::sample::select(vec!["http", "https"]),
        below in prop::bool::ANY,
        host in host_text(),
        path in prop::collection::vec(prop_oneof![2 => segment(), 1 => Just("*")], 0..4),
        rest in prop::bool::ANY,
    ) -> String {
        let front = if below && !host.starts_with('1') { "*." } else { "" };
        let mut path = path;
        if rest {
            path.push("**");
        }
        format!("{methods} {scheme}://{front}{host}/{}", path.join("/"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn it_permits_what_a_naive_reading_permits(line in line(), method in method(), request in request()) {
        let permitted = grant(&line).permits(method, &url(&request));
        prop_assert_eq!(permitted, naive::permits(&line, method, &request), "{} for {} {}", line, method, request);
    }

    #[test]
    fn the_canonical_line_is_the_same_grant(line in line()) {
        let grant = grant(&line);
        prop_assert_eq!(&Grant::parse(&grant.to_string()).unwrap(), &grant);
    }

    #[test]
    fn what_is_within_a_ceiling_is_permitted_by_it(
        line in line(), ceiling in prop::collection::vec(line(), 1..3), method in method(), request in request()
    ) {
        let (one, ceiling) = (grant(&line), ceiling.iter().map(|line| grant(line)).collect::<Vec<_>>());
        if one.within(&ceiling) && one.permits(method, &url(&request)) {
            prop_assert!(ceiling.iter().any(|grant| grant.permits(method, &url(&request))));
        }
    }

    #[test]
    fn what_both_permit_is_an_overlap(one in line(), two in line(), method in method(), request in request()) {
        let (one, two) = (grant(&one), grant(&two));
        prop_assert!(one.within(std::slice::from_ref(&one)));
        prop_assert_eq!(one.overlaps(&two), two.overlaps(&one));
        prop_assert!(!one.within(std::slice::from_ref(&two)) || one.overlaps(&two));
        if one.permits(method, &url(&request)) && two.permits(method, &url(&request)) {
            prop_assert!(one.overlaps(&two));
        }
    }

    #[test]
    fn no_text_breaks_the_reader(line in "(GET )?(https?://)?[-a-z*.:/@%{}\\[\\]ü0-9 ]{0,24}") {
        if let Ok(grant) = Grant::parse(&line) {
            prop_assert_eq!(Grant::parse(&grant.to_string()).unwrap(), grant);
        }
    }
}
