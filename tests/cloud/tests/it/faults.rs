use std::time::{Duration, Instant};

use serde_json::json;
use simcloud::{Effect, Fault, Options};

use crate::caller::{Caller, Reply, json as with_json, reply};

const HOOK: &str = "https://hooks.example-shop.com/services/ops";

fn post(caller: &Caller) -> reqwest::RequestBuilder {
    with_json(caller.request("POST", HOOK), &json!({ "text": "hello" }))
}

fn arrived(caller: &Caller) -> usize {
    caller.cloud.state()["hooks"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_nth_matching_request_fails() {
    let caller = Caller::start(Options::healthy()).await;
    let fault = Fault::new(Effect::later(503, 7))
        .method("POST")
        .host("hooks.*")
        .path("/services/*");
    caller.cloud.fail(fault.nth(2).times(2));
    caller.get("https://echo.simcloud.test/").await;
    let replies: Vec<Reply> = [
        reply(post(&caller)).await,
        reply(post(&caller)).await,
        reply(post(&caller)).await,
        reply(post(&caller)).await,
    ]
    .into();
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    assert_eq!(replies[1].header("retry-after"), "7");
    assert_eq!(arrived(&caller), 2, "what failed was not done");
    assert_eq!(
        caller.cloud.requests()[2].fault.as_deref(),
        Some("answer 503")
    );
    assert_eq!(caller.cloud.counts().faults, 2);
}

#[tokio::test]
async fn an_answer_may_be_another_though_the_work_was_done() {
    let caller = Caller::start(Options::healthy()).await;
    let body = json!({ "oh": "no" });
    caller.cloud.fail(Fault::new(Effect::Answer {
        status: 502,
        body: Some(body.clone()),
        retry_after: None,
        processed: true,
    }));
    let reply = reply(post(&caller)).await;
    assert_eq!((reply.status, reply.json()), (502, body));
    assert_eq!(arrived(&caller), 1);
    assert!(caller.cloud.requests()[0].changed);
}

#[tokio::test]
async fn a_connection_is_dropped_before_or_after_the_work() {
    let caller = Caller::start(Options::healthy()).await;
    for (effect, arrives) in [(Effect::DropBefore, 0), (Effect::DropAfter, 1)] {
        caller.cloud.reset();
        caller.cloud.fail(Fault::new(effect));
        assert!(post(&caller).send().await.is_err());
        assert_eq!(arrived(&caller), arrives);
        let logged = &caller.cloud.requests()[0];
        assert_eq!((logged.status, logged.changed), (None, arrives == 1));
        assert_eq!(reply(post(&caller)).await.status, 200, "only once");
    }
}

#[tokio::test]
async fn a_body_is_cut_in_its_middle() {
    let caller = Caller::start(Options::healthy()).await;
    for url in [
        "https://large.simcloud.test/100000",
        "https://status.simcloud.test/204",
        HOOK,
    ] {
        caller.cloud.fail(Fault::new(Effect::CutBody));
        let request = if url == HOOK {
            post(&caller)
        } else {
            caller.request("GET", url)
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let cut = response.bytes().await.is_err();
        assert!(
            cut || status == 204,
            "the status arrived, the body did not: {url}"
        );
    }
    assert_eq!(arrived(&caller), 1);
}

#[tokio::test]
async fn an_answer_comes_late_though_the_work_was_done_at_once() {
    let caller = Caller::start(Options::healthy()).await;
    caller
        .cloud
        .fail(Fault::new(Effect::Delay { milliseconds: 50 }));
    let begun = Instant::now();
    assert_eq!(reply(post(&caller)).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(50));

    caller.cloud.fail(Fault::new(Effect::Delay {
        milliseconds: 60_000,
    }));
    assert!(
        post(&caller)
            .timeout(Duration::from_millis(50))
            .send()
            .await
            .unwrap_err()
            .is_timeout()
    );
    assert_eq!(arrived(&caller), 2);
}
