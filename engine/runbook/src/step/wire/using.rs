//! The use of a plugin, by a step or by its rollback.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::leaf::Reader;
use crate::limits::WireLimits;
use crate::names::{CredentialName, PluginName, Slot};
use crate::path::Path;
use crate::step::Use;

/// What the document says of it.
pub(super) struct WireUse {
    pub(super) uses: Option<String>,
    pub(super) with: Option<Map<String, Value>>,
    pub(super) credentials: Option<BTreeMap<String, String>>,
    pub(super) allow: Option<Vec<String>>,
    pub(super) reveal: Option<Vec<String>>,
    pub(super) limits: Option<WireLimits>,
    /// The step's, where it says one.
    pub(super) timeout: Option<Duration>,
}

impl WireUse {
    /// `place` is where its keys are.
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Use> {
        let plugin = self
            .uses
            .and_then(|name| reader.parsed::<PluginName>(&name, &place.key("uses")));
        let written = Value::Object(self.with.unwrap_or_default());
        let with = reader.template(&written, &place.key("with"));
        let mut credentials = BTreeMap::new();
        for (slot, credential) in self.credentials.unwrap_or_default() {
            let place = place.key("credentials").key(&slot);
            let credential = reader.parsed::<CredentialName>(&credential, &place);
            match (Slot::new(slot), credential) {
                (Err(fault), _) => reader.fault(Fault::error(place, fault.to_string()).on_key()),
                (Ok(slot), Some(credential)) => drop(credentials.insert(slot, credential)),
                (Ok(_), None) => {}
            }
        }
        let lines = self.allow.unwrap_or_default();
        let lines = lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| reader.allow_line(line, &place.key("allow").index(index)));
        let allow = lines.collect();
        let slots = self.reveal.unwrap_or_default();
        let slots = slots.iter().enumerate();
        let reveal = slots
            .filter_map(|(index, slot)| reader.parsed(slot, &place.key("reveal").index(index)))
            .collect();
        let limits = self.limits.unwrap_or_default();
        let limits = limits.of_step(self.timeout, &place.key("limits"), &mut reader.faults);
        Some(Use {
            plugin: plugin?,
            with: with?,
            written,
            credentials,
            allow,
            reveal,
            limits,
        })
    }
}
