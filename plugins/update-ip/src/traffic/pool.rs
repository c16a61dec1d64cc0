use sandbook_step::prelude::*;
use serde_json::Map;

use super::Switched;
use crate::{cloudflare::Api, input::PoolSwitch};

#[derive(Deserialize)]
struct Pool {
    enabled: bool,
    /// Whole, since they are written back whole.
    origins: Vec<Map<String, Value>>,
}

/// Switches the healthy host's origin on and the others off, and the pool on.
pub(crate) fn switch(api: &Api, wanted: &PoolSwitch) -> Result<Switched, Failure> {
    let path = [
        "accounts",
        &wanted.account,
        "load_balancers",
        "pools",
        &wanted.pool,
    ];
    let before: Pool = api.read(&path)?;
    let origins = only(&wanted.host, &before.origins)?;
    let target = Pool {
        enabled: true,
        origins,
    };
    if view(&before) == view(&target) {
        return Ok(Switched::unchanged(view(&before)));
    }
    let after: Pool = api.set(&path, &json!({"enabled": true, "origins": target.origins}))?;
    Switched {
        before: view(&before),
        after: view(&after),
    }
    .verified(&view(&target))
}

/// The origins, with the one of this host in use and no other.
fn only(host: &str, origins: &[Map<String, Value>]) -> Result<Vec<Map<String, Value>>, Failure> {
    let is_healthy = |origin: &Map<String, Value>| {
        origin
            .get("address")
            .and_then(Value::as_str)
            .is_some_and(|address| address.eq_ignore_ascii_case(host))
    };
    if !origins.iter().any(is_healthy) {
        return Err(Failure::not_found(format!(
            "the pool has no origin with the address `{host}`"
        ))
        .with_code("OriginNotFound"));
    }
    let switched = |origin: &Map<String, Value>| {
        let mut origin = origin.clone();
        origin.insert("enabled".to_owned(), json!(is_healthy(&origin)));
        // Kept by the service itself.
        origin.remove("disabled_at");
        origin
    };
    Ok(origins.iter().map(switched).collect())
}

/// What a reader wants to know of a pool, and what is compared.
fn view(pool: &Pool) -> Value {
    let state = |origin: &Map<String, Value>| {
        let address = origin
            .get("address")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        // An origin is in use unless it says otherwise.
        (
            address,
            origin.get("enabled").cloned().unwrap_or(json!(true)),
        )
    };
    let origins: Map<String, Value> = pool.origins.iter().map(state).collect();
    json!({"enabled": pool.enabled, "origins": origins})
}
