//! The shop, as its customers reach it through Cloudflare, and as its origins answer by themselves.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value, json};

use crate::Region;
use crate::answer::Answer;
use crate::html::{escape, page};
use crate::request::Request;
use crate::state::State;
use crate::world::{CALLER_ADDRESS, CLOUDFLARE_IPV4, SITE_HOST};

/// Why the edge gets nothing from an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// No pool is in use, or the target isn't known: 530.
    NoOrigin,
    /// The region is down: 522.
    Unreachable(Region),
    /// The web app's access restrictions keep Cloudflare out: the origin's own 403.
    KeptOut(Region),
}

impl Outage {
    /// The status that customers see.
    pub(crate) fn status(self) -> u16 {
        match self {
            Outage::NoOrigin => 530,
            Outage::Unreachable(_) => 522,
            Outage::KeptOut(_) => 403,
        }
    }

    pub(crate) fn reason(self) -> String {
        match self {
            Outage::NoOrigin => "no origin is in use".to_owned(),
            Outage::Unreachable(region) => format!("{} is down", region.web_app()),
            Outage::KeptOut(region) => format!("{} does not let Cloudflare in", region.web_app()),
        }
    }
}

/// Where the site comes from now, and through what.
pub(crate) struct Route {
    pub(crate) through: &'static str,
    pub(crate) origin: Result<Region, Outage>,
}

/// Where the site comes from now: the first pool that is in use, or the DNS record while the load balancer is switched off.
pub(crate) fn route(state: &State) -> Route {
    let cloudflare = &state.cloudflare;
    let (through, address, proxied) = if cloudflare.balancer.enabled() {
        let pool = |id: &str| {
            let pools = [&cloudflare.pools.east, &cloudflare.pools.west];
            pools.into_iter().find(|pool| pool.id() == id)
        };
        let address = cloudflare
            .balancer
            .pools()
            .filter_map(pool)
            .find_map(|pool| pool.address());
        ("load balancer", address, true)
    } else {
        (
            "dns record",
            cloudflare.record.target(),
            cloudflare.record.proxied(),
        )
    };
    let origin = Region::ALL
        .into_iter()
        .find(|region| address == Some(region.origin_host()))
        .ok_or(Outage::NoOrigin)
        .and_then(|region| reach(state, region, proxied));
    Route { through, origin }
}

/// Answers what a customer sends to the public host.
pub(crate) fn answer(state: &mut State, request: &Request) -> Answer {
    let answer = match route(state).origin {
        Ok(region) => serve(state, region, request),
        Err(Outage::KeptOut(region)) => forbid(region, "172.64.0.1"),
        Err(outage @ Outage::Unreachable(region)) => {
            error_page(outage, "Connection timed out", region.location())
        }
        Err(outage @ Outage::NoOrigin) => error_page(outage, "Origin DNS error", "none"),
    };
    answer
        .with_header("server", "cloudflare")
        .with_header("cf-cache-status", "DYNAMIC")
}

/// Answers what the office sends to an origin itself.
pub(crate) fn answer_directly(state: &mut State, region: Region, request: &Request) -> Answer {
    match reach(state, region, false) {
        Ok(region) => serve(state, region, request),
        Err(Outage::KeptOut(region)) => forbid(region, CALLER_ADDRESS),
        Err(Outage::Unreachable(_) | Outage::NoOrigin) => Answer::dropped(),
    }
}

/// What `/health` says where it can be asked.
pub(crate) fn health(state: &State, region: Region) -> Value {
    let writer = state.azure.failover_group.primary();
    json!({ "region": region, "database_writer": writer, "writable": *state.regions.get(writer) })
}

fn reach(state: &State, region: Region, by_cloudflare: bool) -> Result<Region, Outage> {
    let app = state.azure.web_apps.get(region);
    let callers: &[&str] = if by_cloudflare {
        &CLOUDFLARE_IPV4
    } else {
        &[CALLER_ADDRESS]
    };
    let mut callers = callers.iter().map(|text| {
        let single = || text.parse::<IpAddr>().map(IpNet::from).ok();
        text.parse().ok().or_else(single)
    });
    if !*state.regions.get(region) {
        Err(Outage::Unreachable(region))
    } else if callers.all(|caller| caller.is_some_and(|caller| app.lets_in(&caller))) {
        Ok(region)
    } else {
        Err(Outage::KeptOut(region))
    }
}

fn serve(state: &mut State, region: Region, request: &Request) -> Answer {
    let health = health(state, region);
    let writable = health["writable"] == true;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET" | "HEAD", "/health") => Answer::json(200, &health),
        ("GET" | "HEAD", "/") => Answer::html(200, front_page(region, writable)),
        ("POST", "/orders") if writable => {
            state.orders += 1;
            Answer::json(201, &json!({ "order": state.orders })).having_changed(true)
        }
        ("POST", "/orders") => Answer::json(
            503,
            &json!({ "error": "orders can't be written: the database is read-only" }),
        ),
        _ => Answer::text(404, "not found"),
    }
}

fn front_page(region: Region, writable: bool) -> String {
    let orders = if writable {
        "<p class='good'>Orders can be placed.</p>"
    } else {
        "<p class='bad'>Orders can't be placed at the moment: you may look, but not buy.</p>"
    };
    let body = format!(
        "<main class='card'><h1>Example Shop</h1><p>Served from <b>{region}</b> ({}).</p>{orders}</main>",
        region.location()
    );
    page("Example Shop", &body)
}

fn error_page(outage: Outage, title: &str, host: &str) -> Answer {
    let status = outage.status();
    let body = format!(
        "<main class='card'><h1 class='bad'>Error {status}</h1><h2>{}</h2><p>Browser: working · Cloudflare: working · \
         Host ({}): error</p></main>",
        escape(title),
        escape(host)
    );
    Answer::html(
        status,
        page(&format!("{SITE_HOST} | {status}: {title}"), &body),
    )
}

fn forbid(region: Region, address: &str) -> Answer {
    let body = format!(
        "<main class='card'><h1 class='bad'>Error 403 - Forbidden</h1><p>The web app you have attempted to reach has \
         blocked your access. ({})</p></main>",
        region.web_app()
    );
    Answer::html(403, page("Web App - Unavailable", &body))
        .with_header("x-ms-forbidden-ip", address)
}
