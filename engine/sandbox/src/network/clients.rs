//! The HTTP clients: they hold the connections, so who shares one shares those.

use std::{
    collections::HashMap,
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::resolve::Checked;

/// How long name, connection and TLS may take together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many partitions keep their connections; past that all are closed.
const PARTITIONS: usize = 256;

/// Over which connection a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lane<'a> {
    /// One that this partition may have used before.
    Shared(&'a str),
    /// A new one, closed after: a kept one may break just when it is used again, and then nobody
    /// knows whether the request arrived.
    Fresh,
}

/// The clients of one network, made when they are needed.
pub(super) struct Clients {
    resolver: Checked,
    plain: Mutex<Kept>,
    tls: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    fresh: Option<Client>,
    shared: HashMap<String, Client>,
}

impl Clients {
    pub(super) fn new(resolver: Checked) -> Clients {
        Clients {
            resolver,
            plain: Mutex::default(),
            tls: Mutex::default(),
        }
    }

    /// The client of a lane. Those for https read the system's certificates, so a request by http
    /// needs none.
    pub(super) fn client(&self, lane: Lane<'_>, tls: bool) -> reqwest::Result<Client> {
        let kept = if tls { &self.tls } else { &self.plain };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        match lane {
            Lane::Fresh => {
                if let Some(client) = &kept.fresh {
                    return Ok(client.clone());
                }
                let client = self.builder(tls).pool_max_idle_per_host(0).build()?;
                Ok(kept.fresh.insert(client).clone())
            }
            Lane::Shared(partition) => {
                if let Some(client) = kept.shared.get(partition) {
                    return Ok(client.clone());
                }
                let client = self.builder(tls).pool_idle_timeout(IDLE_TIMEOUT).build()?;
                if kept.shared.len() >= PARTITIONS {
                    kept.shared.clear();
                }
                kept.shared.insert(partition.to_owned(), client.clone());
                Ok(client)
            }
        }
    }

    /// A client that does what it is told and nothing else.
    fn builder(&self, tls: bool) -> ClientBuilder {
        static RING: Once = Once::new();
        // Whoever has installed a provider before has chosen it for the whole process.
        RING.call_once(|| drop(ring::default_provider().install_default()));
        let builder = Client::builder()
            .dns_resolver(self.resolver.clone())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .user_agent(concat!("sandbook/", env!("CARGO_PKG_VERSION")));
        if tls {
            return builder;
        }
        let unused = ClientConfig::builder()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        builder.tls_backend_preconfigured(unused)
    }
}
