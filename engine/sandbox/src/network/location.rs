//! A URL, read once: what is checked is what is sent.

use url::{Host, Url};

/// The longest URL, in bytes.
const LONGEST: usize = 8 << 10;

/// Why a URL is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocationFault {
    #[error("the URL is longer than {LONGEST} bytes")]
    Long,
    #[error("the URL holds a control character or a space")]
    Character,
    #[error("the URL holds a backslash")]
    Backslash,
    #[error("the URL is not absolute, `http://…` or `https://…`")]
    NotAbsolute,
    #[error("the URL can't be read: {0}")]
    Unreadable(String),
    #[error("the URL holds user information before the host")]
    UserInformation,
    #[error("the host is not written in its canonical form, `{0}`")]
    Host(String),
    #[error("the host ends with a dot")]
    TrailingDot,
    #[error("port 0 is no port")]
    Port,
    #[error("the path holds an encoded `{0}`")]
    Encoded(String),
    #[error("the path holds a `.` or `..` segment")]
    Dots,
    #[error("the path holds a `%` that encodes nothing")]
    Percent,
}

impl LocationFault {
    /// Whether the text is no URL at all, rather than one that nobody may ask for.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(
            self,
            LocationFault::Character
                | LocationFault::NotAbsolute
                | LocationFault::Unreadable(_)
                | LocationFault::Percent
        )
    }
}

/// Reads a URL. Refused is whatever two parsers might read differently, so that the policy, the
/// connection and the service see the same host and the same path. The fragment is dropped.
pub(crate) fn location(text: &str) -> Result<Url, LocationFault> {
    if text.len() > LONGEST {
        return Err(LocationFault::Long);
    }
    if text
        .chars()
        .any(|character| character.is_control() || character.is_whitespace())
    {
        return Err(LocationFault::Character);
    }
    if text.contains('\\') {
        return Err(LocationFault::Backslash);
    }
    let (authority, path) = split(text).ok_or(LocationFault::NotAbsolute)?;
    if authority.contains('@') {
        return Err(LocationFault::UserInformation);
    }
    let mut url = Url::parse(text).map_err(|error| LocationFault::Unreadable(error.to_string()))?;
    check_host(authority, &url)?;
    check_path(path)?;
    url.set_fragment(None);
    // The client writes the request line from this type: what it can't hold can't be sent.
    http::Uri::try_from(url.as_str())
        .map_err(|error| LocationFault::Unreadable(error.to_string()))?;
    Ok(url)
}

/// Authority and path as they are written.
fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    (!authority.is_empty()).then_some((authority, path))
}

fn check_host(authority: &str, url: &Url) -> Result<(), LocationFault> {
    let canonical = url.host_str().ok_or(LocationFault::NotAbsolute)?;
    let written = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    };
    if written.ends_with('.') || canonical.ends_with('.') {
        return Err(LocationFault::TrailingDot);
    }
    // An address in decimal, octal or hexadecimal, a percent-encoded name and the like differ here.
    let same = match url.host() {
        Some(Host::Domain(_)) => same_name(written, canonical),
        _ => written.eq_ignore_ascii_case(canonical),
    };
    if !same {
        return Err(LocationFault::Host(canonical.to_owned()));
    }
    if url.port() == Some(0) {
        return Err(LocationFault::Port);
    }
    Ok(())
}

/// Whether two names are the same apart from letter case and from labels that are written in another
/// script and stand in the canonical name as `xn--…`. A look-alike that maps to plain ASCII is not.
fn same_name(written: &str, canonical: &str) -> bool {
    let (written, canonical) = (written.split('.'), canonical.split('.'));
    written.clone().count() == canonical.clone().count()
        && written.zip(canonical).all(|(written, canonical)| {
            if written.is_ascii() {
                written.eq_ignore_ascii_case(canonical)
            } else {
                canonical.starts_with("xn--")
            }
        })
}

fn check_path(path: &str) -> Result<(), LocationFault> {
    let bytes = decoded(path)?;
    for (at, (byte, is_encoded)) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1).map(|(next, _)| *next);
        // Decoded twice, `%252f` is a slash too, and `%25%32%66`.
        let twice = *byte == b'%' && next.is_some_and(|next| next.is_ascii_hexdigit());
        let hidden = matches!(byte, b'/' | b'\\' | b'.') || byte.is_ascii_control();
        if *is_encoded && (twice || hidden || is_overlong(*byte, next)) {
            return Err(LocationFault::Encoded(
                char::from(*byte).escape_default().to_string(),
            ));
        }
    }
    // Some servers cut `;…` off a segment before they look at it.
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(dots) {
        return Err(LocationFault::Dots);
    }
    Ok(())
}

/// The bytes of a path, and which of them are written as an encoding.
fn decoded(path: &str) -> Result<Vec<(u8, bool)>, LocationFault> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push((*first, false));
            rest = after;
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let byte = digit(0)
            .zip(digit(1))
            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            .ok_or(LocationFault::Percent)?;
        bytes.push((byte, true));
        rest = &after[2..];
    }
    Ok(bytes)
}

/// Whether a sequence begins here that says in more bytes than UTF-8 has for it what fewer say: to a careless
/// reader `%C0%AF` is a slash.
fn is_overlong(byte: u8, next: Option<u8>) -> bool {
    match (byte, next) {
        (0xc0 | 0xc1, _) => true,
        (0xe0, Some(next)) => (0x80..0xa0).contains(&next),
        (0xf0, Some(next)) => (0x80..0x90).contains(&next),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_url_is_taken_as_it_is() {
        for (text, taken) in [
            (
                "https://api.example.com/v1/pages?x=1&y=%2F..%0A",
                "https://api.example.com/v1/pages?x=1&y=%2F..%0A",
            ),
            ("HTTPS://API.Example.com:443", "https://api.example.com/"),
            (
                "http://127.0.0.1:7070/a#fragment",
                "http://127.0.0.1:7070/a",
            ),
            ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"),
            ("https://h/100%25/x", "https://h/100%25/x"),
            ("https://h/100%25%20x", "https://h/100%25%20x"),
            ("https://h/%E2%82%AC/%fc", "https://h/%E2%82%AC/%fc"),
            (
                "https://h/a%20b/c:d;e=1/~f/a..b/...",
                "https://h/a%20b/c:d;e=1/~f/a..b/...",
            ),
            (
                "https://bücher.example/ü",
                "https://xn--bcher-kva.example/%C3%BC",
            ),
            (
                "https://xn--bcher-kva.example/",
                "https://xn--bcher-kva.example/",
            ),
        ] {
            assert_eq!(location(text).unwrap().as_str(), taken);
        }
    }

    #[test]
    fn what_two_parsers_might_read_differently_is_refused() {
        use LocationFault as F;
        let host = |canonical: &str| F::Host(canonical.to_owned());
        let encoded = |what: &str| F::Encoded(what.to_owned());
        for (text, fault) in [
            ("https://h/a b", F::Character),
            (" https://h/", F::Character),
            ("https://h/\r\nx: y", F::Character),
            ("https://h/\ta", F::Character),
            ("https://h\u{85}/", F::Character),
            ("https://h\\@evil/", F::Backslash),
            ("https:\\\\h/", F::Backslash),
            ("https:/h/", F::NotAbsolute),
            ("https:h", F::NotAbsolute),
            ("https:///h/", F::NotAbsolute),
            ("//h/", F::NotAbsolute),
            ("/path", F::NotAbsolute),
            ("ftp://h/", F::NotAbsolute),
            ("file:///etc/passwd", F::NotAbsolute),
            ("", F::NotAbsolute),
            ("https://user@h/", F::UserInformation),
            ("https://user:pass@h/", F::UserInformation),
            ("https://@h/", F::UserInformation),
            (
                "https://h%40evil/",
                F::Unreadable("invalid international domain name".to_owned()),
            ),
            ("http://2130706433/", host("127.0.0.1")),
            ("http://0x7f000001/", host("127.0.0.1")),
            ("http://0177.0.0.1/", host("127.0.0.1")),
            ("http://127.1/", host("127.0.0.1")),
            ("http://[0:0:0:0:0:0:0:1]/", host("[::1]")),
            ("http://[::ffff:127.0.0.1]/", host("[::ffff:7f00:1]")),
            ("https://ex%61mple.com/", host("example.com")),
            ("https://ｅxample.com/", host("example.com")),
            ("https://example。com/", host("example.com")),
            ("https://exam\u{ad}ple.com/", host("example.com")),
            ("https://①.①.①.①/", host("1.1.1.1")),
            ("https://example.com./", F::TrailingDot),
            ("https://127.0.0.1./", F::TrailingDot),
            ("https://h:0/", F::Port),
            ("https://h/a/../b", F::Dots),
            ("https://h/./b", F::Dots),
            ("https://h/a/..", F::Dots),
            ("https://h/a/..;x/b", F::Dots),
            ("https://h/a/%2e%2E/b", encoded(".")),
            ("https://h/a%2fb", encoded("/")),
            ("https://h/a%5Cb", encoded("\\\\")),
            ("https://h/a%252fb", encoded("%")),
            ("https://h/a%25%32%66b", encoded("%")),
            ("https://h/a%252%66b", encoded("%")),
            ("https://h/%c0%ae%c0%ae/b", encoded("\\u{c0}")),
            ("https://h/a%e0%80%afb", encoded("\\u{e0}")),
            ("https://h/a%f0%80%80%afb", encoded("\\u{f0}")),
            ("https://h/a%0d%0ab", encoded("\\r")),
            ("https://h/a%00", encoded("\\u{0}")),
            ("https://h/a%zz", F::Percent),
            ("https://h/a%", F::Percent),
            ("https://h/%2ü", F::Percent),
        ] {
            assert_eq!(location(text).unwrap_err(), fault, "{text:?}");
        }
        assert_eq!(
            location(&format!("https://h/{}", "a".repeat(LONGEST))),
            Err(F::Long)
        );
        assert!(location("https://h:65536/").unwrap_err().is_malformed());
    }
}
