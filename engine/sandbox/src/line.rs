//! Texts of others as people can be shown them: on one line, bounded, and without characters that could play tricks on
//! a terminal.

use crate::redact::Redactor;

/// What says that something was cut.
pub(crate) const CUT: char = '…';

/// How many times as much of a text is looked at as may be shown of it: what is redacted and escaped has another length.
pub(crate) const LOOKED_AT: usize = 4;

/// Text as one line: control characters, line separators and those that turn the direction of
/// writing are escaped, and what is beyond `most` bytes is cut.
pub(crate) fn escape(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    for character in text.chars() {
        let before = line.len();
        if is_unsafe(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        if line.len() > most {
            line.truncate(before);
            line.push(CUT);
            break;
        }
    }
    line
}

/// A program's or a service's words about a fault: redacted, with single blanks between them, escaped, and cut beyond
/// `most` bytes.
pub(crate) fn words(redactor: &Redactor, text: &[u8], most: usize) -> String {
    let redacted = redactor.redact(text);
    let text = String::from_utf8_lossy(&redacted);
    let words: Vec<&str> = text
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    escape(&words.join(" "), most)
}

fn is_unsafe(character: char) -> bool {
    let turns_or_breaks = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    character.is_control() || turns_or_breaks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_line_is_one_line_and_cannot_drive_a_terminal() {
        assert_eq!(escape("a\nb", 100), "a\\nb");
        assert_eq!(
            escape("\x1b[2J\u{202e}x\u{2028}z", 100),
            "\\u{1b}[2J\\u{202e}x\\u{2028}z"
        );
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(escape("äöü", 4), "äö…");
        assert_eq!(escape("ab\x1b", 4), "ab…");
        assert_eq!(escape("abcd", 4), "abcd");
    }

    #[test]
    fn words_are_redacted_before_they_are_cut() {
        let redactor = Redactor::new([("key".to_owned(), Secret::of("hunter 22"))]);
        let said = b"no:\r\n  hunter 22\t\xff \x1b[2J\xe2\x80\xaex\n";
        assert_eq!(
            words(&redactor, said, 100),
            "no: [secret key] \u{fffd} [2J\\u{202e}x"
        );
        assert_eq!(words(&redactor, b"hunter 22", 8), "[secret …");
    }
}
