use sandbook_step::prelude::*;
use serde::de::DeserializeOwned;

use crate::address;

const API: &str = "https://api.cloudflare.com/client/v4";

/// Cloudflare's API. Its answers are `{success, errors, messages, result}`.
pub(crate) struct Api<'a> {
    context: &'a Context,
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: T,
}

#[derive(Deserialize)]
struct Ranges {
    ipv4_cidrs: Vec<String>,
    ipv6_cidrs: Vec<String>,
}

impl<'a> Api<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Api { context }
    }

    /// Reads what is at a path.
    pub(crate) fn read<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        self.send(http::get(&http::join(API, path)?))
    }

    /// Sets fields of what is at a path. Repeatable: it says how they should be.
    pub(crate) fn set<T: DeserializeOwned>(
        &self,
        path: &[&str],
        fields: &Value,
    ) -> Result<T, Failure> {
        self.send(
            http::patch(&http::join(API, path)?)
                .body_json(fields)
                .repeatable(true),
        )
    }

    fn send<T: DeserializeOwned>(&self, request: http::Request) -> Result<T, Failure> {
        let envelope: Envelope<T> = request
            .credential("cloudflare")?
            .patient(self.context)
            .json()?;
        Ok(envelope.result)
    }
}

/// The ranges from which Cloudflare reaches origins. Anybody may read them.
pub(crate) fn published_ranges(context: &Context) -> Result<Vec<String>, Failure> {
    let envelope: Envelope<Ranges> = http::get(&http::join(API, ["ips"])?)
        .patient(context)
        .json()?;
    let Ranges {
        ipv4_cidrs,
        ipv6_cidrs,
    } = envelope.result;
    let published: Vec<String> = ipv4_cidrs.into_iter().chain(ipv6_cidrs).collect();
    let blocks: Option<Vec<String>> = published
        .iter()
        .map(|range| address::block(range))
        .collect();
    // An empty or odd list would lock Cloudflare out of the app.
    blocks.filter(|blocks| !blocks.is_empty()).ok_or_else(|| {
        Failure::failed("Cloudflare's list of its ranges is empty or holds something else")
            .with_code("UnexpectedAnswer")
    })
}
