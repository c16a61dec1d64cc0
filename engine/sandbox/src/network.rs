//! The way out: which addresses may be reached, where traffic really goes, and over which connections.

mod address;
mod clients;
mod exchange;
mod location;
mod origin;
mod post;
mod resolve;
mod wire;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use http::HeaderValue;
use url::{Host, Url};

use address::Addresses;
use clients::Clients;
use resolve::{Checked, System};

pub use address::{IpRange, IpRangeError};
pub(crate) use clients::Lane;
pub(crate) use exchange::{Dispatch, Exchanged, Failure, Patience};
pub(crate) use location::location;
pub use origin::{Origin, OriginError};
pub use post::{PostError, post};
#[cfg(test)]
pub(crate) use resolve::LookingUp;
pub(crate) use resolve::Names;
pub use wire::{Came, Exchanging, Sent, Wire};

/// What an environment says of the network.
#[derive(Debug, Clone, Default)]
pub struct NetworkRules {
    /// Addresses that aren't public and may be reached all the same.
    pub private: Vec<IpRange>,
    /// From which origins traffic is sent elsewhere, and where to. Unless this is empty, no other
    /// origin can be reached.
    pub reroute: Vec<(Origin, Origin)>,
}

/// The network of one environment. Connections live as long as it does.
pub struct Network {
    addresses: Arc<Addresses>,
    reroute: BTreeMap<Origin, Origin>,
    way: Way,
}

/// How requests leave.
enum Way {
    Clients(Clients),
    /// They don't: this answers them.
    Wire(Arc<dyn Wire>),
}

/// Where a request really goes.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    /// What is connected to.
    pub(crate) target: Url,
    /// The `Host` field of the original, where the target isn't it.
    pub(crate) host: Option<HeaderValue>,
}

impl Route {
    /// Whether the environment sends this origin's traffic elsewhere.
    pub(crate) fn is_rerouted(&self) -> bool {
        self.host.is_some()
    }
}

impl Network {
    /// A network with these rules. Nothing is opened before the first request.
    pub fn new(rules: NetworkRules) -> Network {
        Network::with_names(rules, Arc::new(System))
    }

    /// A network that asks `names` for addresses instead of the system.
    pub(crate) fn with_names(rules: NetworkRules, names: Arc<dyn Names>) -> Network {
        let addresses = Arc::new(Addresses::new(rules.private));
        let reroute: BTreeMap<Origin, Origin> = rules.reroute.into_iter().collect();
        // What traffic is sent to by name in the environment is exempt from the check, and in such an
        // environment nothing else can be reached.
        let checked = if reroute.is_empty() {
            Some(Arc::clone(&addresses))
        } else {
            None
        };
        Network {
            addresses,
            reroute,
            way: Way::Clients(Clients::new(Checked::new(names, checked))),
        }
    }

    /// A network that isn't there: `wire` answers what would be sent, to whatever origin. Nothing is looked up and no
    /// socket is opened.
    pub fn of_wire(wire: Arc<dyn Wire>) -> Network {
        Network {
            addresses: Arc::new(Addresses::new(Vec::new())),
            reroute: BTreeMap::new(),
            way: Way::Wire(wire),
        }
    }

    /// To be awaited when an exchange's outcome is on record, before the plugin sees it.
    pub(crate) async fn recorded(&self) {
        if let Way::Wire(wire) = &self.way {
            wire.recorded().await;
        }
    }

    /// Whether traffic is sent elsewhere: this is a rehearsal.
    pub fn reroutes(&self) -> bool {
        !self.reroute.is_empty()
    }

    /// Where a request for this URL goes. Names are looked up, and their addresses checked, when the
    /// connection is made.
    ///
    /// # Errors
    ///
    /// The origin can't be reached in this environment; says why.
    pub(crate) fn route(&self, url: &Url) -> Result<Route, String> {
        if matches!(self.way, Way::Wire(_)) {
            return Ok(Route {
                target: url.clone(),
                host: None,
            });
        }
        if self.reroute.is_empty() {
            let literal = match url.host() {
                Some(Host::Ipv4(address)) => Some(IpAddr::from(address)),
                Some(Host::Ipv6(address)) => Some(IpAddr::from(address)),
                Some(Host::Domain(_)) | None => None,
            };
            if let Some(address) = literal {
                self.addresses
                    .check(address)
                    .map_err(|refused| refused.to_string())?;
            }
            return Ok(Route {
                target: url.clone(),
                host: None,
            });
        }
        let origin = Origin::of(url).map_err(|error| error.to_string())?;
        let Some(target) = self.reroute.get(&origin) else {
            return Err(format!(
                "`{origin}` is not rerouted, and this environment reaches only rerouted origins"
            ));
        };
        let host = HeaderValue::from_str(origin.authority()).map_err(|error| error.to_string())?;
        Ok(Route {
            target: target.place(url),
            host: Some(host),
        })
    }
}
