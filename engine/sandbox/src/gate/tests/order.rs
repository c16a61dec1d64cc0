//! The order of section "the gate": what is on record when, and what is never sent.

use super::{
    service::{Reply, answer, ok},
    *,
};

#[tokio::test]
async fn the_intent_is_committed_before_and_the_outcome_after_the_request() {
    for by in By::ALL {
        the_intent_comes_before_the_request(by).await;
    }
}

async fn the_intent_comes_before_the_request(by: By) {
    let (service, notes, passage) = bench(vec![ok("a"), ok("b"), ok("c")]).await;
    let gate = Gate::new(passage);
    let post = with_body(request("POST", "/a?x=1"), "body");
    assert_eq!(by.send(&gate, post, None).await.unwrap().body, "a");
    by.send(&gate, request("PUT", "/b"), None).await.unwrap();
    by.send(&gate, request("GET", "/c"), None).await.unwrap();
    assert_eq!(
        notes.log(),
        [
            "begun commit",
            "POST /a?x=1 HTTP/1.1",
            "ended commit",
            "begun commit",
            "PUT /b HTTP/1.1",
            "ended ride",
            "GET /c HTTP/1.1",
            "read ride",
        ]
    );
    let Entry::Begun(asked) = notes.entries.lock().unwrap()[0].clone() else {
        panic!()
    };
    assert_eq!(
        (asked.number, asked.method.as_str(), asked.url.as_str()),
        (1, "POST", "https://api.example.com/a?x=1")
    );
    assert_eq!(
        (asked.repeatable, asked.changing, asked.body.as_deref()),
        (false, true, Some(&b"body"[..]))
    );
    assert!(service.seen()[0].ends_with("\r\n\r\nbody"));
}

#[tokio::test]
async fn without_a_record_nothing_is_sent() {
    let methods = ["POST", "PUT"];
    for (method, by) in methods
        .into_iter()
        .flat_map(|method| By::ALL.map(|by| (method, by)))
    {
        let (service, _, mut passage) = bench(vec![ok("")]).await;
        passage.record = Arc::new(Notes {
            broken: Some("begun"),
            ..Notes::default()
        });
        let gate = Gate::new(passage);
        let refusal = by
            .send(&gate, request(method, "/"), None)
            .await
            .unwrap_err();
        assert!(refusal.contains("Record(\"disk full\")"), "{refusal}");
        assert_eq!(service.seen(), [""; 0]);
    }
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_not_told() {
    let broken = [("POST", "ended"), ("GET", "read"), ("GET", "denied")];
    for ((method, broken), by) in broken
        .into_iter()
        .flat_map(|broken| By::ALL.map(|by| (broken, by)))
    {
        let (_service, _, mut passage) = bench(vec![ok("")]).await;
        passage.record = Arc::new(Notes {
            broken: Some(broken),
            ..Notes::default()
        });
        let path = if broken == "denied" {
            "/forbidden"
        } else {
            "/"
        };
        let gate = Gate::new(passage);
        let refusal = by
            .send(&gate, request(method, path), None)
            .await
            .unwrap_err();
        assert!(refusal.contains("Record(\"disk full\")"), "{refusal}");
    }
}

#[tokio::test]
async fn what_is_not_granted_is_on_record_and_not_sent() {
    let (service, notes, passage) = bench(Vec::new()).await;
    let gate = Gate::new(passage);
    let refusal = gate
        .send(request("GET", "/forbidden"), None)
        .await
        .unwrap_err();
    assert_eq!(
        refusal,
        HttpError::Denied("needs `GET https://api.example.com/forbidden`".to_owned()).into()
    );
    let mut odd = request("GET", "/");
    odd.url = format!("https://h/\u{1b}[2J{}", "x".repeat(9_000));
    gate.send(odd, None).await.unwrap_err();
    gate.send(request("GET\r\n", "/"), None).await.unwrap_err();
    gate.send(request("GET", "/a/../forbidden"), None)
        .await
        .unwrap_err();
    assert_eq!(notes.log(), ["denied ride"; 4]);
    let Entry::Denied { url, why, .. } = notes.entries.lock().unwrap()[1].clone() else {
        panic!()
    };
    assert!(
        url.starts_with("https://h/\\u{1b}[2Jxxx") && url.ends_with('…') && url.len() < 600,
        "{url}"
    );
    assert_eq!(why, "the URL is longer than 8192 bytes");
    assert_eq!(service.seen(), [""; 0]);
}

#[tokio::test]
async fn an_answer_on_record_is_given_again() {
    let (service, notes, passage) = bench(Vec::new()).await;
    let response = Response {
        status: 201,
        headers: Vec::new(),
        body: Bytes::from_static(b"made"),
    };
    *notes.before.lock().unwrap() = Some(Ok(Before::Answer(response.clone())));
    let gate = Gate::new(passage);
    assert_eq!(
        gate.send(request("POST", "/"), None).await.unwrap(),
        response
    );

    *notes.before.lock().unwrap() = Some(Ok(Before::Diverged("`POST https://x/`".to_owned())));
    let refusal = gate.send(request("POST", "/"), None).await.unwrap_err();
    let asked = "`POST https://api.example.com/`".to_owned();
    assert_eq!(
        refusal,
        Stop::Diverged {
            recorded: "`POST https://x/`".to_owned(),
            asked
        }
        .into()
    );

    *notes.before.lock().unwrap() = Some(Err(Stop::Interrupted));
    let refusal = gate.send(request("GET", "/"), None).await.unwrap_err();
    assert_eq!(refusal, Stop::Interrupted.into());
    assert_eq!((service.seen(), notes.log()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_dry_run_sends_reading_requests_only() {
    for by in By::ALL {
        a_dry_run_holds_back_what_changes_something(by).await;
    }
}

async fn a_dry_run_holds_back_what_changes_something(by: By) {
    let (service, notes, mut passage) = bench(vec![ok("read")]).await;
    passage.mode = Mode::DryRun;
    let gate = Gate::new(passage);
    let read = by.send(&gate, request("GET", "/"), None).await.unwrap();
    assert_eq!(read.body, "read");
    let post = Request {
        repeatable: Some(true),
        ..with_body(request("POST", "/x"), "body")
    };
    let refusal = by.send(&gate, post, None).await.unwrap_err();
    let held_back = match by {
        By::Step => "HeldBack",
        By::WasiHttp => "HttpRequestDenied",
    };
    assert!(refusal.contains(held_back), "{refusal}");
    assert_eq!(
        notes.log(),
        ["GET / HTTP/1.1", "read ride", "held back ride"]
    );
    let Some(Entry::HeldBack(asked)) = notes.entries.lock().unwrap().last().cloned() else {
        panic!()
    };
    assert_eq!(
        (asked.url.as_str(), asked.body.as_deref()),
        ("https://api.example.com/x", Some(&b"body"[..]))
    );
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    for by in By::ALL {
        a_redirect_answers(by).await;
    }
}

async fn a_redirect_answers(by: By) {
    let moved = answer(
        302,
        "location: https://elsewhere.example/\r\nset-cookie: a=b\r\n",
        "",
    );
    let (service, _, passage) = bench(vec![Reply::Raw(moved), ok("")]).await;
    let gate = Gate::new(passage);
    let moved = by.send(&gate, request("GET", "/"), None).await.unwrap();
    assert_eq!(moved.status, 302);
    by.send(&gate, request("GET", "/"), None).await.unwrap();
    let second = service.seen()[1].to_lowercase();
    assert!(
        !second.contains("cookie") && !second.contains("referer"),
        "{second}"
    );
}

#[tokio::test]
async fn bodies_and_requests_are_bounded() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n01234567890123456789012345678901\r\n";
    for reply in [ok(&"x".repeat(17)), Reply::Cut(chunked.to_owned())] {
        let (_service, notes, mut passage) = bench(vec![reply]).await;
        passage.limits = HttpLimits {
            request_bytes: 1 << 10,
            response_bytes: 16,
            requests: 2,
            ..HttpLimits::default()
        };
        let gate = Gate::new(passage);
        let large = Request {
            body: Some(vec![0; (1 << 10) + 1].into()),
            ..request("PUT", "/")
        };
        let refusal = gate.send(large, None).await.unwrap_err();
        let Refusal::Guest(HttpError::TooLarge(why)) = refusal else {
            panic!("{refusal:?}")
        };
        assert!(
            why.ends_with("the request's body is larger than 1 KiB; as advised"),
            "{why}"
        );
        let refusal = gate.send(request("POST", "/"), None).await.unwrap_err();
        assert_eq!(
            refusal,
            HttpError::AnswerTooLarge(
                "the answer's body is larger than 16 bytes; as advised".to_owned()
            )
            .into()
        );
        assert!(matches!(
            notes.outcome(),
            Outcome::Answered {
                status: 200,
                body: None,
                ..
            }
        ));
        let refusal = gate.send(request("GET", "/"), None).await.unwrap_err();
        assert_eq!(
            refusal,
            HttpError::TooMany("an attempt may make 2 requests; as advised".to_owned()).into()
        );
    }
}

#[tokio::test]
async fn an_answer_to_head_declares_a_body_that_does_not_come() {
    let (_service, _, mut passage) = bench(vec![
        Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_owned()),
        ok(""),
    ])
    .await;
    passage.limits.response_bytes = 16;
    let gate = Gate::new(passage);
    assert_eq!(
        gate.send(request("HEAD", "/"), None).await.unwrap().body,
        ""
    );
    gate.send(request("GET", "/"), None).await.unwrap();
}
