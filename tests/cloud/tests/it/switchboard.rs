use serde_json::{Value, json};
use simcloud::{Cloud, Options, Region, world};

use crate::caller::{Caller, json as with_json, reply};

async fn post(caller: &Caller, path: &str, body: &Value) -> u16 {
    reply(with_json(
        caller.request("POST", &format!("http://sim/{path}")),
        body,
    ))
    .await
    .status
}

#[tokio::test]
async fn the_world_is_switched_over_http() {
    let caller = Caller::start(Options::healthy()).await;
    let none = json!({});
    assert_eq!(post(&caller, "regions/east/down", &none).await, 200);
    assert_eq!(
        caller.get("http://anything/_sim/state").await.json()["regions"]["east"],
        "down"
    );
    assert_eq!(post(&caller, "regions/north/down", &none).await, 404);
    assert_eq!(
        post(
            &caller,
            "faults",
            &json!({ "path": "/raw", "effect": { "answer": { "status": 500 } } })
        )
        .await,
        200
    );
    for nonsense in [
        json!({}),
        json!({ "effect": "explode" }),
        json!({ "effect": { "answer": { "status": 12 } } }),
    ] {
        assert_eq!(post(&caller, "faults", &nonsense).await, 400, "{nonsense}");
    }
    assert_eq!(
        caller.get("https://echo.simcloud.test/raw").await.status,
        500
    );
    assert_eq!(
        caller.get("http://sim/counts").await.json()["by_origin"]["GET echo.simcloud.test"],
        1
    );
    let requests = caller.get("http://sim/requests").await.json();
    assert_eq!(
        (&requests[0]["status"], &requests[0]["fault"]),
        (&json!(500), &json!("answer 500"))
    );
    assert_eq!(post(&caller, "reset", &none).await, 200);
    assert_eq!(caller.cloud.state()["regions"]["east"], "up");
    assert!(caller.cloud.requests().is_empty());
}

#[tokio::test]
async fn the_page_shows_the_world_and_escapes_what_others_wrote() {
    let caller = Caller::start(Options::default()).await;
    caller.get("https://echo.simcloud.test/<b>").await;
    let key = format!("OAuth {}", world::STATUSPAGE_KEY);
    let url = format!(
        "https://api.statuspage.io/v1/pages/{}/incidents",
        world::PAGE
    );
    caller
        .send_as(
            &key,
            "POST",
            &url,
            &json!({ "incident": { "name": "<script>" } }),
        )
        .await;
    let page = caller.get("http://sim/").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.text.contains("The shop is down") && page.text.contains("&lt;script&gt;"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("<script>"));
    assert_eq!(caller.get("http://sim/site").await.status, 522);
    assert_eq!(
        caller.get("http://127.0.0.1/").await.header("location"),
        "/_sim/"
    );
}

#[test]
fn a_cloud_in_a_thread_ends_when_it_is_dropped() {
    let cloud = Cloud::start_thread(Options::healthy()).unwrap();
    let address = cloud.address();
    assert!(std::net::TcpStream::connect(address).is_ok());
    assert_eq!(
        cloud.state()["azure"]["failover_group"]["primary_server"],
        Region::East.sql_server()
    );
    drop(cloud);
    while std::net::TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
}
