use sandbook_step::prelude::*;

use super::Switched;
use crate::{cloudflare::Api, input::DnsSwitch};

#[derive(Deserialize)]
struct Record {
    content: String,
}

/// Points a record to the healthy host.
pub(crate) fn switch(api: &Api, wanted: &DnsSwitch) -> Result<Switched, Failure> {
    let path = ["zones", &wanted.zone, "dns_records", &wanted.record];
    let before: Record = api.read(&path)?;
    if before.content.eq_ignore_ascii_case(&wanted.host) {
        return Ok(Switched::unchanged(json!(before.content)));
    }
    let content = json!(wanted.host);
    let after: Record = api.set(&path, &json!({"content": content}))?;
    Switched {
        before: json!(before.content),
        after: json!(after.content),
    }
    .verified(&content)
}
