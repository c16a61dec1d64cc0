//! The rules of allow lines once more, as plainly as can be: no types, no sharing, one character after the other.

use url::Url;

/// Whether a canonical line, which a grant shows itself as, permits a request. None where the line's host isn't
/// plain letters, digits, `-`, `_` and dots: the reference knows nothing of addresses and other scripts.
pub fn permits(line: &str, method: &str, url: &Url) -> Option<bool> {
    let (methods, location) = line.split_once(' ')?;
    let (scheme, rest) = location.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None if scheme == "https" => (authority, 443),
        None => (authority, 80),
    };
    let bare = host.strip_prefix("*.").unwrap_or(host);
    if !bare
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        return None;
    }
    Some(
        is_method(methods, method)
            && url.scheme() == scheme
            && url.port_or_known_default() == Some(port)
            && url.username().is_empty()
            && url.password().is_none()
            && is_host(host, url.host_str().unwrap_or_default())
            && is_path(
                &segments(path),
                &segments(url.path().strip_prefix('/').unwrap_or("/")),
            ),
    )
}

fn is_method(methods: &str, method: &str) -> bool {
    match methods {
        "*" => "GET HEAD OPTIONS POST PUT PATCH DELETE"
            .split(' ')
            .any(|m| m == method),
        list => list.split(',').any(|m| m == method),
    }
}

fn is_host(pattern: &str, host: &str) -> bool {
    let Some(domain) = pattern.strip_prefix("*.") else {
        return pattern == host;
    };
    let mut labels: Vec<&str> = host.split('.').collect();
    let mut domain: Vec<&str> = domain.split('.').collect();
    while let Some(label) = domain.pop() {
        if labels.pop() != Some(label) {
            return false;
        }
    }
    !labels.is_empty() && labels.iter().all(|label| !label.is_empty())
}

/// `/` has no segment at all, `/a/` has two.
fn segments(path: &str) -> Vec<&str> {
    if path.is_empty() {
        return Vec::new();
    }
    path.split('/').collect()
}

fn is_path(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.first().copied(), path.first().copied()) {
        (None, None) | (Some("**"), None) => true,
        (None, Some(_)) | (Some(_), None) => false,
        (Some("**"), Some("")) if path.len() == 1 => true,
        (Some("**"), Some(segment)) => is_name(segment) && is_path(pattern, &path[1..]),
        (Some("*"), Some(segment)) => is_name(segment) && is_path(&pattern[1..], &path[1..]),
        (Some(own), Some(segment)) => {
            letters(own) == letters(segment) && is_path(&pattern[1..], &path[1..])
        }
    }
}

/// What a segment says, letter by letter. An encoded letter is another one than the letter itself, but for those
/// that never need to be encoded; a `*` is one that always does.
fn letters(segment: &str) -> Vec<(u8, bool)> {
    let mut rest = segment.as_bytes();
    let mut letters = Vec::new();
    while let Some(first) = rest.first().copied() {
        let byte = encoded(rest);
        let letter = byte.unwrap_or(first);
        let needs_none = letter.is_ascii_alphanumeric() || b"-._~".contains(&letter);
        letters.push((letter, (byte.is_some() && !needs_none) || letter == b'*'));
        rest = &rest[if byte.is_some() { 3 } else { 1 }..];
    }
    letters
}

fn encoded(text: &[u8]) -> Option<u8> {
    if text.len() < 3 || text[0] != b'%' || !text[1..3].iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(&text[1..3]).ok()?, 16).ok()
}

/// Whether a wildcard may stand for it: as it is, decoded and decoded again it is a name and nothing else.
fn is_name(segment: &str) -> bool {
    let mut text = segment.as_bytes().to_vec();
    if text.is_empty() {
        return false;
    }
    for _ in 0..2 {
        let Some(decoded) = decoded(&text) else {
            return false;
        };
        let name: Vec<u8> = decoded
            .iter()
            .copied()
            .take_while(|byte| *byte != b';')
            .collect();
        if name == b"." || name == b".." {
            return false;
        }
        if decoded
            .iter()
            .any(|byte| byte.is_ascii_control() || b"/\\".contains(byte))
        {
            return false;
        }
        text = decoded;
    }
    !text.contains(&b'%')
}

/// None where a `%` encodes nothing.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text;
    let mut bytes = Vec::new();
    while let Some(first) = rest.first().copied() {
        let byte = encoded(rest);
        if first == b'%' && byte.is_none() {
            return None;
        }
        bytes.push(byte.unwrap_or(first));
        rest = &rest[if byte.is_some() { 3 } else { 1 }..];
    }
    Some(bytes)
}
