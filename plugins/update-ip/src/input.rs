use sandbook_step::prelude::*;

/// What the runbook gives. Each part is whole or absent; see the manifest.
#[derive(Deserialize)]
pub(crate) struct Input {
    subscription: Option<String>,
    resource_group: Option<String>,
    app: Option<String>,
    #[serde(default = "yes")]
    pub(crate) cloudflare_ranges: bool,
    #[serde(default)]
    pub(crate) addresses: Vec<Named>,
    #[serde(default = "first_priority")]
    pub(crate) priority: u32,
    #[serde(default = "ours")]
    pub(crate) owner: String,
    pub(crate) default_action: Option<Action>,
    healthy_host: Option<String>,
    account: Option<String>,
    pool: Option<String>,
    zone: Option<String>,
    load_balancer: Option<String>,
    healthy_pool: Option<String>,
    dns_record: Option<String>,
}

/// An address or a block of them, and whose it is.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) address: String,
}

/// What happens to whom no rule names.
#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Allow,
    Deny,
}

/// A web app.
pub(crate) struct App {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
}

/// A pool that is to send to one host.
pub(crate) struct PoolSwitch {
    pub(crate) account: String,
    pub(crate) pool: String,
    pub(crate) host: String,
}

/// A load balancer that is to prefer one pool.
pub(crate) struct LoadBalancerSwitch {
    pub(crate) zone: String,
    pub(crate) load_balancer: String,
    pub(crate) pool: String,
}

/// A DNS record that is to point to one host.
pub(crate) struct DnsSwitch {
    pub(crate) zone: String,
    pub(crate) record: String,
    pub(crate) host: String,
}

impl Input {
    /// The web app whose access restrictions are to be brought in order.
    pub(crate) fn app(&self) -> Result<Option<App>, Failure> {
        let Some(name) = self.app.clone() else {
            return Ok(None);
        };
        let subscription = needed(&self.subscription, "subscription", "app")?;
        let resource_group = needed(&self.resource_group, "resource_group", "app")?;
        Ok(Some(App {
            subscription,
            resource_group,
            name,
        }))
    }

    pub(crate) fn pool_switch(&self) -> Result<Option<PoolSwitch>, Failure> {
        let Some(pool) = self.pool.clone() else {
            return Ok(None);
        };
        let account = needed(&self.account, "account", "pool")?;
        let host = needed(&self.healthy_host, "healthy_host", "pool")?;
        Ok(Some(PoolSwitch {
            account,
            pool,
            host,
        }))
    }

    pub(crate) fn load_balancer_switch(&self) -> Result<Option<LoadBalancerSwitch>, Failure> {
        let Some(load_balancer) = self.load_balancer.clone() else {
            return Ok(None);
        };
        let zone = needed(&self.zone, "zone", "load_balancer")?;
        let pool = needed(&self.healthy_pool, "healthy_pool", "load_balancer")?;
        Ok(Some(LoadBalancerSwitch {
            zone,
            load_balancer,
            pool,
        }))
    }

    pub(crate) fn dns_switch(&self) -> Result<Option<DnsSwitch>, Failure> {
        let Some(record) = self.dns_record.clone() else {
            return Ok(None);
        };
        let zone = needed(&self.zone, "zone", "dns_record")?;
        let host = needed(&self.healthy_host, "healthy_host", "dns_record")?;
        Ok(Some(DnsSwitch { zone, record, host }))
    }
}

fn needed(value: &Option<String>, name: &str, of: &str) -> Result<String, Failure> {
    value.clone().ok_or_else(|| {
        Failure::invalid_input(format!("with `{of}`, `{name}` is needed too"))
            .with_code("InputMissing")
    })
}

fn yes() -> bool {
    true
}

fn first_priority() -> u32 {
    1000
}

fn ours() -> String {
    "sandbook".to_owned()
}
