//! What kept a command from doing what it was asked, and how the person is told.

use std::error::Error;
use std::io;

use sandbook_executor::{Failed, NoSpace, Refused, StartError};
use sandbook_journal::{JournalError, ReadError, RunId, StateDirError, StoreError};
use sandbook_runbook::{Colour, Report};

use crate::exit::Exit;
use crate::render::next_step;
use crate::screen::{Ink, Paper, safe};

/// A problem, with the exit status that it comes to.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) exit: Exit,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Documents with faults, each fault with its place.
    Documents(Vec<Report>),
    /// A sentence, what lies beneath it, and what to do about it.
    Sentence {
        message: String,
        causes: Vec<String>,
        help: Option<String>,
    },
}

impl Problem {
    /// The request was wrong.
    pub(crate) fn wrong(message: impl Into<String>) -> Problem {
        Problem::new(Exit::Wrong, message.into(), None)
    }

    /// The engine can't do what it should.
    pub(crate) fn engine(message: impl Into<String>) -> Problem {
        Problem::new(Exit::Broken, message.into(), None)
    }

    /// A document has faults.
    pub(crate) fn document(report: Report) -> Problem {
        Problem {
            exit: Exit::Wrong,
            what: What::Documents(vec![report]),
        }
    }

    /// A run that is on record can't go on, since the disk that holds the record is nearly full. It can't be recorded
    /// elsewhere from its midst.
    pub(crate) fn no_space(no_space: NoSpace, run: RunId) -> Problem {
        let problem = Problem::from(Failed::NoSpace(no_space));
        problem.help(format!(
            "free some room, then `sandbook resume {run}` goes on with it"
        ))
    }

    /// The standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Problem {
        Problem::new(
            Exit::Broken,
            "the standard output can't be written".to_owned(),
            Some(error),
        )
    }

    /// A file of the request can't be read or written.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Problem {
        Problem::new(
            Exit::Wrong,
            format!("can't {doing} `{}`", path.display()),
            Some(error),
        )
    }

    fn new(exit: Exit, message: String, cause: Option<&(dyn Error + 'static)>) -> Problem {
        Problem {
            exit,
            what: What::Sentence {
                message,
                causes: chain(cause),
                help: None,
            },
        }
    }

    fn of(exit: Exit, error: &dyn Error) -> Problem {
        Problem::new(exit, error.to_string(), error.source())
    }

    /// The same problem, saying what to do about it.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Problem {
        if let What::Sentence { help, .. } = &mut self.what {
            *help = Some(text.into());
        }
        self
    }

    /// The same problem, with what lies beneath it.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Problem {
        if let What::Sentence { causes, .. } = &mut self.what {
            causes.extend(chain(Some(error)));
        }
        self
    }

    /// The problem as it is shown.
    pub(crate) fn render(&self, paper: Paper) -> String {
        match &self.what {
            What::Documents(reports) => documents(reports, paper),
            What::Sentence {
                message,
                causes,
                help,
            } => sentence(message, causes, help.as_deref(), paper),
        }
    }
}

/// Documents with their faults or warnings, one after the other.
pub(crate) fn documents(reports: &[Report], paper: Paper) -> String {
    let colour = if paper.colour {
        Colour::Always
    } else {
        Colour::Never
    };
    reports
        .iter()
        .map(|report| report.render(colour))
        .collect::<Vec<_>>()
        .join("\n")
}

fn sentence(message: &str, causes: &[String], help: Option<&str>, paper: Paper) -> String {
    let mut text = format!(
        "{} {}",
        paper.ink(Ink::Bad, "error:"),
        lines(message, "       ")
    );
    for cause in causes {
        text.push_str(&format!(
            "\n  {} {}",
            paper.ink(Ink::Faint, "because:"),
            lines(cause, "           ")
        ));
    }
    if let Some(help) = help {
        text.push_str(&format!(
            "\n  {} {}",
            paper.ink(Ink::Name, "help:"),
            lines(help, "        ")
        ));
    }
    text
}

/// An error and what lies beneath it.
fn chain(mut error: Option<&(dyn Error + 'static)>) -> Vec<String> {
    let mut causes = Vec::new();
    while let Some(cause) = error {
        causes.push(cause.to_string());
        error = cause.source();
    }
    causes
}

/// The text without anything harmful; its further lines are set in.
fn lines(text: &str, indent: &str) -> String {
    text.lines()
        .map(safe)
        .collect::<Vec<_>>()
        .join(&format!("\n{indent}"))
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Problem {
        match refused {
            Refused::Invalid(reports) => Problem {
                exit: Exit::Wrong,
                what: What::Documents(reports),
            },
            Refused::Because(reason) => {
                let cause = reason
                    .cause
                    .as_deref()
                    .map(|cause| cause as &(dyn Error + 'static));
                let problem = Problem::new(Exit::Wrong, reason.message, cause);
                match reason.help {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
        }
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Problem {
        let problem = Problem::of(Exit::Broken, &failed);
        match &failed {
            Failed::State(cause) if wants_another_place(cause.as_ref()) => {
                problem.help(ANOTHER_PLACE)
            }
            Failed::NoSpace(_) => problem.help(format!("free some room, or {ANOTHER_DISK}")),
            _ => problem,
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Problem {
        match error {
            StartError::Refused(refused) => refused.into(),
            StartError::Held(_) => Problem::of(Exit::Held, &error)
                .help("`sandbook log RUN --follow` shows how it goes on"),
            StartError::GroupHeld(held) => {
                Problem::of(Exit::Held, &*held).help(next_step(&held.holder))
            }
            StartError::Interrupted(_) => Problem::of(Exit::Interrupted, &error),
            StartError::NoSpace(no_space) => Problem::no_space(no_space.no_space, no_space.run),
            StartError::Failed(failed) => failed.into(),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Problem {
        let exit = match error {
            ReadError::StateDir(error) => return error.into(),
            ReadError::NoSuchRun { .. } | ReadError::NoRuns | ReadError::Ambiguous { .. } => {
                Exit::Wrong
            }
            _ => Exit::Broken,
        };
        let problem = Problem::of(exit, &error);
        match error {
            ReadError::Log(_) => problem.help("`sandbook audit verify` says what is wrong"),
            _ => problem,
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Problem {
        Problem::of(Exit::Broken, &error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        Problem::of(Exit::Broken, &error)
    }
}

impl From<StateDirError> for Problem {
    fn from(error: StateDirError) -> Problem {
        let problem = Problem::of(Exit::Broken, &error);
        if wants_another_place(&error) {
            problem.help(ANOTHER_PLACE)
        } else {
            problem
        }
    }
}

/// The way out where a disk can't be had free at once.
const ANOTHER_DISK: &str = "record the run elsewhere, with `--state DIR` (a tmpfs will do): `sandbook audit import DIR` \
                            merges it later";

const ANOTHER_PLACE: &str = "name a folder that you can write to, with `--state` or $SANDBOOK_HOME; on a team's host, tell whoever looks after it";

/// Whether the state directory can't be made or used where it is. Its other faults say what to do.
fn wants_another_place(error: &(dyn Error + 'static)) -> bool {
    let directory = match error.downcast_ref() {
        Some(ReadError::StateDir(directory)) => Some(directory),
        _ => error.downcast_ref(),
    };
    matches!(
        directory,
        Some(
            StateDirError::MakeDirectory { .. }
                | StateDirError::NotADirectory { .. }
                | StateDirError::Read { .. }
                | StateDirError::Write { .. }
        )
    ) || matches!(error.downcast_ref(), Some(StoreError::Make { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_what_lies_beneath_and_what_to_do() {
        let cause = io::Error::other("no such thing");
        let problem =
            Problem::file("read", "in\x1bputs".as_ref(), &cause).help("name another\nor none");
        assert_eq!(
            problem.render(Paper::BARE),
            "error: can't read `in\\u{1b}puts`\n  because: no such thing\n  help: name another\n        or none"
        );
        assert_eq!(problem.exit, Exit::Wrong);
    }
}
