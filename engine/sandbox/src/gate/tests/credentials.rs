//! Credentials: applied by the host, to their own origins, and not given back.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    service::{Reply, answer, ok},
    *,
};
use crate::{
    credential::{CredentialError, Scheme, TokenError},
    secret,
};

const SECRET: &str = "hunter2/two words";

fn oauth(token_url: &str) -> Scheme {
    let scope = Some("https://management.example/.default".to_owned());
    Scheme::OAuth2ClientCredentials {
        token_url: token_url.to_owned(),
        client_id: "client".to_owned(),
        scope,
    }
}

/// Binds the slot `auth` to a credential of this kind.
fn bind(passage: &mut Passage, scheme: &Scheme, origin: &str) -> Arc<Credential> {
    let origins = vec![Origin::parse(origin).unwrap()];
    let secret = secret::literal(SECRET).unwrap();
    let credential =
        Arc::new(Credential::new("api", scheme, secret, origins, &passage.redactor).unwrap());
    passage
        .credentials
        .insert("auth".to_owned(), Arc::clone(&credential));
    credential
}

fn token(body: &str) -> Reply {
    ok(body)
}

#[tokio::test]
async fn the_host_applies_it_and_the_record_names_it() {
    let (service, notes, mut passage) = bench(vec![ok("")]).await;
    bind(&mut passage, &Scheme::Bearer, ORIGIN);
    Gate::new(passage)
        .send(request("POST", "/"), Some("auth"))
        .await
        .unwrap();
    let seen = &service.seen()[0];
    assert!(
        seen.contains(&format!("\r\nauthorization: Bearer {SECRET}\r\n"))
            && seen.contains("\r\naccept-encoding: identity\r\n"),
        "{seen}"
    );
    let Entry::Begun(asked) = notes.entries.lock().unwrap()[0].clone() else {
        panic!()
    };
    assert_eq!(
        (asked.slot.as_deref(), asked.credential.as_deref()),
        (Some("auth"), Some("api"))
    );
    assert!(!format!("{:?}", notes.entries.lock().unwrap()).contains("hunter2"));
}

#[tokio::test]
async fn it_goes_to_its_own_origins_only() {
    let (service, _, mut passage) = bench(Vec::new()).await;
    bind(&mut passage, &Scheme::Bearer, "https://other.example");
    let gate = Gate::new(passage);
    for (slot, says) in [
        (
            "auth",
            "the credential `api` is only for `https://other.example`",
        ),
        ("none", "no credential is bound to the slot `none`"),
    ] {
        let refusal = gate
            .send(request("GET", "/"), Some(slot))
            .await
            .unwrap_err();
        assert!(is_denied(&refusal, says), "{refusal:?}");
    }
    assert_eq!(service.seen(), [""; 0]);
}

#[tokio::test]
async fn it_is_not_sent_in_clear() {
    let (service, notes, _) = bench(Vec::new()).await;
    let private = vec![crate::network::IpRange::parse("127.0.0.1").unwrap()];
    let network = Arc::new(Network::new(NetworkRules {
        private,
        reroute: Vec::new(),
    }));
    let mut passage = passage(network, &notes);
    bind(&mut passage, &Scheme::Bearer, &service.origin());
    let clear = Request {
        method: "GET".to_owned(),
        url: service.origin(),
        ..Request::default()
    };
    let refusal = Gate::new(passage)
        .send(clear, Some("auth"))
        .await
        .unwrap_err();
    let says = "the credential `api` is only sent by https";
    assert!(is_denied(&refusal, says), "{refusal:?}");
}

#[tokio::test]
async fn the_guest_can_not_add_to_it() {
    let (_service, _, mut passage) = bench(Vec::new()).await;
    let scheme = Scheme::Header {
        name: "X-Api-Key".to_owned(),
        prefix: String::new(),
    };
    bind(&mut passage, &scheme, ORIGIN);
    let gate = Gate::new(passage);
    for name in [
        "Authorization",
        "x-api-key",
        "Range",
        "If-Range",
        "Accept-Encoding",
        "x_api_key",
        "Accept_Encoding",
    ] {
        let refusal = gate
            .send(with_field(request("GET", "/"), name, "x"), Some("auth"))
            .await
            .unwrap_err();
        let why = format!(
            "the header field `{}` can't be set in a request with a credential",
            name.to_lowercase()
        );
        assert!(is_denied(&refusal, &why), "{refusal:?}");
    }
}

#[tokio::test]
async fn an_echo_of_it_is_redacted_before_guest_and_record_see_it() {
    let echo = Reply::Echo(|request| {
        let secret = request
            .lines()
            .find_map(|line| line.strip_prefix("authorization: Bearer "))
            .unwrap();
        let escaped: String =
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        let body = format!(
            "{secret} {} {escaped}",
            STANDARD.encode(format!("x{secret}y"))
        );
        answer(200, &format!("x-echo: {secret}\r\n"), &body)
    });
    let (_service, notes, mut passage) = bench(vec![echo]).await;
    bind(&mut passage, &Scheme::Bearer, ORIGIN);
    let response = Gate::new(passage)
        .send(request("POST", "/"), Some("auth"))
        .await
        .unwrap();
    assert!(
        response
            .headers
            .contains(&("x-echo".to_owned(), "[secret api]".to_owned()))
    );
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(body.matches("[secret api]").count(), 3, "{body}");
    assert!(!body.contains("hunter"), "{body}");
    let Outcome::Answered { body: recorded, .. } = notes.outcome() else {
        panic!()
    };
    assert_eq!(recorded, Some(response.body));
}

/// A plugin may call the beginning of a header field sensitive, in all the ways in which it could go on.
#[tokio::test]
async fn what_plugins_call_sensitive_hides_no_secret_from_redaction() {
    let echo = Reply::Echo(|request| answer(200, "", request));
    let (_service, _, mut passage) = bench(vec![echo]).await;
    bind(&mut passage, &Scheme::Bearer, ORIGIN);
    for letter in ' '..='~' {
        let text = format!("authorization: Bearer {letter}");
        passage.redactor.hide_sensitive(&text);
    }
    let response = Gate::new(passage)
        .send(request("GET", "/"), Some("auth"))
        .await
        .unwrap();
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    assert!(body.contains("\r\n[secret api]\r\n"), "{body}");
}

#[tokio::test]
async fn an_encoded_answer_is_refused() {
    let (_service, notes, mut passage) = bench(vec![
        Reply::Raw(answer(200, "content-encoding: gzip\r\n", "x")),
        ok(""),
    ])
    .await;
    bind(&mut passage, &Scheme::Bearer, ORIGIN);
    let refusal = Gate::new(passage)
        .send(request("GET", "/"), Some("auth"))
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::Guest(HttpError::Malformed(_))),
        "{refusal:?}"
    );
    assert!(matches!(
        notes.outcome(),
        Outcome::Answered {
            status: 200,
            body: None,
            ..
        }
    ));
}

#[tokio::test]
async fn a_secret_is_shown_to_a_step_that_may_see_it() {
    let (_service, notes, mut passage) = bench(vec![ok("")]).await;
    bind(&mut passage, &Scheme::Bearer, ORIGIN);
    passage.credentials.insert(
        "hidden".to_owned(),
        Arc::clone(&passage.credentials["auth"]),
    );
    passage.reveal.insert("auth".to_owned());
    let gate = Gate::new(passage);
    assert_eq!(gate.reveal("auth").unwrap().expose(), SECRET);
    assert_eq!(
        gate.reveal("hidden").unwrap_err(),
        SlotError::NotRevealed("hidden".to_owned())
    );
    assert_eq!(
        gate.open("none").unwrap_err(),
        SlotError::Unbound("none".to_owned())
    );
    gate.send(
        with_body(
            request("POST", "/?key=hunter2/two%20words"),
            "hunter2/two words",
        ),
        None,
    )
    .await
    .unwrap();
    assert!(!format!("{:?}", notes.entries.lock().unwrap()).contains("hunter2"));
}

#[tokio::test]
async fn a_token_is_fetched_once_kept_and_hidden() {
    let grant = r#"{"token_type":"Bearer","access_token":"token-4711","expires_in":"3599"}"#;
    let echo = Reply::Echo(|request| answer(200, "", request));
    let (service, notes, mut passage) = bench(vec![
        token(grant),
        echo,
        ok(""),
        Reply::Raw(answer(401, "", "")),
        ok(""),
    ])
    .await;
    let credential = bind(
        &mut passage,
        &oauth("https://api.example.com/token"),
        ORIGIN,
    );
    credential.obtain(&passage.network).await.unwrap();
    let gate = Gate::new(passage);
    let response = gate
        .send(request("GET", "/echo"), Some("auth"))
        .await
        .unwrap();
    assert!(String::from_utf8_lossy(&response.body).contains("authorization: Bearer [secret api]"));
    gate.send(request("GET", "/"), Some("auth")).await.unwrap();
    let seen = service.seen();
    let form = "grant_type=client_credentials&client_id=client&client_secret=hunter2%2Ftwo+words&scope=https%3A%2F%2Fmanagement.example%2F.default";
    assert!(
        seen[0].starts_with("POST /token HTTP/1.1\r\n") && seen[0].ends_with(form),
        "{}",
        seen[0]
    );
    assert!(seen[2].contains("authorization: Bearer token-4711"));
    // A fresh token that was refused is not fetched again; the request is not sent again either.
    assert_eq!(
        gate.send(request("GET", "/"), Some("auth"))
            .await
            .unwrap()
            .status,
        401
    );
    gate.send(request("GET", "/"), Some("auth")).await.unwrap();
    let firsts: Vec<String> = service
        .seen()
        .iter()
        .map(|seen| seen.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        firsts,
        ["POST /token", "GET /echo", "GET /", "GET /", "GET /"]
    );
    assert!(
        notes.log().iter().all(|line| !line.contains("begun")),
        "a token's own requests are not on record"
    );
}

#[tokio::test]
async fn those_who_ask_at_once_get_one_token() {
    let grant = r#"{"access_token":"token-4711","expires_in":3599}"#;
    let (service, _, mut passage) = bench(vec![token(grant)]).await;
    let credential = bind(
        &mut passage,
        &oauth("https://api.example.com/token"),
        ORIGIN,
    );
    let network = &passage.network;
    let (first, second) = tokio::join!(credential.obtain(network), credential.obtain(network));
    first.unwrap();
    second.unwrap();
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn a_token_that_can_not_be_had_is_explained() {
    let refused = r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret\r\n hunter2/two words"}"#;
    for (reply, says) in [
        (
            answer(401, "", refused),
            "it answered 401: invalid_client: AADSTS7000215: wrong secret [secret api]",
        ),
        (answer(500, "", "oops"), "it answered 500"),
        (
            answer(200, "", "oops"),
            "it answered 200 with no `access_token` in a JSON object",
        ),
        (
            answer(200, "", r#"{"access_token":"t","token_type":"mac"}"#),
            "it answered 200 with a token that is not of the type `Bearer`",
        ),
        (
            answer(302, "location: https://evil.example/\r\n", ""),
            "it answered 302",
        ),
    ] {
        let (service, notes, mut passage) = bench(vec![Reply::Raw(reply)]).await;
        let credential = bind(
            &mut passage,
            &oauth("https://api.example.com/token"),
            ORIGIN,
        );
        let fault = credential.obtain(&passage.network).await.unwrap_err();
        let whole = format!(
            "the credential `api` got no token from `https://api.example.com/token`: {says}"
        );
        assert_eq!(fault.to_string(), whole);
        assert_eq!((service.seen().len(), notes.log().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_request_whose_token_can_not_be_had_is_not_sent() {
    let (service, notes, mut passage) = bench(vec![Reply::Cut(String::new())]).await;
    bind(
        &mut passage,
        &oauth("https://api.example.com/token"),
        ORIGIN,
    );
    passage.limits.timeout = Duration::from_secs(5);
    let refusal = Gate::new(passage)
        .send(request("POST", "/"), Some("auth"))
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::Guest(HttpError::Unreachable(_))),
        "{refusal:?}"
    );
    assert!(matches!(notes.outcome(), Outcome::NotSent { .. }));
    assert_eq!(service.seen().len(), 1);
}

/// The token comes only after the attempt was cut: its request must not be sent then.
#[tokio::test]
async fn an_attempt_that_ends_while_its_token_is_fetched_sends_nothing() {
    let word = Arc::new(tokio::sync::Notify::new());
    let grant = r#"{"access_token":"token-4711","expires_in":3599}"#;
    let slow = Reply::After(Arc::clone(&word), answer(200, "", grant));
    let (service, notes, mut passage) = bench(vec![slow, ok("")]).await;
    bind(
        &mut passage,
        &oauth("https://api.example.com/token"),
        ORIGIN,
    );
    let gate = Gate::new(passage);
    let attempt = tokio::spawn({
        let gate = Arc::clone(&gate);
        async move { gate.send(request("POST", "/"), Some("auth")).await }
    });
    while service.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    assert!(attempt.await.unwrap_err().is_cancelled());
    word.notify_one();
    gate.settle().await;
    let Outcome::NotSent { why } = notes.outcome() else {
        panic!("{:?}", notes.outcome())
    };
    assert_eq!(why, "the attempt ended before the request was sent");
    let seen = service.seen();
    assert!(
        seen.iter().all(|seen| seen.starts_with("POST /token ")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_token_service_passes_the_same_checks() {
    for (url, says) in [
        ("https://elsewhere.example/token", "not rerouted"),
        ("https://user@api.example.com/token", "user information"),
    ] {
        let (_service, _, passage) = bench(Vec::new()).await;
        let secret = secret::literal(SECRET).unwrap();
        let fault = match Credential::new("api", &oauth(url), secret, Vec::new(), &passage.redactor)
        {
            Ok(credential) => credential.obtain(&passage.network).await.unwrap_err(),
            Err(fault) => fault,
        };
        let CredentialError::Token {
            fault: TokenError::Location(why),
            ..
        } = fault
        else {
            panic!("{fault}")
        };
        assert!(why.contains(says), "{why}");
    }
    let redactor = Arc::new(Redactor::default());
    let secret = secret::literal(SECRET).unwrap();
    let clear = Credential::new(
        "api",
        &oauth("http://8.8.8.8/token"),
        secret,
        Vec::new(),
        &redactor,
    )
    .unwrap();
    let fault = clear
        .obtain(&Network::new(NetworkRules::default()))
        .await
        .unwrap_err();
    assert!(
        fault
            .to_string()
            .ends_with("a secret is only sent by https"),
        "{fault}"
    );
}
