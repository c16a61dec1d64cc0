//! The request was wrong: usage, runbook, inputs, environment, a plugin, a secret that can't be had.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

use sandbook_runbook::Report;

/// Why nothing was run. Nothing has been sent and nothing recorded; the exit status is 2.
#[derive(Debug)]
pub enum Refused {
    /// Documents with faults, each fault with its place.
    Invalid(Vec<Report>),
    /// Something else, in one sentence.
    Because(Reason),
}

/// A sentence, its cause, and what to do about it.
#[derive(Debug)]
pub struct Reason {
    /// What is wrong, a lowercase fragment.
    pub message: String,
    /// The next step for the person who reads it.
    pub help: Option<String>,
    /// What lies beneath, where something does.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Refused {
    /// A refusal with a message alone.
    pub fn because(message: impl Into<String>) -> Refused {
        Refused::Because(Reason {
            message: message.into(),
            help: None,
            cause: None,
        })
    }

    /// The same refusal, saying what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Refused {
        if let Refused::Because(reason) = &mut self {
            reason.help = Some(help.into());
        }
        self
    }

    /// The same refusal, with what lies beneath it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Refused {
        if let Refused::Because(reason) = &mut self {
            reason.cause = Some(cause.into());
        }
        self
    }

    /// Whether it is the same refusal once more, as of a plugin that several runbooks use.
    pub(crate) fn says_the_same(&self, other: &Refused) -> bool {
        match (self, other) {
            (Refused::Because(one), Refused::Because(other)) => one.message == other.message,
            _ => false,
        }
    }

    /// A file that can't be read.
    pub(crate) fn unreadable(what: &str, path: &Path, cause: io::Error) -> Refused {
        let help = match cause.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "check the path",
            io::ErrorKind::PermissionDenied => "see to it that the user who runs this may read it",
            io::ErrorKind::IsADirectory => "this is a folder: name a file",
            _ => "see to it that it can be read",
        };
        Refused::because(format!("{what} `{}` can't be read", path.display()))
            .caused_by(cause)
            .help(help)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Because(reason) => f.write_str(&reason.message),
            Refused::Invalid(reports) => {
                let faults: usize = reports.iter().map(|report| report.faults.len()).sum();
                write!(f, "{faults} faults in {} documents", reports.len())
            }
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Refused::Because(Reason {
                cause: Some(cause), ..
            }) => Some(cause.as_ref()),
            _ => None,
        }
    }
}
