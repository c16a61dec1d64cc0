//! What is checked is what is sent: the bytes that arrive, beside what the policy was asked about.

use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use tokio::runtime::Runtime;
use url::Position;

use super::{addresses, service::Service, *};
use crate::network::location;

/// Permits everything, and notes what it is asked about.
#[derive(Default)]
struct Noting(Mutex<Option<Url>>);

impl Policy for Noting {
    fn permits(&self, _: &str, url: &Url) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(url.clone());
        Ok(())
    }
}

/// A service under every name, and a gate before it.
struct Wire {
    runtime: Runtime,
    service: Service,
    network: Arc<Network>,
}

impl Wire {
    fn new() -> Wire {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let service = runtime.block_on(Service::start(Log::default(), Vec::new()));
        Wire {
            runtime,
            service,
            network: addresses::network(&["127.0.0.1"], &["127.0.0.1"]),
        }
    }

    /// What was checked, and the bytes that arrived; none where the request was refused.
    fn send(&self, by: By, request: Request) -> Option<(Url, String)> {
        let policy = Arc::new(Noting::default());
        let gate = Gate::new(Passage {
            policy: Arc::<Noting>::clone(&policy),
            ..passage(Arc::clone(&self.network), &Arc::default())
        });
        let sent = self.runtime.block_on(by.send(&gate, request, None));
        let arrived = self.service.seen.lock().unwrap().pop();
        let checked = policy.0.lock().unwrap().take();
        assert_eq!(sent.is_ok(), arrived.is_some(), "{sent:?} {arrived:?}");
        assert_eq!(checked.is_some(), arrived.is_some(), "{checked:?}");
        checked.zip(arrived)
    }

    /// The service's address under another name.
    fn authority(&self, host: &str) -> String {
        let origin = self.service.origin();
        origin.replace("http://127.0.0.1", host)
    }
}

/// Runs a property over so many cases; a panic in it is its failure.
fn holds<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, property: impl Fn(T)) {
    let config = Config {
        cases: 1500,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let done = runner.run(strategy, |value| {
        property(value);
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}

fn pieces() -> impl Strategy<Value = String> {
    let ordinary = select(vec![
        "/", "a", "bc", "-", ".", "~x", ":", "=", "&", "%20", "%C3%BC", "*", "'", "(", ",", "$",
    ]);
    let odd = select(vec![
        "//", "..", "/../", "/./", ";", "..;", "%2e", "%2F", "%5c", "\\", "%25", "%252f", "%",
        "%00", "%0d%0a", "@", "#", "?", " ", "\t", "\r\n", "\0", "ü", "{", "|", "^", "`", "\"",
        "<", "%c0%af", "\u{202e}", "[",
    ]);
    let piece = prop_oneof![6 => ordinary, 1 => odd];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn the_bytes_that_arrive_are_what_was_checked() {
    By::ALL.into_iter().for_each(the_bytes_that_arrive);
}

fn the_bytes_that_arrive(by: By) {
    let wire = Wire::new();
    let hosts = select(vec![
        "127.0.0.1",
        "api.example",
        "API.Example",
        "bücher.example",
        "xn--bcher-kva.example",
        "a_b.example",
        "ａpi.example",
        "api.example.",
        "0x7f.1",
    ]);
    let passed = Mutex::new(0);
    holds(&(hosts, pieces(), pieces()), |(host, path, query)| {
        let text = format!("http://{}/{path}?{query}", wire.authority(host));
        let request = plain("GET", &text);
        let Some((checked, arrived)) = wire.send(by, request) else {
            return;
        };
        *passed.lock().unwrap() += 1;
        assert_eq!(location(checked.as_str()).as_ref(), Ok(&checked));
        let target = &checked[Position::BeforePath..Position::AfterQuery];
        let line = format!("GET {target} HTTP/1.1");
        assert_eq!(arrived.lines().next(), Some(line.as_str()), "{text}");
        let authority = &checked[Position::BeforeHost..Position::AfterPort];
        let hosts: Vec<&str> = arrived
            .lines()
            .filter_map(|line| line.strip_prefix("host: "))
            .collect();
        assert_eq!(hosts, [authority], "{text}");
        // As the guest wrote it: nothing was resolved, decoded or moved on the way.
        if text.is_ascii() && !text.contains('#') {
            let written = text.split_once("://").unwrap().1;
            let written = written.split_once('/').unwrap().1;
            let escaped = |text: &str| {
                let mut text = text.to_owned();
                for (character, code) in [
                    ("\"", "%22"),
                    ("<", "%3C"),
                    ("`", "%60"),
                    ("{", "%7B"),
                    ("'", "%27"),
                ] {
                    text = text.replace(character, code);
                }
                text
            };
            assert_eq!(escaped(target), escaped(&format!("/{written}")));
        }
    });
    let passed = passed.into_inner().unwrap();
    assert!(passed > 100, "only {passed} passed");
}

#[test]
fn the_fields_that_arrive_are_the_plugins_and_the_clients() {
    By::ALL.into_iter().for_each(the_fields_that_arrive);
}

fn the_fields_that_arrive(by: By) {
    let wire = Wire::new();
    let names = select(vec![
        "accept",
        "X-A",
        "x-a",
        "cookie",
        "Content-Type",
        "x-b",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "expect",
        "te",
        "proxy-authorization",
        "a b",
        "",
        "ü",
        "a:",
        "x\r\nhost",
        "user-agent",
    ]);
    let values = select(vec![
        "1",
        "two words",
        "",
        "ü",
        "a:b",
        "\t",
        "x\r\nhost: evil",
        "x\n y",
        "\0",
        "\u{7f}",
        "chunked",
    ]);
    let fields = prop::collection::vec((names, values), 0..4);
    let methods = select(vec![
        "GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH",
    ]);
    let passed = Mutex::new(0);
    let bodies = select(vec![
        None,
        Some(""),
        Some("GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n"),
    ]);
    holds(&(methods, fields, bodies), |(method, fields, body)| {
        let mut request = plain(method, &format!("http://{}/x", wire.authority("h")));
        for (name, value) in &fields {
            request = with_field(request, name, value);
        }
        request.body = body.map(|body| Bytes::from_static(body.as_bytes()));
        let Some((_, arrived)) = wire.send(by, request) else {
            return;
        };
        *passed.lock().unwrap() += 1;
        let (head, rest) = arrived.split_once("\r\n\r\n").unwrap();
        assert_eq!(rest, body.unwrap_or_default());
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some(format!("{method} /x HTTP/1.1").as_str()));
        let arrived: Vec<(&str, &str)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name, value.trim()))
            .collect();
        let own = ["host", "accept", "user-agent", "content-length"];
        let given: BTreeSet<String> = fields.iter().map(|(name, _)| name.to_lowercase()).collect();
        for (name, _) in &arrived {
            assert!(own.contains(name) || given.contains(*name), "{head}");
        }
        for framing in ["host", "content-length"] {
            let times = arrived.iter().filter(|(name, _)| *name == framing).count();
            assert!(times <= 1, "{head}");
            assert!(!given.contains(framing), "{head}");
        }
        for (name, value) in &fields {
            let (name, value) = (name.to_lowercase(), value.trim());
            assert!(arrived.contains(&(name.as_str(), value)), "{name}: {head}");
        }
    });
    let passed = passed.into_inner().unwrap();
    assert!(passed > 100, "only {passed} passed");
}

#[tokio::test]
async fn a_refusal_says_what_was_tried() {
    let (_service, notes, passage) = bench(Vec::new()).await;
    let gate = Gate::new(passage);
    let url = format!("{ORIGIN}/x");
    let long = "n".repeat(1000);
    for (request, told, why) in [
        (
            plain("CONNECT", &url),
            "`CONNECT https://api.example.com/x`: ",
            "the method is not",
        ),
        (
            plain("G\r\nET", &url),
            "`G\\r\\nET https://api.example.com/x`: ",
            "the method is not",
        ),
        (
            plain("GET", "http://0x7f.1/"),
            "`GET http://0x7f.1/`: ",
            "canonical form, `127.0.0.1`",
        ),
        (
            plain("GET", "https://h/\r\n"),
            "`GET https://h/\\r\\n`: ",
            "a control character",
        ),
        (
            plain("GET", "https://h\u{202e}/\u{2028}"),
            "`GET https://h\\u{202e}/\\u{2028}`: ",
            "a control character",
        ),
        (
            with_field(plain("GET", &url), "a\r\nb", "x"),
            "/x`: ",
            "the name of the header field `a\\r\\nb`",
        ),
        (
            with_field(plain("GET", &url), &format!("{long} "), "x"),
            "/x`: ",
            "the name of a header field",
        ),
        (
            with_field(plain("GET", &url), "Host", "h"),
            "/x`: ",
            "the header field `host`",
        ),
        (
            plain("GET", "https://other.example/"),
            "`GET https://other.example/`: ",
            "not rerouted",
        ),
        // A policy says it itself.
        (
            request("PUT", "/forbidden"),
            "needs `PUT https://api.example.com/forbidden`",
            "needs",
        ),
    ] {
        let Err(Refusal::Guest(error)) = gate.send(request, None).await else {
            panic!("{told}")
        };
        let reason = error.reason();
        assert!(reason.contains(told) && reason.contains(why), "{reason}");
        assert!(!reason.contains(char::is_control), "{reason:?}");
        let entries = notes.entries.lock().unwrap();
        let Some(Entry::Denied { why: recorded, .. }) = entries.last() else {
            panic!("{entries:?}")
        };
        assert!(recorded.contains(why), "{recorded}");
    }
}
