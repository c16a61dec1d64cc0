//! A request of any text at a gate: refused, or one that every parser reads the same.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use sandbook_sandbox::gate::{
    Asked, Before, Durability, Entry, Gate, HttpLimits, Mode, Passage, Policy, Record, Request,
    Stop, Writing,
};
use sandbook_sandbox::network::{IpRange, Network, NetworkRules};
use url::Url;

/// Lines: a method, a URL, and header fields `name: value`. `␀`, `␉`, `␊` and `␍` stand for the control characters
/// that they are the pictures of.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.lines().map(meant);
    let method = lines.next().unwrap_or_default();
    let url = lines.next().unwrap_or_default();
    let field = |line: String| match line.split_once(": ") {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (line, String::new()),
    };
    let request = Request {
        method,
        url,
        headers: lines.map(field).collect(),
        ..Request::default()
    };
    let Some(checked) = checked(request.clone()) else {
        return;
    };
    plain(&request);
    read_alike(&request.url, &checked);
    let again = Request {
        url: checked.to_string(),
        ..request
    };
    let again = self::checked(again);
    assert_eq!(again.as_ref(), Some(&checked), "not the same again");
}

fn meant(line: &str) -> String {
    let picture = |c| match c {
        '␀' => '\0',
        '␉' => '\t',
        '␊' => '\n',
        '␍' => '\r',
        c => c,
    };
    line.chars().map(picture).collect()
}

/// Notes what it is asked about, and permits nothing, so that nothing is sent.
#[derive(Default)]
struct Noting(Mutex<Option<Url>>);

impl Policy for Noting {
    fn permits(&self, _: &str, url: &Url) -> Result<(), String> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.clone());
        Err("noted".to_owned())
    }
}

/// Asserts that each refusal says what was tried and why.
struct Told;

impl Record for Told {
    fn answered_before(&self, _: &Asked) -> Result<Before, Stop> {
        Ok(Before::No)
    }

    fn write(&self, entry: Entry, _: Durability) -> Writing<'_> {
        let Entry::Denied {
            method, url, why, ..
        } = entry
        else {
            panic!("only refusals can be on record: {entry:?}");
        };
        for text in [&method, &url, &why] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        assert!(!why.is_empty());
        Box::pin(async { Ok(()) })
    }
}

/// The URL that a policy is asked about; none where the request is refused before.
fn checked(request: Request) -> Option<Url> {
    let private = ["0.0.0.0/0", "::/0"]
        .map(|range| IpRange::parse(range).expect("invariant: the ranges above are some"));
    let policy = Arc::new(Noting::default());
    let gate = Gate::new(Passage {
        policy: Arc::<Noting>::clone(&policy),
        credentials: BTreeMap::new(),
        reveal: BTreeSet::new(),
        network: Arc::new(Network::new(NetworkRules {
            private: private.to_vec(),
            reroute: Vec::new(),
        })),
        partition: String::new(),
        record: Arc::new(Told),
        mode: Mode::DryRun,
        limits: HttpLimits::default(),
        redactor: Arc::default(),
    });
    // Nothing in it waits: what is refused meets neither a network nor a disk.
    let sending = pin!(gate.send(request, None));
    match sending.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(_)) => {}
        other => panic!("nothing is permitted: {other:?}"),
    }
    let mut noted = policy.0.lock().unwrap_or_else(PoisonError::into_inner);
    noted.take()
}

/// What passed has no character that ends a line, and no field that is the connection's.
fn plain(request: &Request) {
    let methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
    assert!(methods.contains(&request.method.as_str()));
    let control = |text: &str| text.chars().any(|c| c.is_control() && c != '\t');
    assert!(!control(&request.url) && !request.url.contains(char::is_whitespace));
    let framing = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
        "trailer",
        "proxy-authorization",
    ];
    for (name, value) in &request.headers {
        assert!(!control(name) && !control(value) && !name.is_empty());
        assert!(!framing.iter().any(|other| name.eq_ignore_ascii_case(other)));
    }
}

/// RFC 3986 by hand over what the guest wrote, and the parser of the HTTP client over what is sent, both read what
/// was checked.
fn read_alike(written: &str, checked: &Url) {
    let sent: http::Uri = checked
        .as_str()
        .parse()
        .unwrap_or_else(|error| panic!("{checked}: {error}"));
    assert_eq!(sent.scheme_str(), Some(checked.scheme()));
    assert_eq!(sent.host(), checked.host_str());
    assert_eq!(sent.port_u16(), checked.port());
    assert_eq!(sent.path(), checked.path());
    assert_eq!(sent.query(), checked.query());
    assert_eq!(checked.fragment(), None);

    let (scheme, rest) = written
        .split_once("://")
        .expect("invariant: it is absolute");
    assert!(scheme.eq_ignore_ascii_case(checked.scheme()));
    let rest = rest.split('#').next().unwrap_or_default();
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    assert!(!authority.contains('@'));
    let colon = authority
        .rfind(':')
        .filter(|at| !authority[*at..].contains(']'));
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    let canonical = checked.host_str().unwrap_or_default();
    if host.is_ascii() {
        assert!(host.eq_ignore_ascii_case(canonical), "{written}: {checked}");
    } else {
        assert!(canonical.contains("xn--"), "{written}: {checked}");
    }
    let port = port.strip_prefix(':').filter(|port| !port.is_empty());
    let port = port.map(|port| port.parse().expect("invariant: a port is a number"));
    assert_eq!(
        port.or(default(checked.scheme())),
        checked.port_or_known_default()
    );
    let path = if path.is_empty() { "/" } else { path };
    assert_eq!(
        decoded(path),
        decoded(checked.path()),
        "{written}: {checked}"
    );
    assert_eq!(
        path.matches('/').count(),
        checked.path().matches('/').count()
    );
    assert_eq!(query.map(decoded), checked.query().map(decoded));
}

fn default(scheme: &str) -> Option<u16> {
    Some(if scheme == "https" { 443 } else { 80 })
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| {
                *first == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
            })
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}
