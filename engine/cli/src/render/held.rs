//! What a dry run held back: method, URL and body of each request.

use sandbook_journal::Kept;
use serde_json::Value;

use super::effects::{Effect, Fate};
use super::words;
use crate::screen::safe;

/// How many lines of a body are shown.
const MOST_LINES: usize = 40;

/// A request that was not sent.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) step: String,
    pub(crate) request: String,
    /// The body's lines, as they are shown.
    pub(crate) body: Vec<String>,
}

impl Held {
    /// The requests that were held back; `content` gives a body by its digest, unless it was forgotten.
    pub(crate) fn among<E>(
        effects: &[Effect<'_>],
        content: impl Fn(&Kept) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Vec<Held>, E> {
        let held = effects
            .iter()
            .filter(|effect| matches!(effect.fate, Fate::Held));
        held.map(|effect| {
            let credential = effect
                .asked
                .credential
                .as_ref()
                .map(|name| format!(" as {name}"))
                .unwrap_or_default();
            let body = match &effect.asked.body {
                None => Vec::new(),
                Some(kept) => {
                    content(kept)?.map_or_else(|| vec![words::body(kept)], |bytes| lines(&bytes))
                }
            };
            let request = words::request(effect.asked) + &credential;
            Ok(Held {
                step: effect.step.to_string(),
                request,
                body,
            })
        })
        .collect()
    }
}

/// A body as lines: JSON set out, other text as it is, anything else as its size.
fn lines(bytes: &[u8]) -> Vec<String> {
    let text = match (
        serde_json::from_slice::<Value>(bytes),
        std::str::from_utf8(bytes),
    ) {
        (Ok(value), _) => format!("{value:#}"),
        (Err(_), Ok(text)) => text.to_owned(),
        (Err(_), Err(_)) => return vec![format!("({} bytes that are not text)", bytes.len())],
    };
    let mut lines: Vec<String> = text.lines().map(|line| safe(line).into_owned()).collect();
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("… {} more", words::count(more, "line")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_set_out_or_described() {
        assert_eq!(lines(br#"{"a":1}"#), ["{", "  \"a\": 1", "}"]);
        assert_eq!(lines(b"a=1\x1b"), ["a=1\\u{1b}"]);
        assert_eq!(lines(&[0xff, 0xfe]), ["(2 bytes that are not text)"]);
        let long = "x\n".repeat(50);
        assert_eq!(lines(long.as_bytes()).last().unwrap(), "… 10 lines more");
    }
}
