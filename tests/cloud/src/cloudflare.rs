//! Cloudflare's API: published ranges, load balancing and DNS.

mod balancer;
mod dns;
mod pool;

pub(crate) use balancer::Balancer;
pub(crate) use dns::Record;
pub(crate) use pool::Pool;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::region::Both;
use crate::request::Request;
use crate::world::{
    ACCOUNT, CLOUDFLARE_IPV4, CLOUDFLARE_IPV6, CLOUDFLARE_TOKEN, DNS_RECORD, LOAD_BALANCER, ZONE,
};

/// Everything that Cloudflare keeps.
#[derive(Debug)]
pub(crate) struct Cloudflare {
    pub(crate) pools: Both<Pool>,
    pub(crate) balancer: Balancer,
    pub(crate) record: Record,
}

impl Cloudflare {
    pub(crate) fn new(now: Timestamp) -> Cloudflare {
        Cloudflare {
            pools: Both::new(|region| Pool::new(region, now)),
            balancer: Balancer::new(now),
            record: Record::new(now),
        }
    }

    /// Answers what is sent to the API's host.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let segments = request.segments();
        let ["client", "v4", rest @ ..] = segments.as_slice() else {
            return refuse(404, 7000, "No route for that URI");
        };
        if let ["ips"] = rest {
            return match request.method.as_str() {
                "GET" => ips(),
                _ => wrong_method(),
            };
        }
        if let Err(refusal) = check_token(request) {
            return refusal;
        }
        match rest {
            ["accounts", account, "load_balancers", ..] if *account != ACCOUNT => {
                refuse(403, 10000, "Authentication error")
            }
            ["zones", zone, ..] if *zone != ZONE => {
                let message = format!(
                    "Could not route to /zones/{zone}, perhaps your object identifier is invalid?"
                );
                refuse(404, 7003, &message)
            }
            ["accounts", _, "load_balancers", "pools", id] => match self.pool(id) {
                Some(pool) => pool.answer(request, now),
                None => refuse(404, 1001, "pool not found"),
            },
            ["zones", _, "load_balancers", id] if *id == LOAD_BALANCER => {
                self.balancer.answer(request, now)
            }
            ["zones", _, "load_balancers", _] => refuse(404, 1001, "load balancer not found"),
            ["zones", _, "dns_records", id] if *id == DNS_RECORD => {
                self.record.answer(request, now)
            }
            ["zones", _, "dns_records", _] => refuse(404, 81044, "Record does not exist."),
            _ => refuse(404, 7000, "No route for that URI"),
        }
    }

    fn pool(&mut self, id: &str) -> Option<&mut Pool> {
        [&mut self.pools.east, &mut self.pools.west]
            .into_iter()
            .find(|pool| pool.id() == id)
    }
}

fn ips() -> Answer {
    succeed(&json!({
        "ipv4_cidrs": CLOUDFLARE_IPV4,
        "ipv6_cidrs": CLOUDFLARE_IPV6,
        "etag": "38f79d050aa027e3be3865e495dcc9bc",
    }))
}

fn check_token(request: &Request) -> Result<(), Answer> {
    if request.header("authorization").is_none() {
        return Err(refuse(
            400,
            9106,
            "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
        ));
    }
    match request.authorization("bearer") {
        None => Err(refuse(400, 6003, "Invalid request headers")),
        Some(CLOUDFLARE_TOKEN) => Ok(()),
        Some(_) => Err(refuse(403, 9109, "Invalid access token")),
    }
}

/// A body that is of this type and says nothing else, or the refusal.
fn read<T: DeserializeOwned>(request: &Request, code: u32) -> Result<T, Answer> {
    let body = request
        .json()
        .filter(Value::is_object)
        .ok_or_else(|| refuse(400, 9207, "Request body is not a JSON object"))?;
    serde_json::from_value(body)
        .map_err(|fault| refuse(400, code, &format!("validation failed: {fault}")))
}

fn succeed(result: &Value) -> Answer {
    Answer::json(
        200,
        &json!({ "success": true, "errors": [], "messages": [], "result": result }),
    )
}

fn refuse(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "success": false, "errors": [{ "code": code, "message": message }], "messages": [], "result": null }),
    )
}

fn wrong_method() -> Answer {
    refuse(
        405,
        10405,
        "Method not allowed for this authentication scheme",
    )
}
