//! Against a server on loopback that answers as such a store does. `tests/suite` asks a real one.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::{
    network::{IpRange, NetworkRules},
    secret::literal,
};

/// The requests that came, whole.
type Seen = Arc<Mutex<Vec<String>>>;

/// A server that gives these answers, one a connection.
async fn server(answers: Vec<(u16, &'static str)>) -> (Origin, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            loop {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&request);
                let Some((head, sent)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().unwrap());
                if sent.len() >= length {
                    break;
                }
            }
            all.lock()
                .unwrap()
                .push(String::from_utf8(request).unwrap());
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Origin::parse(&origin).unwrap(), seen)
}

fn network() -> Network {
    Network::new(NetworkRules {
        private: vec![IpRange::parse("127.0.0.1").unwrap()],
        reroute: Vec::new(),
    })
}

fn vault(address: Origin, login: Login) -> Vault {
    Vault {
        address,
        mount: "secret".to_owned(),
        path: "team a/status".to_owned(),
        field: "key".to_owned(),
        login,
    }
}

fn token() -> Login {
    Login::Token(literal("token-4711").unwrap())
}

fn role() -> Login {
    Login::AppRole {
        mount: "approle".to_owned(),
        role_id: "role-1".to_owned(),
        secret_id: literal("secret-id-\"4711\"").unwrap(),
    }
}

const FOUND: &str = r#"{"data":{"data":{"key":"hunter22","port":5432},"metadata":{"version":1}}}"#;

#[tokio::test]
async fn a_field_is_read_with_a_token() {
    let (address, seen) = server(vec![(200, FOUND)]).await;
    let secret = vault(address, token()).secret(&network()).await.unwrap();
    assert_eq!(secret.expose(), "hunter22");
    let seen = seen.lock().unwrap()[0].clone();
    assert!(
        seen.starts_with("GET /v1/secret/data/team%20a/status HTTP/1.1\r\n")
            && seen.contains("\r\nx-vault-token: token-4711\r\n"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_path_may_hold_what_stands_for_itself_in_a_url() {
    let (address, seen) = server(vec![(200, FOUND)]).await;
    let vault = Vault {
        mount: "kv-2".to_owned(),
        path: "eu.west/api_key~old-1.0".to_owned(),
        ..vault(address, token())
    };
    vault.secret(&network()).await.unwrap();
    let seen = seen.lock().unwrap()[0].clone();
    assert!(
        seen.starts_with("GET /v1/kv-2/data/eu.west/api_key~old-1.0 HTTP/1.1\r\n"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_role_is_logged_in_first() {
    let logged_in = r#"{"auth":{"client_token":"token-4712","policies":["x"]}}"#;
    let (address, seen) = server(vec![(200, logged_in), (200, FOUND)]).await;
    let secret = vault(address, role()).secret(&network()).await.unwrap();
    assert_eq!(secret.expose(), "hunter22");
    let seen = seen.lock().unwrap().clone();
    assert!(
        seen[0].starts_with("POST /v1/auth/approle/login HTTP/1.1\r\n")
            && seen[0].ends_with(r#"{"role_id":"role-1","secret_id":"secret-id-\"4711\""}"#),
        "{}",
        seen[0]
    );
    assert!(seen[1].contains("\r\nx-vault-token: token-4712\r\n"));
}

#[tokio::test]
async fn a_fault_says_what_happened_and_no_secret() {
    for (login, answer, says) in [
        (
            token(),
            (403, r#"{"errors":["permission denied","for token-4711"]}"#),
            "answered reading `team a/status` with 403: permission denied, for [secret vault]",
        ),
        (
            token(),
            (404, r#"{"errors":[]}"#),
            "with 404: there is nothing",
        ),
        (token(), (500, "oops"), "with 500"),
        (token(), (302, ""), "with 302"),
        (
            token(),
            (200, r#"{"data":{"key":"hunter22"}}"#),
            "a secret that has no field `key`",
        ),
        (
            token(),
            (200, "hunter22"),
            "what is no secret of a key/value store",
        ),
        (
            token(),
            (200, r#"{"data":{"data":{"key":["hunter22"]}}}"#),
            "a field `key` that is not text",
        ),
        (
            token(),
            (200, r#"{"data":{"data":{"key":"abc"}}}"#),
            "the vault's field `key` of `team a/status` is shorter",
        ),
        (
            role(),
            (
                400,
                r#"{"errors":["invalid secret id secret-id-\"4711\""]}"#,
            ),
            "answered the login by AppRole with 400: invalid secret id [secret vault]",
        ),
        (
            role(),
            (200, r#"{"auth":null,"x":"hunter22"}"#),
            "with no token",
        ),
    ] {
        let (address, _) = server(vec![answer]).await;
        let fault = vault(address, login).secret(&network()).await.unwrap_err();
        let said = format!("{fault} {fault:?}");
        assert!(said.contains(says), "{says}: {said}");
        assert!(
            !said.contains("hunter22") && !said.contains("4711"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn it_is_asked_by_the_network_s_rules_only() {
    let (address, seen) = server(vec![(200, FOUND)]).await;
    let strict = Network::new(NetworkRules::default());
    let fault = vault(address.clone(), token()).secret(&strict).await;
    let fault = fault.unwrap_err().to_string();
    assert!(fault.contains("may not be asked"), "{fault}");
    let other = Origin::parse("http://8.8.8.8:8200").unwrap();
    let fault = vault(other, token()).secret(&strict).await.unwrap_err();
    assert!(fault.to_string().contains("only sent by https"), "{fault}");
    let up = Vault {
        path: "../../sys/seal".to_owned(),
        ..vault(address, token())
    };
    up.secret(&network()).await.unwrap_err();
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn debug_shows_nothing() {
    let vault = vault(Origin::parse("https://vault.example.com").unwrap(), role());
    let shown = format!("{vault:?}");
    assert!(
        shown.contains("role-1") && !shown.contains("4711"),
        "{shown}"
    );
}
