use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::azure::{self, Azure};
use crate::cloudflare::Cloudflare;
use crate::edge;
use crate::hooks::Hooks;
use crate::odd;
use crate::patroni::Patroni;
use crate::region::Both;
use crate::request::Request;
use crate::statuspage::StatusPage;
use crate::world::{
    CLOUDFLARE_HOST, ECHO_HOST, HOOKS_HOST, LARGE_HOST, LOGIN_HOST, MANAGEMENT_HOST, REDIRECT_HOST,
    SITE_HOST, SLOW_HOST, STATUS_HOST, STATUSPAGE_HOST,
};
use crate::{Options, Region};

/// The simulated world. It knows nothing of connections: a request goes in, an answer comes out, and time is a parameter.
#[derive(Debug)]
pub(crate) struct State {
    /// Which regions are up.
    pub(crate) regions: Both<bool>,
    pub(crate) azure: Azure,
    pub(crate) cloudflare: Cloudflare,
    pub(crate) status_page: StatusPage,
    pub(crate) patroni: Patroni,
    pub(crate) hooks: Hooks,
    /// How many orders were placed.
    pub(crate) orders: u64,
}

impl State {
    pub(crate) fn new(options: &Options, now: Timestamp) -> State {
        let mut state = State {
            regions: Both::new(|_| true),
            azure: Azure::new(options),
            cloudflare: Cloudflare::new(now),
            status_page: StatusPage::new(options, now),
            patroni: Patroni::new(),
            hooks: Hooks::default(),
            orders: 0,
        };
        for region in &options.down {
            state.set_region(*region, false, now);
        }
        state
    }

    pub(crate) fn set_region(&mut self, region: Region, up: bool, now: Timestamp) {
        *self.regions.get_mut(region) = up;
        self.patroni.elect(&self.regions, now);
    }

    /// The answer of the origin that the request's `Host` names.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        match request.host.as_str() {
            LOGIN_HOST => self.azure.tokens.answer(request, now),
            MANAGEMENT_HOST => azure::answer(self, request, now),
            CLOUDFLARE_HOST => self.cloudflare.answer(request, now),
            STATUSPAGE_HOST => self.status_page.answer(request, now),
            SITE_HOST => edge::answer(self, request),
            HOOKS_HOST => self.hooks.answer(request),
            ECHO_HOST => odd::echo(request),
            REDIRECT_HOST => odd::redirect(request),
            SLOW_HOST => odd::slow(request),
            LARGE_HOST => odd::large(request),
            STATUS_HOST => odd::status(request),
            host => {
                let by_host = |of: fn(Region) -> &'static str| {
                    Region::ALL.into_iter().find(|region| of(*region) == host)
                };
                if let Some(region) = by_host(Region::origin_host) {
                    edge::answer_directly(self, region, request)
                } else if let Some(region) = by_host(Region::patroni_host) {
                    self.patroni.answer(region, &self.regions, request, now)
                } else {
                    Answer::text(
                        421,
                        format!("no origin `{host}` is simulated here; see /_sim/world\n"),
                    )
                }
            }
        }
    }

    /// What there is to see.
    pub(crate) fn to_json(&self) -> Value {
        let route = edge::route(self);
        let word = |up: bool| if up { "up" } else { "down" };
        let served = match route.origin {
            Ok(region) => {
                let mut site = edge::health(self, region);
                site["up"] = json!(true);
                site
            }
            Err(outage) => {
                json!({ "up": false, "status": outage.status(), "reason": outage.reason() })
            }
        };
        let mut site = served;
        site["through"] = json!(route.through);
        site["orders"] = json!(self.orders);
        json!({
            "site": site,
            "regions": { "east": word(self.regions.east), "west": word(self.regions.west) },
            "azure": {
                "web_apps": {
                    "shop-east": self.azure.web_apps.east.summary(),
                    "shop-west": self.azure.web_apps.west.summary(),
                },
                "failover_group": self.azure.failover_group.summary(),
            },
            "cloudflare": {
                "pools": { "east": self.cloudflare.pools.east.summary(), "west": self.cloudflare.pools.west.summary() },
                "load_balancer": self.cloudflare.balancer.summary(),
                "dns_record": self.cloudflare.record.summary(),
            },
            "statuspage": self.status_page.summary(),
            "patroni": self.patroni.summary(),
            "hooks": self.hooks.summary(),
        })
    }
}
