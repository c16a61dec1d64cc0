use http::Method;

use super::*;
use crate::network::NetworkRules;

async fn applied(scheme: Scheme) -> Result<String, CredentialError> {
    let redactor = Arc::new(Redactor::default());
    let credential = Credential::new(
        "api",
        &scheme,
        Secret::of("hunter22"),
        Vec::new(),
        &redactor,
    )?;
    let network = Network::new(NetworkRules::default());
    let url = Url::parse("https://api.example.com/a?b=c").unwrap();
    let route = network.route(&url).unwrap();
    let mut outgoing = Outgoing::new(&Method::GET, route, HeaderMap::new(), None);
    credential.apply(&mut outgoing, &network).await?;
    let mut headers = std::mem::take(&mut outgoing.headers);
    assert_eq!(
        headers.remove("accept-encoding").unwrap().as_bytes(),
        b"identity"
    );
    let mut shown = outgoing.route.target.to_string();
    for (name, value) in &headers {
        assert!(value.is_sensitive());
        shown = format!("{name}: {}", value.to_str().unwrap());
    }
    assert!(!redactor.redact_text(&shown).contains("hunter22"));
    assert!(!redactor.redact_text(&shown).contains("dXNlcjpodW50ZXIyM"));
    assert!(!format!("{credential:?} {headers:?}").contains("hunter22"));
    Ok(shown)
}

#[tokio::test]
async fn each_kind_has_its_header_field() {
    let header = Scheme::Header {
        name: "X-Api-Key".to_owned(),
        prefix: "OAuth ".to_owned(),
    };
    assert_eq!(applied(header).await.unwrap(), "x-api-key: OAuth hunter22");
    assert_eq!(
        applied(Scheme::Bearer).await.unwrap(),
        "authorization: Bearer hunter22"
    );
    let basic = Scheme::Basic {
        username: "user".to_owned(),
    };
    assert_eq!(
        applied(basic).await.unwrap(),
        "authorization: Basic dXNlcjpodW50ZXIyMg=="
    );
    let query = Scheme::Query {
        parameter: "api_key".to_owned(),
    };
    assert_eq!(
        applied(query).await.unwrap(),
        "https://api.example.com/a?b=c&api_key=hunter22"
    );
}

#[tokio::test]
async fn what_does_not_go_together_is_refused() {
    for field in [
        "host",
        "Content-Length",
        "proxy-authorization",
        "a b",
        "",
        "accept-encoding",
    ] {
        let header = Scheme::Header {
            name: field.to_owned(),
            prefix: String::new(),
        };
        assert!(
            matches!(applied(header).await, Err(CredentialError::Field { .. })),
            "{field}"
        );
    }
    let header = Scheme::Header {
        name: "x-key".to_owned(),
        prefix: "a\n".to_owned(),
    };
    assert!(matches!(
        applied(header).await,
        Err(CredentialError::Character { .. })
    ));
    let query = Scheme::Query {
        parameter: "a&b".to_owned(),
    };
    assert!(matches!(
        applied(query).await,
        Err(CredentialError::Parameter { .. })
    ));
    let basic = Scheme::Basic {
        username: "a:b".to_owned(),
    };
    assert!(matches!(
        applied(basic).await,
        Err(CredentialError::Colon { .. })
    ));
}
/// Of everything that holds a secret, and of what a signed request is made of.
#[test]
fn no_debug_shows_a_secret() {
    let secret = || Secret::of("hunter22");
    let redactor = Arc::new(Redactor::new([("api".to_owned(), secret())]));
    let scheme = Scheme::AwsSigV4 {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        region: "eu-west-1".to_owned(),
        service: "sqs".to_owned(),
        session_token: Some(secret()),
    };
    let signed = Credential::new("api", &scheme, secret(), Vec::new(), &redactor).unwrap();
    let basic = Scheme::Basic {
        username: "user".to_owned(),
    };
    let basic = Credential::new("api", &basic, secret(), Vec::new(), &redactor).unwrap();
    let vault = crate::secret::Login::Token(secret());
    let network = Network::new(NetworkRules::default());
    let url = Url::parse("https://api.example.com/").unwrap();
    let route = network.route(&url).unwrap();
    let mut outgoing = Outgoing::new(&Method::GET, route, HeaderMap::new(), None);
    let Kind::Signed(signer) = &signed.kind else {
        panic!()
    };
    signed.sign(signer, &mut outgoing).unwrap();
    let headers = &outgoing.headers;
    let shown = format!(
        "{:?} {redactor:?} {scheme:?} {signed:?} {basic:?} {vault:?} {headers:?}",
        secret()
    );
    assert!(
        !shown.contains("hunter22") && !shown.contains("Signature="),
        "{shown}"
    );
    assert!(shown.contains("AKIDEXAMPLE") && shown.contains("x-amz-date"));
}
