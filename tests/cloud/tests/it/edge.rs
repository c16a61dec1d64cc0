use serde_json::{Value, json};
use simcloud::{Options, Region, world};

use crate::caller::{Caller, json as with_json, reply};

const TOKEN: &str = "Bearer demo-cloudflare-token";

async fn patch(caller: &Caller, path: &str, body: &Value) {
    let url = format!("https://api.cloudflare.com/client/v4/{path}");
    assert_eq!(caller.send_as(TOKEN, "PATCH", &url, body).await.status, 200);
}

async fn visit(caller: &Caller) -> u16 {
    caller
        .get("https://www.example-shop.com/health")
        .await
        .status
}

#[tokio::test]
async fn the_site_comes_from_the_first_pool_in_use() {
    let caller = Caller::start(Options::healthy()).await;
    let health = caller
        .get("https://www.example-shop.com/health")
        .await
        .json();
    assert_eq!(
        health,
        json!({ "region": "east", "database_writer": "east", "writable": true })
    );
    let page = caller.get("https://www.example-shop.com/").await;
    assert!(
        page.text.contains("Served from <b>east</b>"),
        "{}",
        page.text
    );

    caller.cloud.region_down(Region::East);
    assert_eq!(visit(&caller).await, 522);
    let pools = format!("accounts/{}/load_balancers/pools", world::ACCOUNT);
    patch(
        &caller,
        &format!("{pools}/{}", Region::East.pool()),
        &json!({ "enabled": false }),
    )
    .await;
    let kept_out = caller.get("https://www.example-shop.com/").await;
    assert_eq!(kept_out.status, 403, "west does not let Cloudflare in");
    assert!(kept_out.headers.contains_key("x-ms-forbidden-ip"));
    patch(
        &caller,
        &format!("{pools}/{}", Region::West.pool()),
        &json!({ "enabled": false }),
    )
    .await;
    assert_eq!(visit(&caller).await, 530);
}

#[tokio::test]
async fn the_dns_record_serves_while_the_balancer_is_off() {
    let caller = Caller::start(Options::healthy()).await;
    let zone = format!("zones/{}", world::ZONE);
    let balancer = format!("{zone}/load_balancers/{}", world::LOAD_BALANCER);
    let record = format!("{zone}/dns_records/{}", world::DNS_RECORD);
    patch(&caller, &balancer, &json!({ "enabled": false })).await;
    assert_eq!(caller.cloud.state()["site"]["through"], "dns record");
    assert_eq!(visit(&caller).await, 200);
    patch(
        &caller,
        &record,
        &json!({ "content": "gone.azurewebsites.net" }),
    )
    .await;
    assert_eq!(visit(&caller).await, 530);
}

#[tokio::test]
async fn orders_are_written_only_where_the_writer_can_be_reached() {
    let caller = Caller::start(Options::healthy()).await;
    let order = async || {
        reply(with_json(
            caller.request("POST", "https://www.example-shop.com/orders"),
            &json!({}),
        ))
        .await
        .status
    };
    assert_eq!(order().await, 201);
    // The office is let into west; the writer stays in east.
    caller.cloud.region_down(Region::East);
    let direct = format!("https://{}/health", Region::West.origin_host());
    let health = caller.get(&direct).await.json();
    assert_eq!(
        health,
        json!({ "region": "west", "database_writer": "east", "writable": false })
    );
    let orders = direct.replace("health", "orders");
    assert_eq!(
        reply(with_json(caller.request("POST", &orders), &json!({})))
            .await
            .status,
        503
    );
    let down = direct.replace("west", "east");
    assert!(
        caller.request("GET", &down).send().await.is_err(),
        "an origin that is down does not answer"
    );
}
