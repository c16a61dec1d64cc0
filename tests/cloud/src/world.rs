//! The well-known identities of the simulated world. The demo environment is written from them; `simcloud --world` prints
//! them. None is real, and every secret says that it is a demo.

use serde_json::{Value, json};

use crate::Region;

/// Where Azure's tokens come from.
pub const LOGIN_HOST: &str = "login.microsoftonline.com";
/// Azure Resource Manager.
pub const MANAGEMENT_HOST: &str = "management.azure.com";
/// Cloudflare's API.
pub const CLOUDFLARE_HOST: &str = "api.cloudflare.com";
/// Statuspage's API.
pub const STATUSPAGE_HOST: &str = "api.statuspage.io";
/// The shop, as its customers reach it.
pub const SITE_HOST: &str = "www.example-shop.com";
/// Takes messages for people, the way chat services do.
pub const HOOKS_HOST: &str = "hooks.example-shop.com";
/// Answers with what it was sent.
pub const ECHO_HOST: &str = "echo.simcloud.test";
/// Answers with a redirect: `/?to=URL&status=307`.
pub const REDIRECT_HOST: &str = "redirect.simcloud.test";
/// Answers late: `/MILLISECONDS`, or `/body/MILLISECONDS` for a pause within the body.
pub const SLOW_HOST: &str = "slow.simcloud.test";
/// Answers at length: `/BYTES`, or `/chunked/BYTES` without saying how long.
pub const LARGE_HOST: &str = "large.simcloud.test";
/// Answers with the status that the path names, `/503?retry-after=2`; each part of the query becomes a header.
pub const STATUS_HOST: &str = "status.simcloud.test";
/// The simulation's own switchboard. Its paths are also under `/_sim/` of every other host.
pub const ADMIN_HOST: &str = "sim";

/// The Entra tenant.
pub const TENANT: &str = "5f2c1d0e-7a4b-4c39-9e61-0b8d2f6a7c14";
/// The service principal's application id.
pub const CLIENT_ID: &str = "c0a8e3b2-4d15-4f7e-8b9a-6e1d3c5f7a20";
/// The service principal's secret.
pub const CLIENT_SECRET: &str = "demo-azure-secret";
/// The scope that a token for Azure Resource Manager is asked with.
pub const SCOPE: &str = "https://management.azure.com/.default";
/// The subscription.
pub const SUBSCRIPTION: &str = "8d3b6c52-91fe-4a07-b2c8-3e5f70a1d946";
/// The resource group that everything is in.
pub const RESOURCE_GROUP: &str = "example-shop";
/// The failover group that pairs the two SQL servers.
pub const FAILOVER_GROUP: &str = "shop-orders";
/// The database in it.
pub const DATABASE: &str = "orders";

/// Cloudflare's API token.
pub const CLOUDFLARE_TOKEN: &str = "demo-cloudflare-token";
/// Cloudflare's account.
pub const ACCOUNT: &str = "4e1b7c90a5d84f2f9b63c0de17a8525d";
/// The zone `example-shop.com`.
pub const ZONE: &str = "b7d20f6c3e9a41589d04c1f7e62a83b5";
/// The zone's name.
pub const ZONE_NAME: &str = "example-shop.com";
/// The load balancer that steers [`SITE_HOST`].
pub const LOAD_BALANCER: &str = "699d98642c564d2e855e9661899b7252";
/// The DNS record of [`SITE_HOST`], in use while the load balancer is switched off.
pub const DNS_RECORD: &str = "372e67954025e0ba6aaa6d586b9e0b59";

/// Statuspage's API key.
pub const STATUSPAGE_KEY: &str = "demo-statuspage-key";
/// The status page.
pub const PAGE: &str = "k7x2m9qv4tzd";
/// The status page's name.
pub const PAGE_NAME: &str = "Example Shop";
/// The component `Website`.
pub const COMPONENT_WEBSITE: &str = "b13yz5g2cw10";
/// The component `Checkout`.
pub const COMPONENT_CHECKOUT: &str = "41wg86q5vc14";
/// The component `Order history`.
pub const COMPONENT_ORDERS: &str = "vtnh60py4yd7";
/// Components by id and name, in the page's order.
pub const COMPONENTS: [(&str, &str); 3] = [
    (COMPONENT_WEBSITE, "Website"),
    (COMPONENT_CHECKOUT, "Checkout"),
    (COMPONENT_ORDERS, "Order history"),
];

/// The Patroni cluster's name.
pub const PATRONI_SCOPE: &str = "shop-ledger";
/// The address from which whoever asks an origin directly comes, and the network that its access restrictions call `office`.
pub const CALLER_ADDRESS: &str = "198.51.100.7";
/// The office's network: a rule that is nobody's but the office's.
pub const OFFICE_NETWORK: &str = "198.51.100.0/24";

/// Cloudflare's published IPv4 ranges.
pub const CLOUDFLARE_IPV4: [&str; 15] = [
    "173.245.48.0/20",
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "141.101.64.0/18",
    "108.162.192.0/18",
    "190.93.240.0/20",
    "188.114.96.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "162.158.0.0/15",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "172.64.0.0/13",
    "131.0.72.0/22",
];
/// Cloudflare's published IPv6 ranges.
pub const CLOUDFLARE_IPV6: [&str; 7] = [
    "2400:cb00::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2405:b500::/32",
    "2405:8100::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
];

impl Region {
    /// Azure's name of the region.
    #[must_use]
    pub fn location(self) -> &'static str {
        match self {
            Region::East => "East US",
            Region::West => "West US",
        }
    }

    /// The web app there.
    #[must_use]
    pub fn web_app(self) -> &'static str {
        match self {
            Region::East => "shop-east",
            Region::West => "shop-west",
        }
    }

    /// The host under which the web app answers without Cloudflare.
    #[must_use]
    pub fn origin_host(self) -> &'static str {
        match self {
            Region::East => "shop-east.azurewebsites.net",
            Region::West => "shop-west.azurewebsites.net",
        }
    }

    /// The SQL server there.
    #[must_use]
    pub fn sql_server(self) -> &'static str {
        match self {
            Region::East => "shop-sql-east",
            Region::West => "shop-sql-west",
        }
    }

    /// The id of the Cloudflare pool that has this region's web app as its one origin.
    #[must_use]
    pub fn pool(self) -> &'static str {
        match self {
            Region::East => "17b5962d775c646f3f9725cbc7a53df4",
            Region::West => "9290f38c5d07c2e2f4df57b1f61d4196",
        }
    }

    /// The Patroni node's name.
    #[must_use]
    pub fn patroni_node(self) -> &'static str {
        match self {
            Region::East => "pg-east",
            Region::West => "pg-west",
        }
    }

    /// The host of the Patroni node's REST interface, with its port.
    #[must_use]
    pub fn patroni_host(self) -> &'static str {
        match self {
            Region::East => "pg-east.internal:8008",
            Region::West => "pg-west.internal:8008",
        }
    }

    /// The path of the web app's resource in Azure Resource Manager.
    #[must_use]
    pub fn web_app_id(self) -> String {
        format!("{}/Microsoft.Web/sites/{}", providers(), self.web_app())
    }

    /// The path of the failover group's resource, as this region's server sees it.
    #[must_use]
    pub fn failover_group_id(self) -> String {
        format!(
            "{}/Microsoft.Sql/servers/{}/failoverGroups/{FAILOVER_GROUP}",
            providers(),
            self.sql_server()
        )
    }
}

fn providers() -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}/providers")
}

/// Every identity of the world, as `simcloud --world` prints it.
#[must_use]
pub fn describe() -> Value {
    let by_region = |of: fn(Region) -> &'static str| json!({ "east": of(Region::East), "west": of(Region::West) });
    let components: serde_json::Map<String, Value> = COMPONENTS
        .iter()
        .map(|(id, name)| ((*name).to_owned(), json!(id)))
        .collect();
    json!({
        "site": { "url": format!("https://{SITE_HOST}/"), "health": format!("https://{SITE_HOST}/health"), "origins": by_region(Region::origin_host) },
        "azure": {
            "token_url": format!("https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token"),
            "tenant": TENANT,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": SCOPE,
            "origin": format!("https://{MANAGEMENT_HOST}"),
            "subscription": SUBSCRIPTION,
            "resource_group": RESOURCE_GROUP,
            "web_apps": by_region(Region::web_app),
            "sql_servers": by_region(Region::sql_server),
            "failover_group": FAILOVER_GROUP,
            "database": DATABASE,
        },
        "cloudflare": {
            "origin": format!("https://{CLOUDFLARE_HOST}"),
            "token": CLOUDFLARE_TOKEN,
            "account": ACCOUNT,
            "zone": ZONE,
            "zone_name": ZONE_NAME,
            "pools": by_region(Region::pool),
            "load_balancer": LOAD_BALANCER,
            "dns_record": DNS_RECORD,
        },
        "statuspage": {
            "origin": format!("https://{STATUSPAGE_HOST}"),
            "key": STATUSPAGE_KEY,
            "page": PAGE,
            "components": components,
        },
        "patroni": {
            "scope": PATRONI_SCOPE,
            "nodes": by_region(Region::patroni_node),
            "hosts": by_region(Region::patroni_host),
        },
        "hooks": format!("https://{HOOKS_HOST}/services/ops"),
        "tests": { "echo": ECHO_HOST, "redirect": REDIRECT_HOST, "slow": SLOW_HOST, "large": LARGE_HOST, "status": STATUS_HOST },
    })
}
