//! Whether a step uses its plugin as the plugin's manifest says.

use std::collections::BTreeMap;

use super::{grants, with};
use crate::environment::Environment;
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::misfit::listed;
use crate::names::{PluginName, Slot};
use crate::path::Path;
use crate::step::Use;
use crate::suggest::closest;

/// What a step's use of a plugin is held against.
pub(super) struct Plugins<'a> {
    /// The names of all plugins of the project.
    pub(super) names: &'a [&'a str],
    /// The manifests of those that the runbook uses, at least.
    pub(super) manifests: &'a BTreeMap<PluginName, Manifest>,
    pub(super) environment: Option<&'a Environment>,
}

impl Plugins<'_> {
    /// Checks the use of a plugin by the step at this place.
    pub(super) fn check(&self, using: &Use, place: &Path, faults: &mut Vec<Fault>) {
        match self.manifests.get(&using.plugin) {
            None => faults.push(self.unknown(&using.plugin, place.key("uses"))),
            Some(manifest) => {
                with::check(using, manifest, place, faults);
                check_slots(using, manifest, place, faults);
                grants::wider_than_asked(using, manifest, place, faults);
            }
        }
        if let Some(environment) = self.environment {
            check_credentials(using, environment, place, faults);
        }
    }

    fn unknown(&self, name: &PluginName, place: Path) -> Fault {
        let fault = Fault::error(place, format!("the project has no plugin `{name}`"));
        match closest(name.as_str(), self.names.iter().copied()) {
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None => fault.help("add it to `plugins` in `sandbook.yaml`"),
        }
    }
}

/// Every slot of the plugin is bound, and nothing else.
fn check_slots(using: &Use, manifest: &Manifest, place: &Path, faults: &mut Vec<Fault>) {
    let plugin = &manifest.name;
    for (slot, what_for) in &manifest.slots {
        if !using.credentials.contains_key(slot) && !manifest.optional_slots.contains(slot) {
            let fault = Fault::error(
                place.clone(),
                format!("plugin `{plugin}` wants a credential for its slot `{slot}`"),
            )
            .on_key();
            faults.push(fault.help(format!(
                "add `credentials: {{ {slot}: NAME }}`; the slot is for: {what_for}"
            )));
        }
    }
    for slot in using.credentials.keys() {
        if !manifest.slots.contains_key(slot) {
            faults.push(
                unknown_slot(slot, manifest, place.key("credentials").key(slot.as_str())).on_key(),
            );
        }
    }
    for (index, slot) in using.reveal.iter().enumerate() {
        let place = place.key("reveal").index(index);
        if !manifest.slots.contains_key(slot) {
            faults.push(unknown_slot(slot, manifest, place));
        } else if !using.credentials.contains_key(slot) {
            let fault = Fault::error(place, format!("slot `{slot}` is revealed but not bound"));
            faults.push(fault.help("bind it under `credentials`, or remove it here"));
        }
    }
}

fn unknown_slot(slot: &Slot, manifest: &Manifest, place: Path) -> Fault {
    let known = manifest.slots.keys().map(Slot::as_str);
    let fault = Fault::error(
        place,
        format!("plugin `{}` has no slot `{slot}`", manifest.name),
    );
    match closest(slot.as_str(), known.clone()) {
        Some(meant) => fault.label(format!("did you mean `{meant}`?")),
        None if manifest.slots.is_empty() => fault.help("it asks for no credential"),
        None => fault.help(format!("its slots are {}", listed(known))),
    }
}

fn check_credentials(
    using: &Use,
    environment: &Environment,
    place: &Path,
    faults: &mut Vec<Fault>,
) {
    for (slot, credential) in &using.credentials {
        if environment.credentials.contains_key(credential) {
            continue;
        }
        let known = environment
            .credentials
            .keys()
            .map(crate::names::CredentialName::as_str);
        let fault = Fault::error(
            place.key("credentials").key(slot.as_str()),
            format!(
                "environment `{}` has no credential `{credential}`",
                environment.name
            ),
        );
        faults.push(match closest(credential.as_str(), known.clone()) {
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None if environment.credentials.is_empty() => fault.help("it has none at all"),
            None => fault.help(format!("it has {}", listed(known))),
        });
    }
}
