//! The standard output, which may be closed while something is going on.

use std::io::{self, Write};

use super::Paper;

/// The standard output. Nothing that happens to it changes what is done: a reader that has gone away is
/// no error, and any other fault is told at the end.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) paper: Paper,
    gone: bool,
    fault: Option<io::Error>,
}

impl Output {
    pub(crate) fn standard() -> Output {
        Output {
            paper: Paper::standard_output(),
            gone: false,
            fault: None,
        }
    }

    /// Writes a line, at once.
    pub(crate) fn line(&mut self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Writes a text that has its line ends, at once.
    pub(crate) fn text(&mut self, text: &str) {
        if self.gone {
            return;
        }
        let mut stdout = io::stdout().lock();
        if let Err(error) = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            self.gone = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.fault = Some(error);
            }
        }
    }

    /// Whether somebody may still read what is written.
    pub(crate) fn is_open(&self) -> bool {
        !self.gone
    }

    /// What went wrong with it, other than that nobody reads any more.
    pub(crate) fn fault(self) -> Option<io::Error> {
        self.fault
    }
}

/// Writes a line to the standard error; where that is gone, nobody is left to be told.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
