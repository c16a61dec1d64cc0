//! The ways in which a secret appears.

use std::fmt::Write;

use base64::{Engine, engine::GeneralPurpose, engine::general_purpose};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::{percent::RESERVED, secret::SHORTEST};

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

/// The text as it is and in each escape, each once; those that are too short to be told from ordinary text left out.
pub(super) fn appearances(text: &str) -> Vec<Needle> {
    let mut needles: Vec<Needle> = Vec::new();
    base64(text.as_bytes(), &mut needles);
    percent_of_base64(&mut needles);
    needles.push(needle(text));
    percent(text, &mut needles);
    twice_percent(text, &mut needles);
    json(text, &mut needles);
    needles.retain(|needle| needle.len() >= SHORTEST);
    needles.sort_unstable_by(|one, other| one.as_slice().cmp(other));
    needles.dedup();
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

/// What encoders of JSON write with `\u` beside what JSON wants: nothing; all that isn't ASCII (Python, PHP); what means
/// something in HTML (Go); both; that and a few more (Gson); the same and all that isn't ASCII; quotes too (.NET).
const ENCODERS: [fn(char) -> bool; 7] = [
    |_| false,
    |character| !character.is_ascii(),
    is_html,
    |character| is_html(character) || !character.is_ascii(),
    |character| is_html(character) || matches!(character, '\'' | '='),
    |character| {
        is_html(character) || matches!(character, '\'' | '=' | '+') || !character.is_ascii()
    },
    |character| {
        is_html(character)
            || matches!(character, '"' | '\'' | '+' | '`' | '\u{7f}')
            || !character.is_ascii()
    },
];

fn is_html(character: char) -> bool {
    matches!(character, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

fn json(text: &str, needles: &mut Vec<Needle>) {
    for also in ENCODERS {
        for digits in [Digits::Small, Digits::Capital] {
            let mut escaped = Zeroizing::new(String::with_capacity(text.len()));
            for character in text.chars() {
                escape(character, also, digits, &mut escaped);
            }
            needles.push(needle(escaped.replace('/', "\\/")));
            needles.push(needle(&*escaped));
        }
    }
}

/// How the hexadecimal digits of an escape are written.
#[derive(Clone, Copy)]
enum Digits {
    Small,
    Capital,
}

/// One character of a JSON string, with `\u` where JSON or `also` wants it.
fn escape(character: char, also: fn(char) -> bool, digits: Digits, escaped: &mut String) {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        _ => "",
    };
    if also(character) || (short.is_empty() && character < ' ') {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let _ = match digits {
                Digits::Small => write!(escaped, "\\u{unit:04x}"),
                Digits::Capital => write!(escaped, "\\u{unit:04X}"),
            };
        }
    } else if short.is_empty() {
        escaped.push(character);
    } else {
        escaped.push_str(short);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_at_most_and_each_once() {
        let odd: String = (1..0x100).filter_map(char::from_u32).collect();
        for text in [&odd, "/+<\"ü\u{1f600}", "plain-text"] {
            let needles = appearances(text);
            assert!(needles.len() <= 72, "{}", needles.len());
            let once: std::collections::HashSet<&[u8]> =
                needles.iter().map(|needle| needle.as_slice()).collect();
            assert_eq!(once.len(), needles.len());
        }
    }
}
