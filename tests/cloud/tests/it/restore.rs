use serde_json::{Value, json};
use simcloud::{Options, Region, world};

use crate::caller::Caller;

/// What the runbook does, by hand: the demo's outage ends, and nothing less ends it.
#[tokio::test]
async fn the_demo_outage_can_be_ended() {
    let caller = Caller::start(Options::default()).await;
    let visit = async || caller.get("https://www.example-shop.com/health").await;
    assert_eq!(visit().await.status, 522);

    let azure = caller.azure().await;
    let group = format!(
        "https://management.azure.com{}",
        Region::West.failover_group_id()
    );
    let started = caller
        .send_as(
            &azure,
            "POST",
            &format!("{group}/failover?api-version=2023-08-01"),
            &json!({}),
        )
        .await;
    let operation = started.header("azure-asyncoperation");
    while caller.get_as(&azure, operation).await.json()["status"] != "Succeeded" {}
    assert_eq!(visit().await.status, 522);

    let ranges = caller
        .get("https://api.cloudflare.com/client/v4/ips")
        .await
        .json();
    let config = format!(
        "https://management.azure.com{}/config/web?api-version=2024-11-01",
        Region::West.web_app_id()
    );
    let mut rules =
        caller.get_as(&azure, &config).await.json()["properties"]["ipSecurityRestrictions"].clone();
    for (range, n) in ranges["result"]["ipv4_cidrs"]
        .as_array()
        .unwrap()
        .iter()
        .zip(1..)
    {
        let rule: Value = json!({ "ipAddress": range, "action": "Allow", "priority": 300 + n, "name": format!("cf-{n}") });
        rules.as_array_mut().unwrap().push(rule);
    }
    let body = json!({ "properties": { "ipSecurityRestrictions": rules } });
    assert_eq!(
        caller.send_as(&azure, "PATCH", &config, &body).await.status,
        200
    );
    assert_eq!(visit().await.status, 522);

    let pool = format!(
        "https://api.cloudflare.com/client/v4/accounts/{}/load_balancers/pools/{}",
        world::ACCOUNT,
        Region::East.pool()
    );
    let cloudflare = format!("Bearer {}", world::CLOUDFLARE_TOKEN);
    caller
        .send_as(&cloudflare, "PATCH", &pool, &json!({ "enabled": false }))
        .await;
    assert_eq!(
        visit().await.json(),
        json!({ "region": "west", "database_writer": "west", "writable": true })
    );
}
