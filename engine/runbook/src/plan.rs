//! A runbook with its inputs, its plugins and its environment: what a run does, and what each of its
//! steps may do.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::check::use_of_environment;
use crate::checked::CheckedRunbook;
use crate::environment::Environment;
use crate::expression::Touched;
use crate::fault::Fault;
use crate::grant::{Ask, Permission};
use crate::input::Inputs;
use crate::limits::Bounds;
use crate::manifest::Manifest;
use crate::names::{CredentialName, PluginName, Slot};
use crate::origin::Origin;
use crate::path::Path;
use crate::runbook::{Behavior, Runbook, Section};
use crate::scope::{Scope, StepFacts};
use crate::step::{Action, Step, Use};

mod resolve;

/// A runbook that can be run: its inputs are known, its checks hold, its grants are narrowed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The runbook.
    pub runbook: Runbook,
    /// Its inputs, with their defaults.
    pub inputs: Inputs,
    /// The environment that it runs in.
    pub environment: Option<Environment>,
    /// The steps.
    pub steps: Vec<Planned>,
    /// Steps to run when the run has failed.
    pub on_failure: Vec<Planned>,
    /// Steps to run in any case, after all others.
    pub finally: Vec<Planned>,
    group: Option<(String, Behavior)>,
    scope: Scope,
}

/// A step with what it may do.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The step.
    pub step: Arc<Step>,
    /// The requests that it may make.
    pub permission: Arc<Permission>,
    /// The credentials that it may use.
    pub credentials: Vec<Bound>,
    /// The slots whose secrets its plugin may see in plain text.
    pub reveal: Vec<Slot>,
    /// What an attempt of it may use of its host. Its `timeout` is the step's.
    pub limits: Bounds,
    /// The plugin that it runs, where it runs one.
    pub plugin: Option<PluginFacts>,
    /// The outputs that are kept outside the record.
    pub sensitive_outputs: BTreeSet<String>,
    /// What undoes it, with what that may do.
    pub rollback: Option<Box<Planned>>,
}

/// A credential that is bound to a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The slot under which the plugin asks for it.
    pub slot: Slot,
    /// What the plugin wants it for.
    pub what_for: String,
    /// The environment's credential.
    pub credential: CredentialName,
    /// Where it may be sent.
    pub origins: Vec<Origin>,
}

/// What a plan shows of a step's plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFacts {
    /// Its name, as the manifest has it.
    pub name: PluginName,
    /// Its version.
    pub version: String,
    /// What it does.
    pub description: String,
    /// What it asks for and the step isn't granted; it may not need it.
    pub not_granted: Vec<Ask>,
    /// The slots that it has and the step leaves unbound.
    pub unbound: Vec<Slot>,
}

impl Plan {
    /// Plans a run. `inputs` are the values that were given, by name.
    ///
    /// # Errors
    ///
    /// Faults in the runbook's document: an input is missing, unknown or doesn't fit; the runbook needs an
    /// environment and there is none; a grant can't be resolved, or the ceiling leaves nothing of it; a check
    /// is false.
    pub fn new(runbook: CheckedRunbook, inputs: Map<String, Value>) -> Result<Plan, Vec<Fault>> {
        let (runbook, manifests, environment) = runbook.into_parts();
        let mut faults = Vec::new();
        if environment.is_none() {
            faults.extend(missing_environment(&runbook));
        }
        let inputs = resolve::inputs(&runbook, inputs, &mut faults);
        let (Some(inputs), true) = (inputs, faults.is_empty()) else {
            return Err(faults);
        };
        let scope = scope(&runbook, &inputs, environment.as_ref());
        let resolving = resolve::Resolving {
            manifests: &manifests,
            environment: environment.as_ref(),
            ceiling: environment
                .as_ref()
                .map(|environment| environment.ceiling.as_slice().into()),
            scope: &scope,
        };
        let [steps, on_failure, finally] = Section::ALL.map(|section| {
            let list = Path::root().key(section.as_str());
            let steps = runbook.section(section).iter().enumerate();
            let planned =
                steps.map(|(index, step)| resolving.step(step, &list.index(index), &mut faults));
            planned.collect::<Vec<Planned>>()
        });
        faults.extend(failed_checks(&runbook, &scope));
        let group = resolve::group(&runbook, &scope, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Plan {
            runbook,
            inputs,
            environment,
            steps,
            on_failure,
            finally,
            group,
            scope,
        })
    }

    /// What expressions see before the first step: inputs, variables, and every step as pending.
    pub fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// The group of which only one run may be at a time, and what a run does while another one holds it.
    pub fn group(&self) -> Option<(&str, Behavior)> {
        let (group, behavior) = self.group.as_ref()?;
        Some((group, *behavior))
    }

    /// All steps, section by section. Their rollbacks aren't among them.
    pub fn all_steps(&self) -> impl Iterator<Item = &Planned> {
        self.steps
            .iter()
            .chain(&self.on_failure)
            .chain(&self.finally)
    }

    /// What undoes steps, in the order of these, section by section.
    pub fn rollbacks(&self) -> impl Iterator<Item = &Planned> {
        self.all_steps()
            .filter_map(|planned| planned.rollback.as_deref())
    }

    /// The credentials that some step or rollback may use.
    pub fn credentials_used(&self) -> BTreeSet<&CredentialName> {
        self.all_steps()
            .chain(self.rollbacks())
            .flat_map(|planned| &planned.credentials)
            .map(|bound| &bound.credential)
            .collect()
    }

    /// Whether what an expression touches may be, or hold, something that is kept outside the record.
    pub fn is_sensitive(&self, touched: &Touched) -> bool {
        match (touched.root(), touched.member()) {
            ("inputs", Some(name)) => self.inputs.is_sensitive(name),
            ("inputs", None) => self.runbook.inputs.iter().any(|input| input.sensitive),
            ("steps", None) => self
                .all_steps()
                .any(|planned| !planned.sensitive_outputs.is_empty()),
            ("steps", Some(id)) => {
                let planned = self
                    .all_steps()
                    .find(|planned| planned.step.id.as_str() == id);
                planned.is_some_and(|planned| {
                    match (touched.names().get(2).map(String::as_str), touched.output()) {
                        (_, Some(output)) => planned.sensitive_outputs.contains(output),
                        (None | Some("outputs"), None) => !planned.sensitive_outputs.is_empty(),
                        (Some(_), None) => false,
                    }
                })
            }
            _ => false,
        }
    }
}

fn scope(runbook: &Runbook, inputs: &Inputs, environment: Option<&Environment>) -> Scope {
    let vars = environment.map_or_else(
        || Value::Object(Map::new()),
        |environment| environment.vars.clone(),
    );
    let mut scope = Scope::new(inputs.values(), &vars);
    let steps = Section::ALL.map(|section| runbook.section(section));
    let ids = steps.into_iter().flatten().map(|step| &step.id);
    scope.set_steps(ids, StepFacts::pending());
    scope
}

/// A runbook that uses what only an environment gives can't run without one.
fn missing_environment(runbook: &Runbook) -> Option<Fault> {
    let (place, why) = use_of_environment(runbook)?;
    let fault = Fault::error(place, format!("this runbook needs an environment: {why}"));
    Some(fault.on_key().help("name one with `--env NAME`"))
}

/// The runbook's own checks that don't hold, in its own words.
fn failed_checks(runbook: &Runbook, scope: &Scope) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, check) in runbook.checks.iter().enumerate() {
        let place = Path::root().key("checks").index(index);
        match check.condition.eval_bool(scope) {
            Ok(true) => {}
            Ok(false) => {
                let message = match check.message.render(scope) {
                    Ok(Value::String(text)) => text,
                    Ok(other) => other.to_string(),
                    Err(fault) => format!("a check does not hold, and its message: {fault}"),
                };
                faults.push(
                    Fault::error(place.key("condition"), message).label("this check does not hold"),
                );
            }
            Err(fault) => faults.push(Fault::error(place.key("condition"), fault.to_string())),
        }
    }
    faults
}

/// A step as the plan has it without a manifest's facts.
fn without_plugin(step: &Arc<Step>) -> Planned {
    let sensitive_outputs = match &step.action {
        Action::Manual(manual) => manual.sensitive_outputs().map(str::to_owned).collect(),
        Action::Plugin(_) | Action::Wait(_) | Action::Assert(_) | Action::Approval(_) => {
            BTreeSet::new()
        }
    };
    Planned {
        step: Arc::clone(step),
        permission: Arc::new(Permission {
            step: Vec::new(),
            ceiling: None,
        }),
        credentials: Vec::new(),
        reveal: Vec::new(),
        limits: Bounds::USUAL,
        plugin: None,
        sensitive_outputs,
        rollback: None,
    }
}

/// The slots of a step with the credentials that it binds.
fn bound(using: &Use, manifest: &Manifest, environment: Option<&Environment>) -> Vec<Bound> {
    let credentials = using.credentials.iter().filter_map(|(slot, credential)| {
        let known = environment?.credentials.get(credential)?;
        Some(Bound {
            slot: slot.clone(),
            what_for: manifest.slots.get(slot)?.clone(),
            credential: credential.clone(),
            origins: known.origins.clone(),
        })
    });
    credentials.collect()
}

#[cfg(test)]
mod tests;
