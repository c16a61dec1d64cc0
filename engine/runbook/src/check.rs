//! Everything about a runbook that can be known without running it, all at once.

use std::collections::BTreeMap;

use crate::environment::Environment;
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::names::PluginName;
use crate::path::Path;
use crate::runbook::Runbook;

mod grants;
mod inputs;
mod names;
mod order;
mod outputs;
mod plugin;
mod site;
mod with;

use names::Known;
use order::Order;
use site::sites;

pub(crate) use grants::outside;
pub(crate) use names::only_vars;

/// Checks that a runbook's parts fit together, that they fit the plugins that its steps use, and, where
/// one is given, the environment.
///
/// `manifests` are those of the project's plugins by the names that the project gives them; a plugin
/// that isn't among them is a fault.
pub fn check(
    runbook: &Runbook,
    manifests: &BTreeMap<PluginName, Manifest>,
    environment: Option<&Environment>,
) -> Vec<Fault> {
    let mut faults = checked(runbook, Some(manifests), environment);
    for (_, place, step) in runbook.placed_steps() {
        if let Some(using) = step.plugin() {
            plugin::check(using, &place, manifests, environment, &mut faults);
        }
    }
    if let Some(environment) = environment {
        for (_, place, step) in runbook.placed_steps() {
            grants::check(step, &place, environment, &mut faults);
        }
    }
    faults
}

/// What can be known from the runbook alone.
pub(crate) fn within(runbook: &Runbook) -> Vec<Fault> {
    checked(runbook, None, None)
}

fn checked(
    runbook: &Runbook,
    manifests: Option<&BTreeMap<PluginName, Manifest>>,
    environment: Option<&Environment>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    inputs::check(runbook, &mut faults);
    for (_, place, step) in runbook.placed_steps() {
        grants::refuse_sensitive(runbook, step, &place, &mut faults);
    }
    let order = Order::of(runbook, &mut faults);
    let known = Known {
        runbook,
        order: &order,
        manifests,
        vars: environment.map(|environment| &environment.vars),
    };
    for site in sites(runbook) {
        let before = faults.len();
        known.check(&site, &mut faults);
        // What names nothing is not asked whether it has a default.
        if faults.len() == before {
            outputs::check(&site, &order, &mut faults);
        }
    }
    faults
}

/// What of a runbook only an environment gives, each with its place: variables, credentials, requests.
pub(crate) fn uses_of_environment(runbook: &Runbook) -> impl Iterator<Item = (Path, String)> + '_ {
    let vars = sites(runbook).filter_map(|site| {
        let touched = site
            .expression
            .touches()
            .iter()
            .find(|touched| touched.root() == "vars")?;
        Some((site.place, format!("it uses `{touched}`")))
    });
    let steps = runbook.placed_steps().filter_map(|(_, place, step)| {
        let using = step.plugin()?;
        if !using.allow.is_empty() {
            Some((
                place.key("allow"),
                format!("step `{}` makes requests", step.id),
            ))
        } else if !using.credentials.is_empty() {
            Some((
                place.key("credentials"),
                format!("step `{}` uses credentials", step.id),
            ))
        } else {
            None
        }
    });
    vars.chain(steps)
}
