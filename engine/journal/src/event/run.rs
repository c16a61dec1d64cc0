//! What the events of a whole run speak of.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kept, StepId};
use crate::digest::Digest;

/// Everything that is fixed when a run begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// The runbook.
    pub runbook: RunbookFacts,
    /// The environment, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentFacts>,
    /// The inputs, with the defaults that were used.
    pub inputs: Values,
    /// The packed components that the steps run, by the plugins' names.
    pub plugins: BTreeMap<String, Digest>,
    /// Who started it.
    pub operator: Operator,
    /// The host's name.
    pub host: String,
    /// The version of the engine.
    pub engine: String,
    /// Requests that could change something are held back.
    pub dry_run: bool,
    /// What the steps' random numbers are drawn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// The group that it holds until it is finished; a dry run holds none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The steps.
    pub sections: Sections,
}

/// Which runbook a run follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunbookFacts {
    /// Its name.
    pub name: String,
    /// The digest of its text, which lies in the state directory.
    pub digest: Digest,
    /// The file it was read from, as shown to people.
    pub file: String,
    /// Which version of the project that was, where git has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitFacts>,
}

/// A version of a project's folder, as git has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitFacts {
    /// The commit that is checked out, in hex.
    pub commit: String,
    /// Something in the folder isn't as that commit has it.
    pub dirty: bool,
}

/// Which environment a run has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentFacts {
    /// Its name.
    pub name: String,
    /// The digest of its text without secrets, which lies in the state directory.
    pub digest: Digest,
    /// It reroutes: nothing real is reached.
    pub rehearsal: bool,
}

/// An environment that isn't what it was when its run started, and that a person lets the run go on in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// What it is now.
    pub facts: EnvironmentFacts,
    /// Why, in the person's words.
    pub reason: String,
}

/// What comes behind a step's id in that of its rollback.
pub const ROLLBACK: &str = ".rollback";

/// The ids of a run's steps, in the order of the runbook. An id is in one of them, once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sections {
    /// The runbook's own steps.
    pub steps: Vec<StepId>,
    /// Those that run when the run fails.
    pub on_failure: Vec<StepId>,
    /// Those that run in any case.
    pub finally: Vec<StepId>,
    /// Those that undo one of the steps; the id is the step's with [`ROLLBACK`] behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollbacks: Vec<StepId>,
}

/// A person, as the operating system knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The user's number.
    pub uid: u32,
    /// The user's name.
    pub name: String,
}

/// Inputs or outputs by their names.
pub type Values = BTreeMap<String, Recorded>;

/// A value as the log has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// The value itself.
    Value(serde_json::Value),
    /// It is sensitive: its JSON lies outside the chain until the run ends.
    Sensitive(Kept),
}

/// What a run's random numbers are drawn from. Its text is 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({})", hex::encode(self.0))
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seed, D::Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(String::deserialize(deserializer)?, &mut bytes)
            .map_err(serde::de::Error::custom)?;
        Ok(Seed(bytes))
    }
}

/// A signal that interrupts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// From the keyboard.
    #[serde(rename = "SIGINT")]
    Interrupt,
    /// From the system.
    #[serde(rename = "SIGTERM")]
    Terminate,
    /// The terminal is gone.
    #[serde(rename = "SIGHUP")]
    Hangup,
}

/// What interrupted a run. Its text is that of the signal, or `no-space`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// There was too little room left on the disk that holds the record.
    NoSpace,
    /// A signal.
    #[serde(untagged)]
    Signal(Signal),
}

impl From<Signal> for Interruption {
    fn from(signal: Signal) -> Interruption {
        Interruption::Signal(signal)
    }
}

/// How a run can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinalStatus {
    /// Every step succeeded, was skipped by its condition, or its failure was let pass.
    Succeeded,
    /// A step, or what the runbook puts out, failed.
    Failed,
    /// A person cancelled it.
    Cancelled,
}
