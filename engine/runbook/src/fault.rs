//! What is wrong with a document, and where.

use std::ops::Range;

use crate::path::Path;
use crate::source::Source;

/// How much a fault matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The document can't be used.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// What of a place the label underlines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum On {
    /// The key; of a list's item, its beginning.
    Key,
    /// The value.
    Value,
    /// The part of the value that reads so; the value where it doesn't.
    Part(String),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How much it matters.
    pub severity: Severity,
    /// Where it is.
    pub path: Path,
    /// What of the place is meant.
    pub on: On,
    /// The very bytes of the source, where they are known; they go before `path`.
    pub span: Option<Range<usize>>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// What stands at the place, in a few words.
    pub label: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Fault {
    /// An error in a value.
    pub fn error(path: Path, message: impl Into<String>) -> Fault {
        Fault {
            severity: Severity::Error,
            path,
            on: On::Value,
            span: None,
            message: message.into(),
            label: None,
            help: None,
        }
    }

    /// Something odd about a value.
    pub fn warning(path: Path, message: impl Into<String>) -> Fault {
        Fault {
            severity: Severity::Warning,
            ..Fault::error(path, message)
        }
    }

    /// The same fault, about the key.
    #[must_use]
    pub fn on_key(self) -> Fault {
        Fault {
            on: On::Key,
            ..self
        }
    }

    /// The same fault, about a part of the value.
    #[must_use]
    pub fn on_part(self, part: impl Into<String>) -> Fault {
        Fault {
            on: On::Part(part.into()),
            ..self
        }
    }

    /// The same fault, with a label at the place.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Fault {
        Fault {
            label: Some(label.into()),
            ..self
        }
    }

    /// The same fault, saying what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Fault {
        Fault {
            help: Some(help.into()),
            ..self
        }
    }

    /// The same fault, with help where there is some.
    #[must_use]
    pub fn help_if(self, help: Option<impl Into<String>>) -> Fault {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Whether the document can't be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// All faults of one document. See [`Report::render`] for how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The document.
    pub source: Source,
    /// What is wrong with it, in no particular order.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether the document can't be used.
    pub fn has_errors(&self) -> bool {
        self.faults.iter().any(Fault::is_error)
    }
}
