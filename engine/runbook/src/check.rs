//! Everything about a runbook that can be known without running it, all at once.

use std::collections::BTreeMap;

use crate::environment::Environment;
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::names::PluginName;
use crate::path::Path;
use crate::runbook::{Placed, Runbook};
use crate::step::Use;

mod declared;
mod grants;
mod groups;
mod inputs;
mod limits;
mod names;
mod order;
mod outputs;
mod plugin;
mod rollback;
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
    let plugins: Vec<&str> = manifests.keys().map(PluginName::as_str).collect();
    check_knowing(&plugins, runbook, manifests, environment)
}

/// As [`check()`], where the project has more plugins than those whose manifests are at hand.
pub(crate) fn check_knowing(
    plugins: &[&str],
    runbook: &Runbook,
    manifests: &BTreeMap<PluginName, Manifest>,
    environment: Option<&Environment>,
) -> Vec<Fault> {
    let placed: Vec<Placed<'_>> = runbook.placed_steps().collect();
    let mut faults = checked(runbook, &placed, Some(manifests), environment);
    let using = plugin::Plugins {
        names: plugins,
        manifests,
        environment,
    };
    for (place, used) in placed.iter().flat_map(uses) {
        using.check(used, &place, &mut faults);
    }
    if let Some(environment) = environment {
        grants::check(&placed, environment, &mut faults);
        limits::check(&placed, environment, &mut faults);
    }
    faults
}

/// What can be known from the runbook alone.
pub(crate) fn within(runbook: &Runbook) -> Vec<Fault> {
    let placed: Vec<Placed<'_>> = runbook.placed_steps().collect();
    checked(runbook, &placed, None, None)
}

fn checked(
    runbook: &Runbook,
    placed: &[Placed<'_>],
    manifests: Option<&BTreeMap<PluginName, Manifest>>,
    environment: Option<&Environment>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    inputs::check(runbook, placed, &mut faults);
    groups::refuse_sensitive(runbook, &mut faults);
    for (place, used) in placed.iter().flat_map(uses) {
        grants::refuse_sensitive(runbook, used, &place, &mut faults);
    }
    rollback::check(placed, &mut faults);
    let order = Order::of(placed, &mut faults);
    let known = Known {
        runbook,
        order: &order,
        manifests,
        vars: environment.map(|environment| &environment.vars),
    };
    for site in sites(runbook, placed) {
        let before = faults.len();
        known.check(&site, &mut faults);
        // What names nothing is not asked whether it has a default.
        if faults.len() == before {
            outputs::check(&site, &order, &mut faults);
        }
    }
    faults
}

/// The uses of plugins by a step and by its rollback, each with the place where its keys are.
fn uses<'a>(&(_, ref place, step): &Placed<'a>) -> impl Iterator<Item = (Path, &'a Use)> + use<'a> {
    let own = step.plugin().map(|using| (place.clone(), using));
    let rollback = step.rollback.as_deref();
    let undoing = rollback.and_then(|rollback| {
        let using = rollback.plugin()?;
        Some((place.key("rollback"), using))
    });
    own.into_iter().chain(undoing)
}

impl Runbook {
    /// Where a step, or what undoes it, lets a plugin see the plain text of secrets: the place, and which plugin.
    pub fn reveals(&self) -> Vec<(Path, &PluginName)> {
        let placed: Vec<Placed<'_>> = self.placed_steps().collect();
        let revealing = placed.iter().flat_map(uses);
        let revealing = revealing.filter(|(_, using)| !using.reveal.is_empty());
        let places = revealing.map(|(place, using)| (place.key("reveal"), &using.plugin));
        places.collect()
    }
}

/// The first thing in a runbook that only an environment gives, and its place: a variable, a request, a
/// credential.
pub(crate) fn use_of_environment(runbook: &Runbook) -> Option<(Path, String)> {
    let placed: Vec<Placed<'_>> = runbook.placed_steps().collect();
    let variable = sites(runbook, &placed).into_iter().find_map(|site| {
        let touched = site
            .expression
            .touches()
            .iter()
            .find(|touched| touched.root() == "vars")?;
        Some((site.place, format!("it uses `{touched}`")))
    });
    variable.or_else(|| {
        let mut uses = placed.iter().flat_map(|placed| {
            let (.., step) = *placed;
            uses(placed).map(move |(place, using)| (step, place, using))
        });
        uses.find_map(|(step, place, using)| {
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
        })
    })
}
