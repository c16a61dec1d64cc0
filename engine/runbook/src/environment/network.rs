//! An environment's network rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::fill::Fill;
use crate::cidr::Cidr;
use crate::fault::Fault;
use crate::origin::Origin;
use crate::path::Path;

/// What may be reached beside public addresses, and what goes elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkRules {
    /// Private ranges that may be reached; none by default.
    pub private: Vec<Cidr>,
    /// Origins whose traffic goes elsewhere. Where there is any, nothing else is reached.
    pub reroute: BTreeMap<Origin, Origin>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireNetwork {
    private: Vec<String>,
    reroute: Map<String, Value>,
}

impl WireNetwork {
    pub(super) fn convert(self, fill: &mut Fill<'_>) -> NetworkRules {
        let place = Path::root().key("network");
        let private = self.private.into_iter().enumerate();
        let private = private
            .filter_map(|(index, text)| fill.parsed(text, &place.key("private").index(index)))
            .collect();
        let mut reroute = BTreeMap::new();
        for (from, to) in self.reroute {
            let place = place.key("reroute").key(&from);
            let Value::String(to) = to else { continue };
            let to: Option<Origin> = fill.parsed(to, &place);
            let from: Origin = match from.parse() {
                Ok(from) => from,
                Err(fault) => {
                    fill.fault(Fault::error(place, fault.to_string()).on_key());
                    continue;
                }
            };
            if let Some(to) = to
                && reroute.insert(from.clone(), to).is_some()
            {
                fill.fault(Fault::error(place, format!("`{from}` is rerouted twice")).on_key());
            }
        }
        NetworkRules { private, reroute }
    }
}
