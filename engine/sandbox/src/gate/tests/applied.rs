//! Credentials that are more than a header field: a parameter of the query, and a signature.

use super::{
    service::{Reply, answer, ok},
    *,
};
use crate::{credential::Scheme, secret};

const SECRET: &str = "hunter2/two words";

fn bind(passage: &mut Passage, scheme: &Scheme) {
    let origins = vec![Origin::parse(ORIGIN).unwrap()];
    let secret = secret::literal(SECRET).unwrap();
    let credential = Credential::new("api", scheme, secret, origins, &passage.redactor).unwrap();
    passage
        .credentials
        .insert("auth".to_owned(), Arc::new(credential));
}

fn query() -> Scheme {
    Scheme::Query {
        parameter: "api_key".to_owned(),
    }
}

fn sigv4() -> Scheme {
    Scheme::AwsSigV4 {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        region: "us-east-1".to_owned(),
        service: "sqs".to_owned(),
        session_token: Some(secret::literal("session-token-4711").unwrap()),
    }
}

async fn refused(gate: &Arc<Gate>, request: Request) -> String {
    match gate.send(request, Some("auth")).await.unwrap_err() {
        Refusal::Guest(HttpError::Denied(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_parameter_is_sent_and_neither_recorded_nor_told() {
    let echo = |request: &str| {
        let line = request.lines().next().unwrap().to_owned();
        let location = format!("location: https://api.example.com/{line}\r\n");
        answer(302, &location, request)
    };
    let (service, notes, mut passage) = bench(vec![Reply::Echo(echo), ok("")]).await;
    bind(&mut passage, &query());
    let gate = Gate::new(passage);
    let response = gate
        .send(request("POST", "/a?b=c"), Some("auth"))
        .await
        .unwrap();
    gate.send(request("GET", "/a"), Some("auth")).await.unwrap();
    let seen = service.seen();
    for (seen, line) in seen.iter().zip([
        "POST /a?b=c&api_key=hunter2%2Ftwo%20words HTTP/1.1\r\n",
        "GET /a?api_key=hunter2%2Ftwo%20words HTTP/1.1\r\n",
    ]) {
        assert!(seen.starts_with(line), "{seen}");
    }
    let recorded = notes.entries.lock().unwrap().clone();
    let Entry::Begun(asked) = &recorded[0] else {
        panic!()
    };
    assert_eq!(asked.url, "https://api.example.com/a?b=c");
    for shown in [format!("{recorded:?}"), format!("{response:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("api_key=[secret api]"), "{shown}");
    }
}

#[tokio::test]
async fn an_error_does_not_name_the_url_that_was_sent() {
    let (_service, notes, mut passage) =
        bench(vec![Reply::Cut("nonsense\r\n\r\n".to_owned())]).await;
    bind(&mut passage, &query());
    let refusal = Gate::new(passage)
        .send(request("GET", "/"), Some("auth"))
        .await
        .unwrap_err();
    let shown = format!("{refusal:?} {refusal} {:?}", notes.entries.lock().unwrap());
    assert!(shown.contains("no answer from"), "{shown}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("api_key"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_guest_can_not_set_what_the_host_does() {
    let (service, _, mut passage) = bench(Vec::new()).await;
    bind(&mut passage, &query());
    let gate = Gate::new(passage);
    for path in [
        "/?api_key=mine",
        "/?a=b&API_KEY",
        "/?api%5Fkey=",
        "/?a;api_key[]=x",
    ] {
        let why = refused(&gate, request("GET", path)).await;
        let set = "the query parameter `api_key` is the credential's to set";
        assert!(why.ends_with(set), "{why}");
    }

    let (_, _, mut passage) = bench(Vec::new()).await;
    bind(&mut passage, &sigv4());
    let gate = Gate::new(passage);
    for name in [
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    ] {
        let why = refused(&gate, with_field(request("GET", "/"), name, "x")).await;
        assert!(why.contains(&format!("`{name}` can't be set")), "{why}");
    }
    let why = refused(&gate, request("GET", "/?X-Amz-Signature=x")).await;
    assert!(why.contains("`x-amz-signature`"), "{why}");
    assert_eq!(service.seen(), [""; 0]);
}

/// What is signed is looked for in what arrived: fields, digest of the body, and the key's scope.
#[tokio::test]
async fn a_signature_covers_what_is_sent() {
    let (service, notes, mut passage) = bench(vec![ok(""), ok("")]).await;
    bind(&mut passage, &sigv4());
    let gate = Gate::new(passage);
    for body in ["Action=a", "Action=b"] {
        let request = with_field(request("POST", "/queue"), "content-type", "text/plain");
        gate.send(with_body(request, body), Some("auth"))
            .await
            .unwrap();
    }
    let signatures: Vec<String> = service
        .seen()
        .iter()
        .map(|seen| {
            let field = |name: &str| {
                seen.lines()
                    .find_map(|line| line.strip_prefix(&format!("{name}: ")))
                    .unwrap_or_else(|| panic!("no `{name}` in {seen}"))
                    .to_owned()
            };
            assert_eq!(field("x-amz-security-token"), "session-token-4711");
            let authorization = field("authorization");
            let day = field("x-amz-date")[..8].to_owned();
            assert!(
                authorization.starts_with(&format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{day}/us-east-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
                )),
                "{authorization}"
            );
            assert_eq!(field("host"), "api.example.com");
            authorization.rsplit_once('=').unwrap().1.to_owned()
        })
        .collect();
    assert_ne!(signatures[0], signatures[1]);
    let recorded = format!("{:?}", notes.entries.lock().unwrap());
    assert!(!recorded.contains("session-token") && !recorded.contains(&signatures[0]));
}
