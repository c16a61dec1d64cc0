//! Texts of others, made harmless: what a plugin or a service says can't move the cursor, change a
//! colour or pass for a line of the engine's.

use std::borrow::Cow;
use std::fmt::Write as _;

use sandbook_runbook::{is_harmful, on_one_line};

/// The text with every control character, every character that changes the direction of writing, and every one that
/// is there without being seen shown as an escape. Line feeds are escaped too.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            harmful if is_harmful(harmful) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(harmful));
            }
            harmless => shown.push(harmless),
        }
    }
    Cow::Owned(shown)
}

/// A text of several lines as one: made harmless, its lines put together.
pub(crate) fn one_line(text: &str) -> String {
    safe(&on_one_line(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_text_stays_as_it_is() {
        assert!(matches!(safe("größer: 東京 ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_could_deceive_is_shown() {
        assert_eq!(
            safe("\x1b[2Jgone\r\nfine\u{202e}"),
            "\\u{1b}[2Jgone\\r\\nfine\\u{202e}"
        );
        assert_eq!(safe("\u{9b}31m"), "\\u{9b}31m");
        for hidden in ['\u{200b}', '\u{2060}', '\u{3164}', '\u{feff}', '\u{e0041}'] {
            let shown = format!("a\\u{{{:x}}}b", u32::from(hidden));
            assert_eq!(safe(&format!("a{hidden}b")), shown);
        }
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(one_line("a\n  b\n\n\x07c\n"), "a b \\u{7}c");
    }
}
