//! What is particular to the way by `wasi:http`: its codes, and the words for the engine among the header fields.

use std::time::Duration;

use tokio::sync::Notify;

use super::{
    service::{Reply, answer, ok},
    *,
};
use crate::{limits::Limits, time::Time};

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

#[tokio::test]
async fn nothing_is_asked_for_behind_a_body_that_is_not_finished() {
    use crate::bindings::{sandbook::step::http, wasi_http::types::HostOutgoingBody as _};
    let (service, notes, passage) = bench(vec![ok("begun"), ok("asked")]).await;
    let mut host = client::host(&Gate::new(passage), Limits::default(), Time::Real);
    let carrier = host.open_outbox();
    let body = client::begin(&mut host, &request("POST", "/begun")).unwrap();
    let ask = || http::Request {
        method: "GET".to_owned(),
        url: format!("{ORIGIN}/asked"),
        headers: Vec::new(),
        body: None,
        repeatable: None,
        timeout: None,
    };
    let asking = async {
        let refused = http::Host::send(&mut host, ask(), None).await.unwrap();
        let Err(http::Error::Denied(why)) = refused else {
            panic!("{refused:?}")
        };
        let named = why.starts_with("`GET https://api.example.com/asked`: the body of a request");
        let unfinished = why.contains("isn't finished (POST https://api.example.com/begun)");
        assert!(named && unfinished, "{why}");
        host.finish(body, None).unwrap().unwrap();
        http::Host::send(&mut host, ask(), None)
            .await
            .unwrap()
            .unwrap();
    };
    tokio::select! {
        biased;
        Err(stop) = carrier.carry() => panic!("{stop:?}"),
        () = asking => {}
    }
    let lines: Vec<String> = service
        .seen()
        .iter()
        .filter_map(|seen| Some(seen.lines().next()?.to_owned()))
        .collect();
    assert_eq!(lines, ["POST /begun HTTP/1.1", "GET /asked HTTP/1.1"]);
    assert_eq!(notes.log()[0], "denied ride");
}

#[tokio::test]
async fn the_parts_of_urls_count_as_memory() {
    let (_service, _, passage) = bench(Vec::new()).await;
    let limits = Limits {
        memory_bytes: 64 << 10,
        ..Limits::default()
    };
    let mut host = client::host(&Gate::new(passage), limits, Time::Real);
    client::prepare(&mut host, 4, 16 << 10).unwrap();
    let breach = client::prepare(&mut host, 1, 16 << 10).unwrap_err();
    assert!(breach.to_string().contains("64 KiB for memory"), "{breach}");
}
