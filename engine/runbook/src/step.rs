//! One step of a runbook.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::expression::Expression;
use crate::grant::AllowLine;
use crate::limits::Limits;
use crate::names::{CredentialName, PluginName, Slot, StepId};
use crate::retry::Retry;
use crate::template::Template;

mod approval;
mod manual;
mod wire;

pub use approval::Approval;
pub use manual::Manual;
pub(crate) use wire::{WireCheck, WireStep};

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name within the runbook; in expressions, `steps.ID`.
    pub id: StepId,
    /// What it does, for people.
    pub name: Option<String>,
    /// What has to be through before it starts; everything before it by default.
    pub needs: Needs,
    /// The step is skipped when this comes to false.
    pub condition: Option<Expression>,
    /// What it does.
    pub action: Action,
    /// Whether and when a failed attempt is made again; one attempt by default.
    pub retry: Retry,
    /// How long one attempt may take; 5 minutes by default.
    pub timeout: Duration,
    /// What happens when it has failed; the run is aborted by default.
    pub on_failure: OnFailure,
    /// What happens while nobody knows whether a request of it took effect; those that need it wait by default.
    pub on_doubt: OnDoubt,
    /// What undoes it: a step that runs a plugin, with the same id, no needs and no condition, whose failure
    /// stops the undoing and asks.
    pub rollback: Option<Arc<Step>>,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// All steps before it in its section.
    AllBefore,
    /// These steps of its section, each named once; none at all starts at once.
    These(Vec<StepId>),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// It runs a plugin.
    Plugin(Use),
    /// It waits; the text is a duration.
    Wait(Template),
    /// It fails when something doesn't hold.
    Assert(Check),
    /// It waits until people have agreed.
    Approval(Approval),
    /// It waits until a person has done something.
    Manual(Manual),
}

/// How a step uses a plugin.
#[derive(Debug, Clone)]
pub struct Use {
    /// The plugin, by the name that the project gives it.
    pub plugin: PluginName,
    /// What the plugin is told: a mapping.
    pub with: Template,
    /// The same as it is written, its expressions as text.
    pub written: Value,
    /// The environment's credential for each slot.
    pub credentials: BTreeMap<Slot, CredentialName>,
    /// The requests that it may make.
    pub allow: Vec<AllowLine>,
    /// The slots whose secrets the plugin may see in plain text.
    pub reveal: Vec<Slot>,
    /// What an attempt may use where that isn't the usual; the `timeout` too, where one is said.
    pub limits: Limits,
}

/// Something that must hold.
#[derive(Debug, Clone)]
pub struct Check {
    /// It holds when this comes to true.
    pub condition: Expression,
    /// What to say when it doesn't: text.
    pub message: Template,
}

/// What happens when a step has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Nothing new starts, and the run fails.
    Abort,
    /// The run goes on.
    Continue,
    /// The step waits for a person to say what is to become of it.
    Pause,
    /// As `Abort`, and what was done is undone by the rollbacks of the steps that have finished.
    Rollback,
}

/// What happens while a step is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDoubt {
    /// The steps that need it wait for a decision.
    Wait,
    /// They go on, and the doubt stays open.
    Continue,
}

impl Step {
    /// How the step uses a plugin, where it does.
    pub fn plugin(&self) -> Option<&Use> {
        match &self.action {
            Action::Plugin(using) => Some(using),
            Action::Wait(_) | Action::Assert(_) | Action::Approval(_) | Action::Manual(_) => None,
        }
    }

    /// How the step and then its rollback use plugins, where they do.
    pub fn uses(&self) -> impl Iterator<Item = &Use> {
        let rollback = self.rollback.as_deref().and_then(Step::plugin);
        self.plugin().into_iter().chain(rollback)
    }
}
