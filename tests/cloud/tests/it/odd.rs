use serde_json::json;
use simcloud::Options;

use crate::caller::{Caller, reply};

#[tokio::test]
async fn an_echo_has_everything_three_times() {
    let caller = Caller::start(Options::healthy()).await;
    let request = caller
        .request("PUT", "https://echo.simcloud.test/a?b=c")
        .header("authorization", "Bearer s/1")
        .body("hä");
    let echoed = reply(request).await;
    assert_eq!(echoed.header("x-echo-authorization"), "Bearer s/1");
    let body = echoed.json();
    assert_eq!(
        (&body["method"], &body["query"], &body["body"]),
        (&json!("PUT"), &json!("b=c"), &json!("hä"))
    );
    assert_eq!(body["headers"]["authorization"], "Bearer s/1");
    assert_eq!(
        body["base64"]["headers"]["authorization"],
        "QmVhcmVyIHMvMQ=="
    );
    assert_eq!(
        body["percent"]["headers"]["authorization"],
        "Bearer%20s%2F1"
    );
    assert_eq!(
        reply(
            caller
                .request("POST", "https://echo.simcloud.test/raw")
                .body("x")
        )
        .await
        .text,
        "x"
    );
}

#[tokio::test]
async fn the_others_are_as_odd_as_they_say() {
    let caller = Caller::start(Options::healthy()).await;
    let redirect = caller
        .get("https://redirect.simcloud.test/?to=https://echo.simcloud.test/&status=307")
        .await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (307, "https://echo.simcloud.test/")
    );
    assert_eq!(
        caller.get("https://slow.simcloud.test/1").await.text,
        "late"
    );
    assert_eq!(
        caller.get("https://slow.simcloud.test/body/1").await.text,
        "slow body"
    );
    assert_eq!(
        caller
            .get("https://large.simcloud.test/70000")
            .await
            .text
            .len(),
        70_000
    );
    let chunked = caller
        .get("https://large.simcloud.test/chunked/70000")
        .await;
    assert_eq!(chunked.text.len(), 70_000);
    assert!(!chunked.headers.contains_key("content-length"));
    let told = caller
        .get("https://status.simcloud.test/503?retry-after=2")
        .await;
    assert_eq!((told.status, told.header("retry-after")), (503, "2"));
    let nowhere = caller.get("https://elsewhere.example/").await;
    assert_eq!(nowhere.status, 421);
    let hook = caller.request("POST", "https://hooks.example-shop.com/services/ops");
    assert_eq!(reply(hook.body("{}")).await.text, "invalid_payload");
}
