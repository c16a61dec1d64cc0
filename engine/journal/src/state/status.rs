//! How a step can stand, and where it can be.

use std::fmt;

use serde::Serialize;

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Its turn has not come.
    Pending,
    /// It runs, or waits for its next attempt.
    Running,
    /// It waits for a person.
    Waiting,
    /// It is done.
    Succeeded,
    /// It failed for good.
    Failed,
    /// It is not run.
    Skipped,
    /// It was done and undone.
    RolledBack,
}

impl StepStatus {
    /// Whether nothing more is to be done about it.
    #[must_use]
    pub fn is_ended(self) -> bool {
        !matches!(
            self,
            StepStatus::Pending | StepStatus::Running | StepStatus::Waiting
        )
    }

    /// The status as the language and the reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Waiting => "waiting",
            StepStatus::Succeeded => "succeeded",
            StepStatus::Failed => "failed",
            StepStatus::Skipped => "skipped",
            StepStatus::RolledBack => "rolled_back",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The part of the runbook that a step is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// The runbook's own steps.
    Steps,
    /// Those that run when the run fails.
    OnFailure,
    /// Those that run in any case.
    Finally,
    /// Those that undo one of the others.
    Rollback,
}
