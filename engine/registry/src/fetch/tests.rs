//! Registries and servers that mean ill, on loopback.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::image::NewImage;

/// What a server does with a connection on which this was asked.
type Serve = dyn Fn(&str, &mut TcpStream) + Send + Sync;

/// A server that answers each connection once.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(serve: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (serve, heard): (Arc<Serve>, _) = (Arc::new(serve), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serve, heard) = (serve.clone(), heard.clone());
                std::thread::spawn(move || answer(stream, &*serve, &heard));
            }
        });
        Server { port, asked }
    }

    /// One that has these, by path.
    fn with(answers: &[(&str, String)]) -> Server {
        let answers: BTreeMap<String, String> = answers
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), answer.clone()))
            .collect();
        Server::start(move |head, stream| {
            let path = head.split(' ').nth(1).unwrap_or_default();
            let answer = answers
                .get(path)
                .cloned()
                .unwrap_or_else(|| said("404 Not Found", "", b""));
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    fn file(&self) -> Source {
        Source::File(self.url("/x.wasm"))
    }

    fn image(&self) -> Source {
        Source::Image {
            repository: Repository::new(self.url("/"), "ops/x"),
            version: Version::Tag("1".to_owned()),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, serve: &Serve, heard: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    heard.lock().unwrap().push(head.clone());
    serve(&head, &mut stream);
}

fn said(status: &str, fields: &str, body: &[u8]) -> String {
    let length = body.len();
    let body = String::from_utf8_lossy(body);
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{fields}\r\n{body}"
    )
}

fn ok(body: &[u8]) -> String {
    said("200 OK", "", body)
}

fn fetcher() -> Fetcher {
    Fetcher::new(Credentials::default(), small())
}

fn small() -> Limits {
    Limits {
        component: 1000,
        document: 2000,
        signature: 100,
        ..Limits::default()
    }
}

#[track_caller]
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn all() -> Kinds {
    Kinds {
        minisign: true,
        cosign: true,
    }
}

/// Why it can't be had, with what lies beneath.
#[track_caller]
fn why(fetcher: &Fetcher, source: &Source) -> String {
    let error = run(fetcher.fetch(source, all())).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn written(component: &[u8]) -> (String, Digest) {
    let image = NewImage {
        component: component.to_vec(),
        imports: Vec::new(),
        exports: Vec::new(),
        annotations: BTreeMap::new(),
    };
    let manifest = String::from_utf8(image.written().manifest).unwrap();
    (manifest, Digest::of(component))
}

const MANIFEST_PLACE: &str = "/v2/ops/x/manifests/1";

#[test]
fn a_file_comes_with_the_signatures_beside_it() {
    let server = Server::with(&[
        ("/x.wasm", ok(b"component")),
        ("/x.wasm.minisig", ok(b"signed")),
        ("/y.wasm?key=4711", ok(b"component")),
    ]);
    let fetched = run(fetcher().fetch(&server.file(), all())).unwrap();
    assert_eq!(fetched.bytes, b"component");
    assert_eq!(
        fetched.signatures,
        [Signature::Minisign("signed".to_owned())]
    );
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .any(|head| head.starts_with("GET /x.wasm.sig ")),
        "{asked:?}"
    );
    // Signatures that nobody wants aren't asked for, and a key in a URL isn't shown.
    let keyed = Source::File(server.url("/y.wasm?key=4711"));
    run(fetcher().fetch(&keyed, Kinds::default())).unwrap();
    let said = why(&fetcher(), &Source::File(server.url("/z.wasm?key=4711")));
    assert!(said.ends_with("/z.wasm` answers 404"), "{said}");
}

#[test]
fn what_a_server_of_files_should_not_answer_is_refused() {
    let gzip = said("200 OK", "content-encoding: gzip\r\n", b"x");
    let page = said(
        "200 OK",
        "content-type: text/HTML; charset=utf-8\r\n",
        b"<html>",
    );
    let moved = |to: &str| said("302 Found", &format!("location: {to}\r\n"), b"");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc".to_owned();
    let cut_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nabc".to_owned();
    for (answer, says) in [
        (said("404 Not Found", "", b""), "answers 404"),
        (said("401 Unauthorized", "", b""), "answers 401"),
        (ok(&[b'x'; 1001]), "larger than the 1000 bytes"),
        (gzip, "compressed"),
        (page, "page for people (`text/html`)"),
        (moved("http://example.com/x.wasm"), "is not asked in clear"),
        (moved("http://127.0.0.1:1/x.wasm"), "is not asked in clear"),
        (moved("https://127.0.0.1:1/x.wasm"), "only what has a name"),
        (
            moved("https://u:hunter22@example.com/x"),
            "no user and password",
        ),
        (moved("/x.wasm"), "more than 5 times"),
        (cut, "broke off"),
        (cut_chunk, "broke off"),
        ("nonsense\r\n\r\n".to_owned(), "can't be reached"),
    ] {
        let server = Server::with(&[("/x.wasm", answer)]);
        let said = why(&fetcher(), &server.file());
        assert!(said.contains(says) && !said.contains("hunter22"), "{said}");
    }
    // A signature that is none to look at.
    let server = Server::with(&[("/x.wasm", ok(b"x")), ("/x.wasm.sig", ok(&[b'x'; 101]))]);
    assert!(why(&fetcher(), &server.file()).contains("larger than the 100 bytes"));
}

#[test]
fn a_body_without_end_and_one_that_never_comes_are_left() {
    let endless = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        while stream.write_all(b"4\r\nabcd\r\n").is_ok() {}
    });
    for source in [endless.file(), endless.image()] {
        assert!(why(&fetcher(), &source).contains("larger than"));
    }
    let silent = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
        // Until the other side has gone.
        let _ = stream.read(&mut [0]);
    });
    let limits = Limits {
        whole: Duration::from_millis(300),
        ..small()
    };
    let said = why(
        &Fetcher::new(Credentials::default(), limits),
        &silent.file(),
    );
    assert!(said.contains("was not there after"), "{said}");
    let limits = Limits {
        idle: Duration::from_millis(300),
        ..small()
    };
    let said = why(
        &Fetcher::new(Credentials::default(), limits),
        &silent.file(),
    );
    assert!(said.contains("broke off"), "{said}");
}

#[test]
fn an_image_is_what_its_manifest_says_and_nothing_else() {
    let (manifest, component) = written(b"component");
    let blob = format!("/v2/ops/x/blobs/{component}");
    let with = |manifest: &str, body: &[u8]| {
        Server::with(&[(MANIFEST_PLACE, ok(manifest.as_bytes())), (&blob, ok(body))])
    };
    let server = with(&manifest, b"component");
    let fetched = run(fetcher().fetch(&server.image(), all())).unwrap();
    assert_eq!(
        (fetched.bytes.as_slice(), fetched.manifest),
        (&b"component"[..], Some(Digest::of(manifest.as_bytes())))
    );
    assert_eq!(
        run(fetcher().fetch_pinned(&server.image(), &component)).unwrap(),
        b"component"
    );
    assert_eq!(
        run(fetcher().resolve(&server.image())).unwrap(),
        fetched.manifest
    );

    let size = |size: &str| manifest.replace("\"size\":9}]", &format!("\"size\":{size}}}]"));
    for (manifest, body, says) in [
        (
            manifest.clone(),
            &b"Component"[..],
            "something else than what is wanted",
        ),
        (size("8"), b"component", "9 bytes, and the manifest says 8"),
        (size("1001"), b"component", "larger than the 1000 bytes"),
        (
            manifest.replace("wasm.config", "oci.image.config"),
            b"component",
            "no component",
        ),
        ("{}".to_owned(), b"", "not one of an image"),
        ("x".repeat(2001), b"", "larger than the 2000 bytes"),
    ] {
        let said = why(&fetcher(), &with(&manifest, body).image());
        assert!(said.contains(says), "{said}");
    }
    // A manifest that is asked for by its digest.
    let Source::Image { repository, .. } = server.image() else {
        panic!("no image");
    };
    let wanted = Digest::of(b"another manifest");
    let place = format!("/v2/ops/x/manifests/{wanted}");
    let lying = Server::with(&[(&place, ok(manifest.as_bytes()))]);
    let repository = Repository::new(lying.url("/"), repository.name());
    let source = Source::Image {
        repository,
        version: Version::Digest(wanted),
    };
    assert!(why(&fetcher(), &source).contains("something else"));
    // What was pinned is asked for by the component's own digest.
    let lying = Server::with(&[(&blob, ok(b"Component"))]);
    assert!(run(fetcher().fetch_pinned(&lying.image(), &component)).is_err());
}

#[test]
fn signatures_of_an_image_are_bounded_and_what_they_say() {
    let (manifest, component) = written(b"component");
    let digest = Digest::of(manifest.as_bytes());
    let place = format!("/v2/ops/x/manifests/sha256-{}.sig", digest.hex());
    let payload = Digest::of(b"payload");
    let layer = |digest: &str, kind: &str, annotation: &str| {
        format!(
            "{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":7,\"annotations\":{{\"{annotation}\":\"c2ln\"}}}}"
        )
    };
    const KIND: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
    const ANNOTATION: &str = "dev.cosignproject.cosign/signature";
    let right = layer(&payload.to_string(), KIND, ANNOTATION);
    let with = |layers: &[&String], body: &[u8]| {
        let layers: Vec<&str> = layers.iter().map(|layer| layer.as_str()).collect();
        let signatures = format!(
            "{{\"schemaVersion\":2,\"config\":{{\"mediaType\":\"x\",\"digest\":\"x\",\"size\":1}},\"layers\":[{}]}}",
            layers.join(",")
        );
        Server::with(&[
            (MANIFEST_PLACE, ok(manifest.as_bytes())),
            (&format!("/v2/ops/x/blobs/{component}"), ok(b"component")),
            (&place, ok(signatures.as_bytes())),
            (&format!("/v2/ops/x/blobs/{payload}"), ok(body)),
        ])
    };
    let signatures = |server: &Server| {
        run(fetcher().fetch(&server.image(), all())).map(|fetched| fetched.signatures)
    };
    let found = signatures(&with(&[&right], b"payload")).unwrap();
    let signature = Signature::Image {
        manifest: manifest.clone(),
        payload: "payload".to_owned(),
        signature: "c2ln".to_owned(),
    };
    assert_eq!(found, [signature]);
    // Others keep other things beside.
    let other = layer(&payload.to_string(), "application/json", ANNOTATION);
    let bare = layer(&payload.to_string(), KIND, "x");
    assert_eq!(signatures(&with(&[&other, &bare], b"payload")).unwrap(), []);
    // What was signed is another thing than is said, or known by no digest.
    assert!(signatures(&with(&[&right], b"another")).is_err());
    let odd = layer("../../../x", KIND, ANNOTATION);
    assert!(signatures(&with(&[&odd], b"payload")).is_err());
    // A registry that has no end of them is asked for few.
    let limits = Limits {
        signatures: 2,
        document: 64 << 10,
        ..small()
    };
    let many = with(&[&right; 50], b"payload");
    let fetched =
        run(Fetcher::new(Credentials::default(), limits).fetch(&many.image(), all())).unwrap();
    assert_eq!(fetched.signatures.len(), 2);
}

/// A fetcher that knows a password for this port of this machine.
fn known(port: u16) -> Fetcher {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let config =
        format!(r#"{{"auths":{{"127.0.0.1:{port}":{{"username":"ana","password":"hunter22"}}}}}}"#);
    std::fs::write(&path, config).unwrap();
    Fetcher::new(Credentials::read(&path).unwrap(), small())
}

#[test]
fn who_one_is_is_said_when_it_is_asked_and_to_whom_it_concerns() {
    // A registry that gives tokens itself.
    let server = Server::start(|head, stream| {
        let port = stream
            .local_addr()
            .map(|address| address.port())
            .unwrap_or_default();
        let has = |field: &str| {
            head.to_ascii_lowercase()
                .contains(&field.to_ascii_lowercase())
        };
        let answer = if head.starts_with("GET /token?service=s&scope=repository%3Aops%2Fx%3Apull ")
            && has("authorization: Basic YW5hOmh1bnRlcjIy")
        {
            ok(br#"{"token":"t-4711"}"#)
        } else if head.starts_with("GET /token") {
            said("401 Unauthorized", "", b"hunter22")
        } else if has("authorization: Bearer t-4711") {
            said(
                "404 Not Found",
                "",
                br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"hunter22"}]}"#,
            )
        } else {
            let field = format!(
                "www-authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"s\"\r\n"
            );
            said("401 Unauthorized", &field, b"")
        };
        let _ = stream.write_all(answer.as_bytes());
    });
    let text = why(&known(server.port), &server.image());
    assert!(text.ends_with("answers 404 (MANIFEST_UNKNOWN)"), "{text}");
    let asked = server.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(
        !asked[0].to_ascii_lowercase().contains("authorization"),
        "{}",
        asked[0]
    );
    // Credentials of another registry are not for this one.
    let text = why(&known(1), &server.image());
    assert!(text.contains("wants credentials"), "{text}");
    assert!(
        server.asked()[3..]
            .iter()
            .all(|head| !head.to_ascii_lowercase().contains("authorization"))
    );

    let asks = |challenge: &str| {
        let field = format!("www-authenticate: {challenge}\r\n");
        Server::with(&[(MANIFEST_PLACE, said("401 Unauthorized", &field, b""))])
    };
    let server = asks("Basic realm=\"x\"");
    let text = why(&known(server.port), &server.image());
    assert!(text.contains("does not let these credentials in"), "{text}");
    assert!(why(&fetcher(), &server.image()).contains("wants credentials"));
    // Where they would go in clear to somebody else, they don't go.
    for challenge in [
        "Bearer realm=\"http://example.com/token\"",
        "Bearer realm=\"ftp://127.0.0.1/\"",
        "Negotiate",
        "Bearer realm=\"x",
    ] {
        let server = asks(challenge);
        let text = why(&known(server.port), &server.image());
        assert!(text.contains("in a way that is not answered"), "{text}");
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn an_upload_goes_where_it_may() {
    for place in ["http://example.com/up", "https://127.0.0.1:1/up", ""] {
        let field = if place.is_empty() {
            String::new()
        } else {
            format!("location: {place}\r\n")
        };
        let server = Server::with(&[(
            "/v2/ops/x/blobs/uploads/",
            said("202 Accepted", &field, b""),
        )]);
        let image = NewImage {
            component: b"component".to_vec(),
            imports: Vec::new(),
            exports: Vec::new(),
            annotations: BTreeMap::new(),
        };
        let repository = Repository::new(server.url("/"), "ops/x");
        let error = run(fetcher().publish(&repository, "1", &image, false)).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("answers what no registry should"),
            "{error}"
        );
    }
}
