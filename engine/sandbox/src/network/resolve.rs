//! Names to addresses, all of them checked: the connection goes to one of these and to no other.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{AddressRefused, Addresses};

/// A look-up under way.
pub(crate) type LookingUp = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Whoever knows the addresses of names.
pub(crate) trait Names: Send + Sync {
    fn look_up(&self, name: String) -> LookingUp;
}

/// The system's resolver.
pub(super) struct System;

impl Names for System {
    fn look_up(&self, name: String) -> LookingUp {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name has an address that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` has an address that may not be reached: {refused}")]
pub(super) struct NameRefused {
    name: String,
    refused: AddressRefused,
}

/// A name could not be looked up.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be looked up")]
pub(super) struct NotResolved(#[source] io::Error);

/// The client's resolver hook.
#[derive(Clone)]
pub(super) struct Checked {
    names: Arc<dyn Names>,
    /// Absent where all that can be reached is named by the environment.
    addresses: Option<Arc<Addresses>>,
}

impl Checked {
    pub(super) fn new(names: Arc<dyn Names>, addresses: Option<Arc<Addresses>>) -> Checked {
        Checked { names, addresses }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let Checked { names, addresses } = self.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let found = names.look_up(name.clone()).await.map_err(NotResolved)?;
            // A mixed answer is refused whole: it is how a name is made to point inwards.
            if let Some(addresses) = addresses {
                for address in &found {
                    addresses.check(*address).map_err(|refused| NameRefused {
                        name: name.clone(),
                        refused,
                    })?;
                }
            }
            let sockets: Addrs =
                Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(sockets)
        })
    }
}
