//! A hostile plugin with every grant that it could wish for but one: each of its requests comes to nothing, its step
//! fails with a message that says what it tried, nobody saw it, and it is on record with the reason.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::stage::{Interface, SECRET, Stage};

/// A request, what the step's message says of it, and what the reason says.
struct Attempt {
    send: Value,
    tried: String,
    why: &'static str,
}

/// As the gate shows what a plugin wrote.
fn shown(text: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn to(url: &str, why: &'static str) -> Attempt {
    Attempt {
        send: json!({ "url": url }),
        tried: format!("GET {}", shown(url)),
        why,
    }
}

fn by(method: &str, why: &'static str) -> Attempt {
    let url = "https://echo.simcloud.test/open/x";
    Attempt {
        send: json!({ "url": url, "method": method }),
        tried: format!("{} {url}", shown(method)),
        why,
    }
}

fn with(name: &str, value: &str, why: &'static str) -> Attempt {
    let url = "https://echo.simcloud.test/open/x";
    Attempt {
        send: json!({ "url": url, "headers": { name: value } }),
        tried: format!("GET {url}"),
        why,
    }
}

/// Whatever a gate refuses by what the request says.
fn attempts() -> Vec<Attempt> {
    let not_granted = "is not granted";
    let canonical = "canonical form";
    let character = "a control character";
    let field = "is not a plugin's to set";
    vec![
        // Beside what is granted.
        by("DELETE", not_granted),
        to("https://status.simcloud.test/open/x", not_granted),
        to("https://echo.simcloud.test:8443/open/x", "not rerouted"),
        to("http://echo.simcloud.test/open/x", "not rerouted"),
        to("https://elsewhere.example/open/x", "not rerouted"),
        to("https://echo.simcloud.test/shut/x", not_granted),
        to("https://echo.simcloud.test/open", not_granted),
        to("https://echo.simcloud.test/open//x", not_granted),
        // Other methods.
        by("CONNECT", "the method is not"),
        by("TRACE", "the method is not"),
        by("get", "the method is not"),
        by(
            "GET /shut HTTP/1.1\r\nhost: h\r\n\r\nGET",
            "the method is not",
        ),
        // Other forms of a URL.
        to("ftp://echo.simcloud.test/open/x", "not absolute"),
        to("file:///etc/passwd", "not absolute"),
        to("/open/x", "not absolute"),
        to("//echo.simcloud.test/open/x", "not absolute"),
        to("https:/echo.simcloud.test/open/x", "not absolute"),
        to("https://evil@echo.simcloud.test/open/x", "user information"),
        to(
            "https://echo.simcloud.test@evil.example/open/x",
            "user information",
        ),
        to(
            "https://evil.example\\@echo.simcloud.test/open/x",
            "a backslash",
        ),
        to("https://echo.simcloud.test/open/x\r\nhost: evil", character),
        to("https://echo.simcloud.test/open/\u{0}", character),
        to("https://echo.simcloud.test/open/x y", character),
        // Paths that leave.
        to("https://echo.simcloud.test/open/../shut", "segment"),
        to("https://echo.simcloud.test/open/./x", "segment"),
        to("https://echo.simcloud.test/open/..;/shut", "segment"),
        to("https://echo.simcloud.test/open/%2e%2e/shut", "an encoded"),
        to("https://echo.simcloud.test/open/..%2fshut", "an encoded"),
        to("https://echo.simcloud.test/open/..%5Cshut", "an encoded"),
        to("https://echo.simcloud.test/open/..%252fshut", "an encoded"),
        to(
            "https://echo.simcloud.test/open/..%25%32%66shut",
            "an encoded",
        ),
        to("https://echo.simcloud.test/open/..%c0%afshut", "an encoded"),
        to(
            "https://echo.simcloud.test/open/x%0d%0ahost:%20evil",
            "an encoded",
        ),
        // Hosts that look like another one, or like none.
        to("https://echo.simcloud.test./open/x", "ends with a dot"),
        to("https://ｅcho.simcloud.test/open/x", canonical),
        to("https://echo。simcloud.test/open/x", canonical),
        to("https://еcho.simcloud.test/open/x", "not rerouted"),
        to("https://ech%6f.simcloud.test/open/x", canonical),
        to("http://2130706433/", canonical),
        to("http://0x7f000001/", canonical),
        to("http://0177.0.0.1/", canonical),
        to("http://127.1/", canonical),
        to("http://[::ffff:127.0.0.1]/", canonical),
        to("http://127.0.0.1:0/", "port 0"),
        to("http://127.0.0.1/", "not rerouted"),
        // Fields that are the connection's, frame the message, or make another request of it.
        with("Host", "evil.example", field),
        with("Content-Length", "0", field),
        with("Transfer-Encoding", "chunked", field),
        with("Connection", "keep-alive, x", field),
        with("Proxy-Authorization", "x", field),
        with("TE", "trailers", field),
        with("Upgrade", "h2c", field),
        with("Expect", "100-continue", field),
        with("X-HTTP-Method-Override", "DELETE", field),
        with("X-Original-URL", "/shut", field),
        with("a\r\nhost", "evil", "holds a character"),
        with("a b", "x", "holds a character"),
        with("", "x", "holds a character"),
        with(
            "a",
            "x\r\nhost: evil",
            "a control character or a line break",
        ),
        with("a", "x\u{0}", "a control character or a line break"),
    ]
}

/// The same by `wasi:http`, where a URL comes in parts and a body's length may be said.
fn attempts_in_parts() -> Vec<Attempt> {
    let mut attempts = attempts();
    for attempt in &mut attempts {
        let url = attempt.send["url"].as_str().unwrap_or_default();
        let no_host = !url.contains("://") || url.starts_with("file:");
        if no_host {
            attempt.why = "names no host";
        }
        if !url.contains("://") {
            attempt.tried = format!("GET https://{url}");
        }
        if let Some(length) = attempt.send.pointer_mut("/headers/Content-Length") {
            *length = json!("7");
            attempt.why = "isn't the length of the body";
        }
    }
    attempts.extend([
        with(
            "sandbook-credential",
            "nothing",
            "no credential is bound to the slot `nothing`",
        ),
        with("sandbook-repeatable", "maybe", "neither `true` nor `false`"),
        with("sandbook-anything", "x", "is not a plugin's to set"),
    ]);
    attempts
}

/// One step for each, and each goes on past the failure of the one before.
fn steps(by: Interface, attempts: &[Attempt], allow: &[&str]) -> String {
    let steps = attempts.iter().enumerate().map(|(index, attempt)| {
        let mut send = attempt.send.clone();
        send["do"] = json!("send");
        send["must"] = json!(true);
        send["by"] = json!(by.name());
        json!({
            "id": format!("s{index}"), "uses": "puppet", "on_failure": "continue", "allow": allow,
            "with": { "actions": [send] },
        })
    });
    format!("steps: {}\n", Value::from_iter(steps))
}

/// Each step failed as the attempt says, and its denial is on record and shown.
#[track_caller]
fn each_was_refused(stage: &Stage, by: Interface, attempts: &[Attempt]) {
    let failed = stage.lab.events_of("step_failed");
    let denied = stage.lab.events_of("request_denied");
    let shown = stage.lab.sandbook(&["log", "@last"]).ok().out;
    for (index, Attempt { tried, why, .. }) in attempts.iter().enumerate() {
        let step = format!("s{index}");
        let of_step = |events: &[Value]| {
            let mut found = events.iter().filter(|event| event["step"] == step.as_str());
            found.next().cloned().unwrap_or_default()
        };
        assert!(!of_step(&failed).is_null(), "{tried}");
        let message = stage.told(by, &step);
        assert!(message.contains(tried.as_str()), "{tried}: {message}");
        assert!(message.contains(why), "{tried}: {message}");
        let recorded = of_step(&denied)["why"].to_string();
        assert!(recorded.contains(why), "{tried}: {recorded}");
        assert!(shown.contains(why), "{tried}: {shown}");
    }
    assert_eq!(
        (failed.len(), denied.len()),
        (attempts.len(), attempts.len())
    );
}

#[test]
fn every_forbidden_request_fails_its_step_and_is_on_record() {
    let words = [
        with("sandbook-credential", "api", "is not a plugin's to set"),
        with("Sandbook-Repeatable", "true", "is not a plugin's to set"),
    ];
    let attempts: Vec<Attempt> = attempts().into_iter().chain(words).collect();
    forbidden_requests_come_to_nothing(Interface::Step, &attempts);
}

#[test]
fn so_does_every_forbidden_request_of_a_client_of_its_own() {
    forbidden_requests_come_to_nothing(Interface::Wasi, &attempts_in_parts());
}

fn forbidden_requests_come_to_nothing(by: Interface, attempts: &[Attempt]) {
    let stage = Stage::new();
    let allow = [
        "GET https://echo.simcloud.test/open/*",
        "GET https://echo.simcloud.test/open/*/*",
    ];
    stage.run(&steps(by, attempts, &allow)).ok();
    each_was_refused(&stage, by, attempts);
    assert!(stage.cloud.requests().is_empty());
    // An innocent step after all of them has what it asks for.
    let innocent = json!([{ "id": "a", "uses": "puppet", "allow": allow, "with": { "actions": [
        { "do": "send", "by": by.name(), "url": "https://echo.simcloud.test/open/x", "must": true },
    ] } }]);
    stage.run(&format!("steps: {innocent}\n")).ok();
    assert_eq!(stage.cloud.requests().len(), 1);
}

/// An environment that reaches the real network, with a ceiling that is no bound.
fn real_network(stage: &Stage, private: &[&str], ceiling: &[String]) {
    let environment = json!({
        "name": "test", "ceiling": ceiling, "network": { "private": private },
    });
    stage
        .lab
        .write("environments/test.yaml", &environment.to_string());
}

/// A port of this machine's, and how many bytes came over each connection to it.
fn listener() -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = vec![0; 64];
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            let length = stream.read(&mut bytes).unwrap_or(0);
            bytes.truncate(length);
            if told.send(bytes).is_err() {
                return;
            }
        }
    });
    (port, heard)
}

#[test]
fn inward_addresses_are_refused_though_they_are_granted() {
    let stage = Stage::new();
    let (port, heard) = listener();
    let literals = [
        ("127.0.0.1", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("192.168.1.1", "a private address"),
        ("100.64.0.1", "a carrier's private address"),
        ("169.254.1.1", "a link-local address"),
        ("169.254.169.254", "a cloud's metadata service"),
        ("0.0.0.0", "an unspecified address"),
        ("224.0.0.1", "a multicast address"),
        ("[::1]", "a loopback address"),
        ("[::]", "the unspecified address"),
        ("[fe80::1]", "a link-local address"),
        ("[fd00:ec2::254]", "a cloud's metadata service"),
        ("[::ffff:7f00:1]", "a v4 address in v6 form"),
        ("[64:ff9b::7f00:1]", "a NAT64 address"),
        ("[2002:7f00:1::]", "a 6to4 address"),
    ];
    let urls = literals.map(|(host, why)| (format!("http://{host}:{port}/x"), why));
    let attempts: Vec<Attempt> = urls.iter().map(|(url, why)| to(url, why)).collect();
    let allow: Vec<String> = urls.iter().map(|(url, _)| format!("GET {url}")).collect();
    let name = format!("GET http://localhost:{port}/x");
    let ceiling: Vec<String> = allow.iter().cloned().chain([name.clone()]).collect();
    real_network(&stage, &[], &ceiling);
    let allow: Vec<&str> = allow.iter().map(String::as_str).collect();
    for by in Interface::ALL {
        stage.run(&steps(by, &attempts, &allow)).ok();
        each_was_refused(&stage, by, &attempts);

        // A name is found out when it is looked up, and nothing was sent then either.
        let by_name = to(&format!("http://localhost:{port}/x"), "");
        stage.run(&steps(by, &[by_name], &[&name])).ok();
        let message = stage.told(by, "s0");
        assert!(
            message.contains("`localhost` has an address that may not be reached"),
            "{message}"
        );
        assert!(stage.event("request_read")["outcome"]["not_sent"].is_object());
    }
    assert!(heard.try_recv().is_err());
}

#[test]
fn proxy_variables_change_nothing() {
    Interface::ALL
        .into_iter()
        .for_each(proxy_variables_change_nothing_for);
}

fn proxy_variables_change_nothing_for(by: Interface) {
    let stage = Stage::new();
    let (proxy, proxied) = listener();
    let (port, heard) = listener();
    let urls = [
        format!("http://127.0.0.1:{port}/x"),
        format!("https://localhost:{port}/x"),
    ];
    let allow = urls.each_ref().map(|url| format!("GET {url}"));
    real_network(&stage, &["127.0.0.1", "::1"], &allow);
    let sends = urls.map(
        |url| json!({ "do": "send", "by": by.name(), "url": url, "timeout_milliseconds": 8000 }),
    );
    let step =
        json!([{ "id": "a", "uses": "puppet", "allow": allow, "with": { "actions": sends } }]);
    stage.job(&format!("steps: {step}\n"));
    let mut run = stage.lab.command(&["run", "job", "--env", "test", "--yes"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        let proxy = format!("http://127.0.0.1:{proxy}");
        run.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    let output = run.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // The service itself was connected to: once in clear, once with a TLS greeting.
    let first = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(first.starts_with(b"GET /x HTTP/1.1\r\n"), "{first:?}");
    let second = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(second.first(), Some(&0x16), "{second:?}");
    assert!(proxied.try_recv().is_err());
}

#[test]
fn a_redirect_passes_the_gate_anew_and_takes_no_credential_along() {
    Interface::ALL
        .into_iter()
        .for_each(a_redirect_passes_the_gate_anew);
}

fn a_redirect_passes_the_gate_anew(by: Interface) {
    let stage = Stage::new();
    let path = stage.lab.path("environments/test.yaml");
    let environment = std::fs::read_to_string(&path).unwrap();
    let origins = "origins: [https://redirect.simcloud.test]";
    let environment = environment.replace("origins: [https://echo.simcloud.test]", origins);
    std::fs::write(&path, environment).unwrap();
    stage
        .run(
            &r#"steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    allow: [GET https://redirect.simcloud.test/, GET https://echo.simcloud.test/x]
    with:
      actions:
        - { do: send, slot: api, url: "https://redirect.simcloud.test/?to=https://echo.simcloud.test/x&status=307" }
        - { do: send, slot: api, url: "https://echo.simcloud.test/x" }
        - { do: send, url: "https://echo.simcloud.test/x" }
        - { do: send, url: "https://echo.simcloud.test/y" }
"#
            .replace("do: send", &format!("do: send, by: {}", by.name())),
        )
        .ok();
    let results = stage.output("a", "results");
    assert_eq!(results[0]["status"], 307);
    assert_eq!(results[1]["error"], "denied");
    let message = match by {
        Interface::Step => results[1]["message"].to_string(),
        Interface::Wasi => stage.told(by, "a"),
    };
    assert!(
        message.contains("GET https://echo.simcloud.test/x"),
        "{message}"
    );
    assert!(
        message.contains("only for `https://redirect.simcloud.test`"),
        "{message}"
    );
    assert_eq!(results[2]["status"], 200);
    assert_eq!(results[3]["error"], "denied");
    let requests = stage.cloud.requests();
    let sent: Vec<_> = requests
        .iter()
        .map(|request| {
            let path = request.path.split('?').next().unwrap();
            (path, request.header("authorization"))
        })
        .collect();
    let bearer = format!("Bearer {SECRET}");
    assert_eq!(sent, [("/", Some(bearer.as_str())), ("/x", None)]);
}

#[test]
fn inputs_are_bounded() {
    let stage = Stage::new();
    stage.job(
        "inputs: { list: { type: list, default: [] }, text: { type: string, default: x } }\nsteps: [{ id: a, uses: noop }]\n",
    );
    let deep = "[".repeat(10_000);
    let long = stage.lab.path("long");
    std::fs::write(&long, "x".repeat((8 << 20) + 1)).unwrap();
    let bomb = stage.lab.path("bomb.yaml");
    let many = vec!["*a"; 90_000].join(",");
    std::fs::write(
        &bomb,
        format!("text: &a {}\nlist: [{many}]\n", "x".repeat(500_000)),
    )
    .unwrap();
    let nested = stage.lab.path("nested.yaml");
    std::fs::write(&nested, format!("list: {deep}")).unwrap();
    let path = |path: &std::path::Path| path.display().to_string();
    for (arguments, why) in [
        (["-i".to_owned(), format!("list={deep}")], "recursion limit"),
        (
            ["-i".to_owned(), format!("text=@{}", path(&long))],
            "longer than 8MiB",
        ),
        (["--inputs".to_owned(), path(&long)], "longer than 8MiB"),
        (
            ["--inputs".to_owned(), path(&bomb)],
            "texts come to more than 8388608 bytes",
        ),
        (["--inputs".to_owned(), path(&nested)], "nested too deep"),
    ] {
        let mut all = vec!["plan", "job", "--env", "test"];
        all.extend(arguments.iter().map(String::as_str));
        stage.lab.sandbook(&all).exits(2).says(why);
    }
}
