//! The outputs that a step declares: those of its plugin's manifest, or those of its work by hand.

use std::collections::BTreeMap;

use crate::manifest::Manifest;
use crate::names::PluginName;
use crate::step::{Action, Step};

/// What a step declares of its outputs.
pub(super) struct Declared<'a> {
    /// Whose outputs they are, for people.
    pub(super) whose: String,
    /// Their names.
    pub(super) names: Vec<&'a str>,
    /// Whether there may be others.
    pub(super) is_open: bool,
}

impl<'a> Declared<'a> {
    /// What is known of them; nothing where a step has no outputs, or runs a plugin whose manifest isn't known.
    pub(super) fn by(
        step: &'a Step,
        manifests: Option<&'a BTreeMap<PluginName, Manifest>>,
    ) -> Option<Declared<'a>> {
        match &step.action {
            Action::Plugin(using) => {
                let manifest = manifests?.get(&using.plugin)?;
                Some(Declared {
                    whose: format!("plugin `{}`", manifest.name),
                    names: manifest.output_names().collect(),
                    is_open: manifest.has_open_outputs(),
                })
            }
            Action::Manual(manual) => Some(Declared {
                whose: format!("step `{}`", step.id),
                names: manual
                    .outputs
                    .iter()
                    .map(|output| output.name.as_str())
                    .collect(),
                is_open: false,
            }),
            Action::Wait(_) | Action::Assert(_) | Action::Approval(_) => None,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}
