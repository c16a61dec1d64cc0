//! What is particular to the way by `wasi:http`: its codes, and the words for the engine among the header fields.

use std::time::Duration;

use tokio::sync::Notify;

use super::{
    service::{Reply, answer, ok},
    *,
};

/// The code of a request that comes to nothing.
async fn code(passage: Passage, request: Request) -> String {
    let gate = Gate::new(passage);
    By::WasiHttp.send(&gate, request, None).await.unwrap_err()
}

#[tokio::test]
async fn each_reason_has_its_code() {
    let word = Arc::new(Notify::new());
    for (reply, request, told) in [
        (ok(""), request("GET", "/forbidden"), "HttpRequestDenied"),
        (ok(""), request("BREW", "/"), "HttpProtocolError"),
        (
            ok(""),
            with_body(request("PUT", "/"), "seventeen letters"),
            "HttpRequestBodySize(None)",
        ),
        (
            ok(""),
            with_field(request("GET", "/"), "x", &"x".repeat(40_000)),
            "HttpRequestHeaderSectionSize(None)",
        ),
        (
            ok("seventeen letters"),
            request("GET", "/"),
            "HttpResponseBodySize(None)",
        ),
        (
            Reply::Cut(String::new()),
            request("GET", "/"),
            "ConnectionTerminated",
        ),
        (
            Reply::After(word, String::new()),
            Request {
                timeout: Some(Duration::from_millis(20)),
                ..request("GET", "/")
            },
            "HttpResponseTimeout",
        ),
    ] {
        let (_service, _, mut passage) = bench(vec![reply]).await;
        passage.limits.request_bytes = 16;
        passage.limits.response_bytes = 16;
        let said = code(passage, request).await;
        assert!(said.contains(told), "{told}: {said}");
    }
    let (service, _, passage) = bench(Vec::new()).await;
    drop(service);
    tokio::task::yield_now().await;
    let said = code(passage, request("GET", "/")).await;
    assert!(said.contains("ConnectionRefused"), "{said}");
    let notes = Arc::default();
    let passage = super::passage(addresses::network(&[], &[]), &notes);
    let said = code(passage, plain("GET", "http://api.example/")).await;
    assert!(said.contains("DnsError"), "{said}");
}

#[tokio::test]
async fn words_for_the_engine_are_not_sent() {
    let (service, notes, passage) = bench(vec![ok("")]).await;
    let gate = Gate::new(passage);
    let post = Request {
        repeatable: Some(true),
        ..with_field(request("POST", "/"), "x-own", "mine")
    };
    By::WasiHttp.send(&gate, post, None).await.unwrap();
    let sent = service.seen()[0].to_lowercase();
    assert!(
        sent.contains("x-own: mine") && !sent.contains("sandbook-"),
        "{sent}"
    );
    let Entry::Begun(asked) = notes.entries.lock().unwrap()[0].clone() else {
        panic!()
    };
    assert!(asked.repeatable);
}

#[tokio::test]
async fn a_slot_that_nothing_is_bound_to_is_denied_and_on_record() {
    let (service, notes, passage) = bench(vec![ok("")]).await;
    let gate = Gate::new(passage);
    let sent = By::WasiHttp.send(&gate, request("GET", "/"), Some("api"));
    let said = sent.await.unwrap_err();
    assert!(said.contains("HttpRequestDenied"), "{said}");
    let Some(Entry::Denied { why, .. }) = notes.entries.lock().unwrap().last().cloned() else {
        panic!()
    };
    assert_eq!(why, "no credential is bound to the slot `api`");
    assert_eq!(service.seen(), [""; 0]);
}

#[tokio::test]
async fn an_answer_is_given_whole_and_without_its_connections_fields() {
    let fields = "connection: keep-alive\r\nx-id: 7\r\nproxy-status: x\r\n";
    let (_service, _, passage) = bench(vec![Reply::Raw(answer(201, fields, "made"))]).await;
    let gate = Gate::new(passage);
    let response = By::WasiHttp
        .send(&gate, request("PUT", "/"), None)
        .await
        .unwrap();
    assert_eq!(
        (response.status, response.body.as_ref()),
        (201, &b"made"[..])
    );
    let names: Vec<&str> = response
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["x-id", "content-length"]);
}
