//! What a plugin says: redacted, bounded, and without characters that could play tricks on a terminal.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::{
    call::{Level, Lines},
    gate::Gate,
    limits::{Limits, bytes},
};

/// The longest log line or message, in bytes. What is beyond is cut.
pub(crate) const MESSAGE_BYTES: usize = 8 << 10;

/// The longest summary or progress message, in bytes.
pub(crate) const SUMMARY_BYTES: usize = 1 << 10;

/// Everything that one attempt says goes through here.
pub(crate) struct Speech {
    gate: Arc<Gate>,
    lines: Arc<dyn Lines>,
    quota: Mutex<Quota>,
}

/// What may still be logged.
struct Quota {
    lines: u32,
    bytes: u32,
    exhausted: bool,
    /// What they were at first, in words.
    limit: String,
}

impl Speech {
    pub(crate) fn new(gate: Arc<Gate>, lines: Arc<dyn Lines>, limits: &Limits) -> Self {
        let quota = Quota {
            lines: limits.log_lines,
            bytes: limits.log_bytes,
            exhausted: false,
            limit: format!(
                "{} lines and {}",
                limits.log_lines,
                bytes(limits.log_bytes.into())
            ),
        };
        Speech {
            gate,
            lines,
            quota: Mutex::new(quota),
        }
    }

    /// Logs one message, while the quota lasts.
    pub(crate) fn log(&self, level: Level, message: &[u8]) {
        let message = self.line(message, MESSAGE_BYTES);
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        match quota.take(message.len()) {
            Taken::Yes => self.lines.log(level, message),
            Taken::Last => {
                let limit = &quota.limit;
                self.lines.log(
                    Level::Warn,
                    format!("the limit of {limit} for logs was reached; further ones are dropped"),
                );
            }
            Taken::No => {}
        }
    }

    /// Reports progress.
    pub(crate) fn progress(&self, message: &str, fraction: Option<f32>) {
        self.lines
            .progress(self.line(message.as_bytes(), SUMMARY_BYTES), fraction);
    }

    /// One line of at most `most` bytes.
    pub(crate) fn line(&self, text: &[u8], most: usize) -> String {
        // First redacted, then cut: half a secret would not be found.
        let redacted = self.gate.redactor().redact(text);
        escape(&String::from_utf8_lossy(&redacted), most)
    }

    /// An object with all its strings redacted, names too. A number that holds a secret becomes a string.
    pub(crate) fn object(&self, object: Map<String, Value>) -> Map<String, Value> {
        object
            .into_iter()
            .map(|(name, value)| (self.text(name), self.value(value)))
            .collect()
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|value| self.value(value)).collect())
            }
            Value::Object(object) => Value::Object(self.object(object)),
            Value::Number(number) => {
                let digits = number.to_string();
                let text = self.text(digits.clone());
                if text == digits {
                    Value::Number(number)
                } else {
                    Value::String(text)
                }
            }
            plain @ (Value::Null | Value::Bool(_)) => plain,
        }
    }

    fn text(&self, text: String) -> String {
        match self.gate.redactor().redact(text.as_bytes()) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(redacted) => String::from_utf8_lossy(&redacted).into_owned(),
        }
    }
}

enum Taken {
    Yes,
    Last,
    No,
}

impl Quota {
    fn take(&mut self, bytes: usize) -> Taken {
        if self.exhausted {
            return Taken::No;
        }
        let bytes = u32::try_from(bytes)
            .ok()
            .and_then(|bytes| self.bytes.checked_sub(bytes));
        match (self.lines.checked_sub(1), bytes) {
            (Some(lines), Some(bytes)) => {
                (self.lines, self.bytes) = (lines, bytes);
                Taken::Yes
            }
            _ => {
                self.exhausted = true;
                Taken::Last
            }
        }
    }
}

/// Text as one line: control characters, line separators and those that turn the direction of
/// writing are escaped, a tab is four spaces, and what is beyond `most` bytes is cut.
fn escape(text: &str, most: usize) -> String {
    const CUT: &str = "…";
    let mut line = String::with_capacity(text.len().min(most));
    for char in text.trim_end_matches(['\n', '\r']).chars() {
        let before = line.len();
        match char {
            '\t' => line.push_str("    "),
            char if char.is_control() || turns_or_breaks(char) => {
                line.extend(char.escape_default());
            }
            char => line.push(char),
        }
        if line.len() > most {
            line.truncate(before);
            line.push_str(CUT);
            break;
        }
    }
    line
}

fn turns_or_breaks(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_cannot_drive_a_terminal() {
        assert_eq!(escape("a\nb\r\n", 100), "a\\nb");
        assert_eq!(
            escape("\x1b[2J\u{202e}x\tz", 100),
            "\\u{1b}[2J\\u{202e}x    z"
        );
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(escape("äöü", 4), "äö…");
        assert_eq!(escape("ab\x1b", 4), "ab…");
        assert_eq!(escape("abcd", 4), "abcd");
    }

    #[test]
    fn the_quota_says_once_that_it_is_used_up() {
        let mut quota = Quota {
            lines: 2,
            bytes: 10,
            exhausted: false,
            limit: String::new(),
        };
        assert!(matches!(quota.take(4), Taken::Yes));
        assert!(matches!(quota.take(7), Taken::Last));
        assert!(matches!(quota.take(1), Taken::No));
    }
}
