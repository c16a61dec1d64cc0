//! The exit statuses, which scripts rely on.

use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done; failures that were let pass are in the last line.
    Succeeded,
    /// The run failed.
    Failed,
    /// The run was cancelled, or was undone.
    Cancelled,
    /// The request was wrong: usage, runbook, inputs, a false check, environment, a secret.
    Wrong,
    /// The run waits for a person.
    Waiting,
    /// Another process has the run, or another run holds its group.
    Held,
    /// The journal or the engine failed, or the disk is nearly full.
    Broken,
    /// A signal interrupted the run.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn status(self) -> u8 {
        match self {
            Exit::Succeeded => 0,
            Exit::Failed | Exit::Cancelled => 1,
            Exit::Wrong => 2,
            Exit::Waiting => 3,
            Exit::Held => 4,
            Exit::Broken => 5,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.status())
    }
}
