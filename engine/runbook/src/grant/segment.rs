//! The segments of a path, and how what is percent-encoded in them counts.
//!
//! Segments are compared in one form: what the `url` crate makes of them, then an encoded unreserved
//! character (letter, digit, `-`, `.`, `_`, `~`) is decoded, the hexadecimal digits of every other
//! encoding are capitals, and a bare `*` is `%2A`. RFC 3986 calls these forms equivalent. Nothing else
//! is decoded: `a%2Fb` and `a/b` are different things, and `a%3Bb` and `a;b` are.

use std::borrow::Cow;

/// A segment in the form in which it is compared.
pub(super) fn canonical(segment: &str) -> Cow<'_, str> {
    if !segment.contains(['%', '*']) {
        return Cow::Borrowed(segment);
    }
    let mut text = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(character) = rest.chars().next() {
        let (_, after) = rest.split_at(character.len_utf8());
        rest = match (character, encoded(rest)) {
            ('%', Some(byte)) if is_unreserved(byte) => {
                text.push(char::from(byte));
                &rest[3..]
            }
            ('%', Some(byte)) => {
                push_encoded(&mut text, byte);
                &rest[3..]
            }
            ('*', _) => {
                push_encoded(&mut text, b'*');
                after
            }
            _ => {
                text.push(character);
                after
            }
        };
    }
    Cow::Owned(text)
}

/// Whether a wildcard may stand for this segment.
///
/// A wildcard means a name, and no server may read more than a name into it. It never stands for a
/// segment that is empty, or that, decoded once or twice, holds `/`, `\`, a control character or a
/// `%` that encodes nothing, or that is `.` or `..`, also with parameters behind a `;`.
pub(super) fn is_plain(segment: &str) -> bool {
    let mut text = segment.as_bytes().to_vec();
    if text.is_empty() {
        return false;
    }
    for _ in 0..2 {
        match decoded(&text) {
            Some(once) => text = once,
            None => return false,
        }
        let name = text.split(|byte| *byte == b';').next().unwrap_or_default();
        if matches!(name, b"." | b"..")
            || text
                .iter()
                .any(|byte| matches!(byte, b'/' | b'\\' | 0..=31 | 127))
        {
            return false;
        }
        if !text.contains(&b'%') {
            return true;
        }
    }
    false
}

/// A text as it stands in a path as one segment.
///
/// What the `url` crate would encode is encoded, and `%`, so that the text means itself.
pub(super) fn encode(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) || b"!$&'()+,;=:@".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            push_encoded(&mut segment, byte);
        }
    }
    segment
}

/// The bytes that a text encodes; none when a `%` in it encodes nothing.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        if *first == b'%' {
            let [high, low, after @ ..] = after else {
                return None;
            };
            bytes.push(byte(*high, *low)?);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Some(bytes)
}

/// The byte that a text begins with the encoding of.
fn encoded(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [b'%', high, low, ..] => byte(*high, *low),
        _ => None,
    }
}

fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |character: u8| char::from(character).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn push_encoded(text: &mut String, byte: u8) {
    text.push('%');
    for digit in [byte >> 4, byte & 15] {
        text.push(
            char::from_digit(digit.into(), 16)
                .unwrap_or('0')
                .to_ascii_uppercase(),
        );
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_encodings_are_one() {
        for (text, form) in [
            ("a", "a"),
            ("%61%7E", "a~"),
            ("a%2fb", "a%2Fb"),
            ("a*", "a%2A"),
            ("%2a", "%2A"),
            ("a;b", "a;b"),
            ("a%3bb", "a%3Bb"),
            ("%zz%4", "%zz%4"),
            ("%C3%BC", "%C3%BC"),
            ("%", "%"),
        ] {
            assert_eq!(canonical(text), form, "{text}");
        }
    }

    #[test]
    fn a_wildcard_is_a_plain_name() {
        for text in [
            "a", "a%20b", "%C3%BC", "a:b", "..a", "...", "a;v=1", "a%3Bb", "a@b", "%40", ";",
        ] {
            assert!(is_plain(text), "{text}");
        }
        for text in [
            "",
            "a%2Fb",
            "a%2fb",
            "a%5Cb",
            "%2e%2e",
            ".",
            "..",
            "..;x",
            "%2e%2e;",
            "a%00",
            "a%0Ab",
            "%7F",
            "%zz",
            "a%",
            "a%2",
            "a%252Fb",
            "%252e%252e",
            "100%25",
            "a%25zz",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn an_encoded_text_is_in_the_compared_form() {
        for text in ["a b", "100%", "ü", "a+b", "{x}", "a~b", "(1)", "\u{0}"] {
            let segment = encode(text);
            assert_eq!(canonical(&segment), segment, "{text}");
        }
        assert_eq!(encode("a b/%2F"), "a%20b%2F%252F");
    }
}
