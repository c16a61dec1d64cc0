//! The ways in which a secret appears.

use std::fmt::Write;

use base64::{Engine, engine::GeneralPurpose, engine::general_purpose};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::secret::SHORTEST;

/// What `encodeURIComponent` and its kin leave alone.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// RFC 3986: all but the unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// HTML forms.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*')
    .remove(b' ');

/// What is escaped inside a path or a query that is otherwise let be.
const LOOSE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}');

type Needle = Zeroizing<Vec<u8>>;

/// The text as it is and in each escape; those that are too short to be told from ordinary text left out.
pub(super) fn appearances(text: &str) -> Vec<Needle> {
    let mut needles: Vec<Needle> = Vec::new();
    base64(text.as_bytes(), &mut needles);
    percent_of_base64(&mut needles);
    needles.push(needle(text));
    percent(text, &mut needles);
    twice_percent(text, &mut needles);
    json(text, &mut needles);
    needles.retain(|needle| needle.len() >= SHORTEST);
    needles
}

fn needle(text: impl AsRef<[u8]>) -> Needle {
    Zeroizing::new(text.as_ref().to_vec())
}

fn base64(bytes: &[u8], needles: &mut Vec<Needle>) {
    const ENGINES: [GeneralPurpose; 2] = [general_purpose::STANDARD, general_purpose::URL_SAFE];
    for engine in ENGINES {
        needles.push(needle(engine.encode(bytes)));
        for before in 0..3 {
            // A secret that follows `before` bytes of something else: only the characters that are made of
            // nothing but the secret's own bits are known.
            let mut shifted = Zeroizing::new(vec![0; before]);
            shifted.extend_from_slice(bytes);
            let encoded = Zeroizing::new(engine.encode(&shifted));
            let first = (before * 8).div_ceil(6);
            let last = shifted.len() * 8 / 6;
            needles.push(needle(&encoded[first..last]));
        }
    }
}

/// Base64 in a URL: its own `+`, `/` and `=` are escaped there.
fn percent_of_base64(needles: &mut Vec<Needle>) {
    for encoded in needles.clone() {
        let escaped = percent_encode(&encoded, RESERVED).to_string();
        both_cases(&escaped, needles);
    }
}

/// In a URL that stands in another one.
fn twice_percent(text: &str, needles: &mut Vec<Needle>) {
    for set in [COMPONENT, RESERVED, NON_ALPHANUMERIC] {
        let mut once = Vec::new();
        both_cases(&utf8_percent_encode(text, set).to_string(), &mut once);
        for escaped in once {
            needles.push(needle(percent_encode(&escaped, set).to_string()));
        }
    }
}

fn percent(text: &str, needles: &mut Vec<Needle>) {
    for set in [COMPONENT, RESERVED, NON_ALPHANUMERIC, LOOSE] {
        both_cases(&utf8_percent_encode(text, set).to_string(), needles);
    }
    both_cases(
        &utf8_percent_encode(text, FORM)
            .to_string()
            .replace(' ', "+"),
        needles,
    );
    let mut every = String::new();
    for byte in text.bytes() {
        let _ = write!(every, "%{byte:02X}");
    }
    both_cases(&every, needles);
}

/// With the digits of its escapes in capitals, and in small letters.
fn both_cases(escaped: &str, needles: &mut Vec<Needle>) {
    let mut small = needle(escaped);
    for at in (0..small.len()).filter(|at| escaped.as_bytes()[*at] == b'%') {
        let end = (at + 3).min(small.len());
        small[at..end].make_ascii_lowercase();
    }
    needles.push(needle(escaped));
    needles.push(small);
}

fn json(text: &str, needles: &mut Vec<Needle>) {
    let plain: String = text
        .chars()
        .map(|character| escape(character, |_| false))
        .collect();
    let ascii: String = text
        .chars()
        .map(|character| escape(character, |character| !character.is_ascii()))
        .collect();
    let html = |character: char| matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
    let html_safe: String = text
        .chars()
        .map(|character| escape(character, html))
        .collect();
    let strict = |character: char| {
        html(character) || matches!(character, '\'' | '=' | '+') || !character.is_ascii()
    };
    let strict_safe: String = text
        .chars()
        .map(|character| escape(character, strict))
        .collect();
    for escaped in [plain, ascii, html_safe, strict_safe] {
        needles.push(needle(escaped.replace('/', "\\/")));
        needles.push(needle(escaped));
    }
}

/// One character of a JSON string, with `\u` where JSON or `also` wants it.
fn escape(character: char, also: impl Fn(char) -> bool) -> String {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        _ if character < ' ' || also(character) => {
            let mut units = [0; 2];
            return character.encode_utf16(&mut units).iter().fold(
                String::new(),
                |mut escaped, unit| {
                    let _ = write!(escaped, "\\u{unit:04x}");
                    escaped
                },
            );
        }
        _ => return character.to_string(),
    };
    short.to_owned()
}
