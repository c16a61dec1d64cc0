use serde_json::{Value, json};
use simcloud::{Options, Region, world};

use crate::caller::Caller;

const TOKEN: &str = "Bearer demo-cloudflare-token";

fn pool(region: Region) -> String {
    format!(
        "https://api.cloudflare.com/client/v4/accounts/{}/load_balancers/pools/{}",
        world::ACCOUNT,
        region.pool()
    )
}

fn in_zone(path: &str) -> String {
    format!(
        "https://api.cloudflare.com/client/v4/zones/{}/{path}",
        world::ZONE
    )
}

fn balancer() -> String {
    in_zone(&format!("load_balancers/{}", world::LOAD_BALANCER))
}

fn record() -> String {
    in_zone(&format!("dns_records/{}", world::DNS_RECORD))
}

#[tokio::test]
async fn the_ranges_are_public() {
    let caller = Caller::start(Options::healthy()).await;
    let body = caller
        .get("https://api.cloudflare.com/client/v4/ips")
        .await
        .json();
    assert_eq!(body["success"], true);
    assert_eq!(body["result"]["ipv4_cidrs"].as_array().unwrap().len(), 15);
    assert_eq!(body["result"]["ipv6_cidrs"][0], "2400:cb00::/32");
}

#[tokio::test]
async fn pools_balancers_and_records_are_patched() {
    let caller = Caller::start(Options::healthy()).await;
    let mut origins =
        caller.get_as(TOKEN, &pool(Region::East)).await.json()["result"]["origins"].clone();
    origins[0]["enabled"] = json!(false);
    let patched = caller
        .send_as(
            TOKEN,
            "PATCH",
            &pool(Region::East),
            &json!({ "origins": origins }),
        )
        .await
        .json();
    assert_eq!(
        (
            &patched["success"],
            &patched["result"]["origins"][0]["enabled"]
        ),
        (&json!(true), &json!(false))
    );
    let again = json!({ "origins": patched["result"]["origins"] });
    assert_eq!(
        caller
            .send_as(TOKEN, "PATCH", &pool(Region::East), &again)
            .await
            .status,
        200,
        "it may be sent back"
    );

    let west =
        json!({ "default_pools": [Region::West.pool()], "fallback_pool": Region::West.pool() });
    let patched = caller
        .send_as(TOKEN, "PATCH", &balancer(), &west)
        .await
        .json();
    assert_eq!(
        patched["result"]["default_pools"],
        json!([Region::West.pool()])
    );

    let target = json!({ "content": Region::West.origin_host() });
    let patched = caller
        .send_as(TOKEN, "PATCH", &record(), &target)
        .await
        .json();
    assert_eq!(patched["result"]["content"], Region::West.origin_host());
    let changed: Vec<bool> = caller
        .cloud
        .requests()
        .iter()
        .map(|request| request.changed)
        .collect();
    assert_eq!(changed, [false, true, false, true, true]);
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_an_envelope() {
    let caller = Caller::start(Options::healthy()).await;
    let code = |body: &Value| body["errors"][0]["code"].as_u64().unwrap();
    let anonymous = caller.get(&record()).await;
    assert_eq!((anonymous.status, code(&anonymous.json())), (400, 9106));
    for (authorization, url, status, expected) in [
        ("demo-cloudflare-token", record(), 400, 6003),
        ("Bearer other", record(), 403, 9109),
        (
            TOKEN,
            pool(Region::East).replace(world::ACCOUNT, "other"),
            403,
            10000,
        ),
        (
            TOKEN,
            pool(Region::East).replace(Region::East.pool(), "other"),
            404,
            1001,
        ),
        (TOKEN, record().replace(world::ZONE, "other"), 404, 7003),
        (TOKEN, in_zone("dns_records/other"), 404, 81044),
        (TOKEN, in_zone("settings"), 404, 7000),
    ] {
        let reply = caller.get_as(authorization, &url).await;
        assert_eq!(
            (reply.status, code(&reply.json())),
            (status, expected),
            "{url}"
        );
        assert_eq!(reply.json()["success"], false);
    }
    for (url, body, expected) in [
        (pool(Region::East), json!({ "origins": [] }), 1002),
        (
            pool(Region::East),
            json!({ "origins": [{ "name": "a", "address": "b", "wait": 1 }] }),
            1002,
        ),
        (pool(Region::East), json!({ "enable": false }), 1002),
        (pool(Region::East), json!("enabled"), 9207),
        (balancer(), json!({ "default_pools": [] }), 1002),
        (balancer(), json!({ "default_pools": ["other"] }), 1002),
        (balancer(), json!({ "steering_policy": "luck" }), 1002),
        (record(), json!({ "content": "not a host" }), 9007),
        (record(), json!({ "type": "A" }), 9005),
        (record(), json!({ "ttl": 5 }), 9021),
        (record(), json!({ "name": "www.elsewhere.com" }), 9000),
    ] {
        let reply = caller.send_as(TOKEN, "PATCH", &url, &body).await;
        assert_eq!(
            (reply.status, code(&reply.json())),
            (400, expected),
            "{body}"
        );
    }
    assert_eq!(caller.cloud.counts().changes, 0);
}
