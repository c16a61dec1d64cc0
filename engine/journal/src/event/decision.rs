//! What a step waits for, and what a person says to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Outcome, Values};

/// How a run stands that its process has left unfinished, for programs that read the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for a person.
    Waiting,
}

/// What a step waits for a person to say. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Waiting {
    /// That it may be gone on.
    Approval {
        /// What is asked.
        message: String,
        /// How many people have to approve.
        min: u32,
        /// Who may, by their names; empty when anybody may.
        approvers: Vec<String>,
        /// Whether who started the run may.
        allow_self: bool,
        /// After this it counts as rejected.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<u64>,
    },
    /// That something was done by hand.
    Manual {
        /// What is to be done.
        instructions: String,
        /// What is to be handed in, by its names.
        outputs: BTreeMap<String, HandIn>,
    },
    /// What is to be done about its failure.
    Paused,
    /// What came of a request that isn't safe to repeat.
    InDoubt {
        /// The request of the latest attempt.
        request: u32,
    },
    /// What is to be done, since an attempt asks for something else than the one before it.
    Diverged {
        /// The request that was answered in an earlier attempt.
        recorded: String,
        /// The request that this one makes in its place.
        asked: String,
    },
}

/// What a person is to hand in with what was done by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandIn {
    /// The kind of value, as the runbook declares it, such as `string`.
    pub kind: String,
    /// It can't be left out.
    pub required: bool,
    /// It is shown nowhere.
    pub sensitive: bool,
}

/// What a person says about a step that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Decision {
    /// It may be gone on.
    Approve,
    /// It may not.
    Reject,
    /// The request in doubt has happened.
    Happened {
        /// Which request of the latest attempt.
        request: u32,
        /// The answer that the step goes on from: a success.
        answer: Outcome,
    },
    /// The step is tried again.
    Retry {
        /// The request of the latest attempt that was in doubt, and has not happened.
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<u32>,
        /// What was answered so far is not to be taken for done.
        fresh: bool,
    },
    /// The step isn't needed.
    Skip,
    /// The step was done by hand.
    Done {
        /// What it would have put out.
        outputs: Values,
    },
    /// The step has failed.
    Abort,
}

impl Waiting {
    /// The kind in one word or two.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Waiting::Approval { .. } => "approval",
            Waiting::Manual { .. } => "manual",
            Waiting::Paused => "paused",
            Waiting::InDoubt { .. } => "in doubt",
            Waiting::Diverged { .. } => "diverged",
        }
    }

    /// The decisions that fit.
    #[must_use]
    pub fn decisions(&self) -> &'static [&'static str] {
        match self {
            Waiting::Approval { .. } => &["approve", "reject"],
            Waiting::Manual { .. } => &["done", "abort"],
            Waiting::Paused => &["retry", "skip", "done", "abort"],
            Waiting::InDoubt { .. } => &["happened", "retry", "done", "abort"],
            Waiting::Diverged { .. } => &["retry", "done", "abort"],
        }
    }
}

impl Decision {
    /// The word for it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Decision::Approve => "approve",
            Decision::Reject => "reject",
            Decision::Happened { .. } => "happened",
            Decision::Retry { .. } => "retry",
            Decision::Skip => "skip",
            Decision::Done { .. } => "done",
            Decision::Abort => "abort",
        }
    }

    /// Whether it is to be said why. Only an approval goes without.
    #[must_use]
    pub fn needs_reason(&self) -> bool {
        !matches!(self, Decision::Approve)
    }
}
