use sandbook_step::prelude::*;

use super::Switched;
use crate::{cloudflare::Api, input::LoadBalancerSwitch};

#[derive(Deserialize)]
struct LoadBalancer {
    default_pools: Vec<String>,
}

/// Puts the healthy pool in front; the others stay behind it in their order.
pub(crate) fn switch(api: &Api, wanted: &LoadBalancerSwitch) -> Result<Switched, Failure> {
    let path = [
        "zones",
        &wanted.zone,
        "load_balancers",
        &wanted.load_balancer,
    ];
    let before: LoadBalancer = api.read(&path)?;
    let pools = in_front(&wanted.pool, &before.default_pools);
    if pools == before.default_pools {
        return Ok(Switched::unchanged(json!(pools)));
    }
    let after: LoadBalancer = api.set(&path, &json!({"default_pools": pools}))?;
    Switched {
        before: json!(before.default_pools),
        after: json!(after.default_pools),
    }
    .verified(&json!(pools))
}

fn in_front(pool: &str, pools: &[String]) -> Vec<String> {
    let others = pools.iter().filter(|other| *other != pool).cloned();
    [pool.to_owned()].into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_keep_their_order() {
        let pools = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(in_front("c", &pools), ["c", "a", "b"]);
        assert_eq!(in_front("a", &pools), ["a", "b", "c"]);
        assert_eq!(in_front("new", &pools), ["new", "a", "b", "c"]);
    }
}
