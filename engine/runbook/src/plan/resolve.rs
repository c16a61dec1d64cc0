//! Filling in what is known before a run: inputs and grants.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Planned, PluginFacts, bound, without_plugin};
use crate::check::outside;
use crate::environment::Environment;
use crate::fault::Fault;
use crate::grant::{Grant, Permission};
use crate::input::Inputs;
use crate::limits::{Bounds, Limit};
use crate::manifest::Manifest;
use crate::misfit::listed;
use crate::names::PluginName;
use crate::path::Path;
use crate::runbook::{Behavior, Runbook};
use crate::scope::Scope;
use crate::step::Step;
use crate::suggest::closest;

/// The runbook's inputs, from what was given and from the defaults.
pub(super) fn inputs(
    runbook: &Runbook,
    mut given: Map<String, Value>,
    faults: &mut Vec<Fault>,
) -> Option<Inputs> {
    let before = faults.len();
    let place = Path::root().key("inputs");
    let mut resolved = Inputs::default();
    for input in &runbook.inputs {
        let name = input.name.as_str();
        let place = place.key(name);
        match given.shift_remove(name) {
            Some(value) => match input.validate(&value) {
                Ok(()) => resolved.insert(input, value),
                Err(fault) => {
                    faults.push(Fault::error(place, format!("input `{name}`: {fault}")).on_key());
                }
            },
            None => match &input.default {
                Some(default) => resolved.insert(input, default.clone()),
                None if input.required => {
                    let fault = Fault::error(place, format!("input `{name}` is missing")).on_key();
                    let what = input
                        .description
                        .as_ref()
                        .map_or_else(String::new, |said| format!("; it is: {said}"));
                    faults.push(fault.help(format!("give it with `-i {name}=VALUE`{what}")));
                }
                None => resolved.insert(input, Value::Null),
            },
        }
    }
    for name in given.keys() {
        let known = runbook.inputs.iter().map(|input| input.name.as_str());
        let fault =
            Fault::error(place.clone(), format!("this runbook has no input `{name}`")).on_key();
        faults.push(match closest(name, known.clone()) {
            Some(meant) => fault.help(format!("did you mean `{meant}`?")),
            None if runbook.inputs.is_empty() => fault.help("it has none"),
            None => fault.help(format!("its inputs are {}", listed(known))),
        });
    }
    (faults.len() == before).then_some(resolved)
}

/// The runbook's group of concurrency, with its name as it comes to.
pub(super) fn group(
    runbook: &Runbook,
    scope: &Scope,
    faults: &mut Vec<Fault>,
) -> Option<(String, Behavior)> {
    let concurrency = runbook.concurrency.as_ref()?;
    match concurrency.name(scope) {
        Ok(name) => Some((name, concurrency.behavior)),
        Err(fault) => {
            let place = Path::root().key("concurrency").key("group");
            faults.push(Fault::error(place, fault.to_string()));
            None
        }
    }
}

/// What steps are resolved against.
pub(super) struct Resolving<'a> {
    pub(super) manifests: &'a BTreeMap<PluginName, Manifest>,
    pub(super) environment: Option<&'a Environment>,
    /// The environment's, which all steps share.
    pub(super) ceiling: Option<Arc<[Grant]>>,
    pub(super) scope: &'a Scope,
}

impl Resolving<'_> {
    pub(super) fn step(&self, step: &Arc<Step>, place: &Path, faults: &mut Vec<Fault>) -> Planned {
        let Some((using, manifest)) = step
            .plugin()
            .and_then(|using| Some((using, self.manifests.get(&using.plugin)?)))
        else {
            return without_plugin(step);
        };
        let mut grants: Vec<Grant> = Vec::new();
        for (index, line) in using.allow.iter().enumerate() {
            let place = || place.key("allow").index(index);
            match line.resolve(self.scope) {
                Ok(grant) => {
                    let cut_off = self
                        .environment
                        .and_then(|environment| outside(&grant, environment, place));
                    faults.extend(cut_off.filter(Fault::is_error));
                    grants.push(grant);
                }
                Err(fault) => faults.push(Fault::error(place(), fault.to_string())),
            }
        }
        let plugin = PluginFacts {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            description: manifest.description.clone(),
            not_granted: manifest
                .allow
                .iter()
                .filter_map(|ask| ask.not_granted(&grants))
                .collect(),
            unbound: manifest
                .slots
                .keys()
                .filter(|slot| !using.credentials.contains_key(*slot))
                .cloned()
                .collect(),
        };
        let most = self.environment.map(|environment| &environment.limits);
        let limits = Bounds::new(&using.limits, most);
        let mut step = Arc::clone(step);
        let timeout = limits.time(Limit::Timeout);
        if step.timeout != timeout {
            Arc::make_mut(&mut step).timeout = timeout;
        }
        let rollback = step.rollback.as_ref();
        let rollback =
            rollback.map(|rollback| Box::new(self.step(rollback, &place.key("rollback"), faults)));
        Planned {
            step,
            permission: Arc::new(Permission {
                step: grants,
                ceiling: self.ceiling.clone(),
            }),
            credentials: bound(using, manifest, self.environment),
            reveal: using.reveal.clone(),
            limits,
            plugin: Some(plugin),
            sensitive_outputs: manifest.sensitive_outputs().map(str::to_owned).collect(),
            rollback,
        }
    }
}
