//! A project's plugins: where each comes from, and who must have signed it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::check_path;
use super::key::{PublicKey, signers};
use crate::fault::Fault;
use crate::names::{KeyName, PluginName};
use crate::path::Path;
use crate::plugin_source::PluginSource;

/// A plugin as a project names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectPlugin {
    /// Where it comes from.
    pub source: PluginSource,
    /// The keys that must have signed it, all of them; none where the project says nothing of this plugin.
    pub signed_by: Option<Vec<KeyName>>,
}

/// Its source, alone or with the keys.
#[derive(Debug)]
pub(super) struct WirePlugin {
    from: Option<String>,
    signed_by: Option<Vec<String>>,
    /// Whether the source stands alone.
    is_short: bool,
}

impl<'de> Deserialize<'de> for WirePlugin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WirePlugin, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Whole {
            from: Option<String>,
            signed_by: Option<Vec<String>>,
        }
        match Value::deserialize(deserializer)? {
            Value::String(from) => Ok(WirePlugin {
                from: Some(from),
                signed_by: None,
                is_short: true,
            }),
            whole => {
                let Whole { from, signed_by } =
                    Whole::deserialize(whole).map_err(D::Error::custom)?;
                Ok(WirePlugin {
                    from,
                    signed_by,
                    is_short: false,
                })
            }
        }
    }
}

pub(super) fn convert(
    wires: BTreeMap<String, WirePlugin>,
    keys: &BTreeMap<KeyName, PublicKey>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<PluginName, ProjectPlugin> {
    let mut plugins = BTreeMap::new();
    for (name, wire) in wires {
        let place = Path::root().key("plugins").key(&name);
        let from = if wire.is_short {
            place.clone()
        } else {
            place.key("from")
        };
        let source = match wire.from {
            Some(text) => source(&text, &from, faults),
            // The shape's faults say it, where there are any.
            None => None,
        };
        let signed_by = wire
            .signed_by
            .map(|names| signers(names, &place.key("signed_by"), keys, faults));
        match PluginName::new(&name) {
            Ok(name) => {
                if let Some(source) = source {
                    plugins.insert(name, ProjectPlugin { source, signed_by });
                }
            }
            Err(fault) => faults.push(Fault::error(place, fault.to_string()).on_key()),
        }
    }
    plugins
}

fn source(text: &str, place: &Path, faults: &mut Vec<Fault>) -> Option<PluginSource> {
    match text.parse() {
        Ok(source) => {
            if let PluginSource::Path(path) = &source {
                check_path(path, place, faults);
            }
            Some(source)
        }
        Err(fault) => {
            faults.push(Fault::error(place.clone(), fault.to_string()).help(fault.help()));
            None
        }
    }
}
