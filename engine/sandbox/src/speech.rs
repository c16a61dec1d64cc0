//! What a plugin says: redacted, bounded, and without characters that could play tricks on a terminal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::{
    call::{Level, Lines},
    gate::Gate,
    limits::{Limits, Quota, bytes},
    line::{CUT, LOOKED_AT, escape},
};

/// The longest log line or message, in bytes. What is beyond is cut.
pub(crate) const MESSAGE_BYTES: usize = 8 << 10;

/// The longest summary or progress message, in bytes.
pub(crate) const SUMMARY_BYTES: usize = 1 << 10;

/// Everything that one attempt says goes through here.
pub(crate) struct Speech {
    gate: Arc<Gate>,
    lines: Arc<dyn Lines>,
    limits: Limits,
    left: Mutex<Left>,
}

/// What may still be logged.
struct Left {
    lines: u32,
    bytes: u32,
    exhausted: bool,
}

impl Speech {
    pub(crate) fn new(gate: Arc<Gate>, lines: Arc<dyn Lines>, limits: &Limits) -> Self {
        let left = Left {
            lines: limits.log_lines,
            bytes: limits.log_bytes,
            exhausted: false,
        };
        Speech {
            gate,
            lines,
            limits: *limits,
            left: Mutex::new(left),
        }
    }

    /// Logs one message, while the quota lasts.
    pub(crate) fn log(&self, level: Level, message: &[u8]) {
        // Before it is redacted, which takes time.
        if self.left().exhausted {
            return;
        }
        let message = self.line(message, MESSAGE_BYTES);
        let taken = self.left().take(message.len());
        match taken {
            Taken::Yes => self.lines.log(level, message),
            Taken::Last(quota) => self.lines.log(Level::Warn, self.exhausted(quota)),
            Taken::No => {}
        }
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exhausted(&self, quota: Quota) -> String {
        let limit = match quota {
            Quota::LogBytes => format!("{} of logs", bytes(self.limits.log_bytes.into())),
            _ => format!("{} log lines", self.limits.log_lines),
        };
        let dropped = format!("the limit of {limit} was reached, and what follows is dropped");
        self.gate.advised(dropped, quota)
    }

    /// Reports progress.
    pub(crate) fn progress(&self, message: &str, fraction: Option<f32>) {
        self.lines
            .progress(self.line(message.as_bytes(), SUMMARY_BYTES), fraction);
    }

    /// One line of at most `most` bytes: control characters and what else could drive a terminal are escaped, and a tab
    /// is four spaces.
    pub(crate) fn line(&self, text: &[u8], most: usize) -> String {
        // First redacted, then cut: half a secret would not be found. Nor is all of a text looked at of which little
        // is shown.
        let seen = most.saturating_mul(LOOKED_AT);
        let redacted = self.gate.redactor().redact_beginning(text, seen);
        let shown = String::from_utf8_lossy(&redacted);
        let shown = shown.trim_end_matches(['\n', '\r']).replace('\t', "    ");
        let mut line = escape(&shown, most);
        if text.len() > seen && !line.ends_with(CUT) {
            line.push(CUT);
        }
        line
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
    /// Not this, and nothing from now on.
    Last(Quota),
    No,
}

impl Left {
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
            (lines, _) => {
                self.exhausted = true;
                Taken::Last(match lines {
                    None => Quota::LogLines,
                    Some(_) => Quota::LogBytes,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quota_says_once_that_it_is_used_up() {
        let left = |lines, bytes| Left {
            lines,
            bytes,
            exhausted: false,
        };
        let mut few_bytes = left(2, 10);
        assert!(matches!(few_bytes.take(4), Taken::Yes));
        assert!(matches!(few_bytes.take(7), Taken::Last(Quota::LogBytes)));
        assert!(matches!(few_bytes.take(1), Taken::No));
        let mut no_lines = left(0, 10);
        assert!(matches!(no_lines.take(1), Taken::Last(Quota::LogLines)));
    }
}
