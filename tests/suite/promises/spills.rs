//! A plugin that has got hold of a secret, and tells it in every way there is: none of it arrives anywhere.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::secrets::absent;
use super::stage::{Interface, SECRET, Stage};
use crate::support::Said;

/// By each of which the secret would be known: as it is, in base64 at three alignments, percent-encoded.
const TELLTALES: [&str; 6] = [
    "tr0ub4dor",
    "three=words",
    "three%3Dwords",
    "dHIwdWI0ZG9y",
    "RyMHViNGRvcithbm",
    "0cjB1YjRkb3IrYW5k",
];

const WAYS: [&str; 9] = [
    "log", "stdout", "stderr", "progress", "result", "return", "fail", "panic", "send",
];

/// A service that says back what it was sent: as it is, in base64, percent-encoded, and in a header field.
struct Reflector {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reflector {
    fn start() -> Reflector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let (all, over) = (Arc::clone(&seen), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                let _ = stream.write_all(reflection(&request).as_bytes());
                all.lock().unwrap().push(request);
            }
        });
        Reflector {
            address,
            seen,
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request, whole.
fn read(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut piece).unwrap() {
            0 => return text,
            read => request.extend_from_slice(&piece[..read]),
        }
    }
}

fn reflection(request: &str) -> String {
    let header = request
        .lines()
        .find_map(|line| line.strip_prefix("authorization: "))
        .unwrap_or_default();
    let forms = match header {
        "" => String::new(),
        _ => [
            "dHIwdWI0ZG9yK2FuZC90aHJlZT13b3Jkcw==",
            "eHRyMHViNGRvcithbmQvdGhyZWU9d29yZHM=",
            "eHl0cjB1YjRkb3IrYW5kL3RocmVlPXdvcmRz",
            "tr0ub4dor%2Band%2Fthree%3Dwords",
            "tr0ub4dor+and\\/three=words",
        ]
        .join(" "),
    };
    let body = format!("reflected {header} {forms} in {request}");
    format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\nx-reflected: {header}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An environment in which `echo` is the reflector.
fn stage(reflector: &Reflector) -> Stage {
    let stage = Stage::new();
    stage.lab.write(
        "environments/test.yaml",
        &format!(
            "name: test
credentials:
  api: {{ kind: bearer, secret: {{ literal: {SECRET} }}, origins: [https://echo.simcloud.test] }}
  query: {{ kind: query, parameter: key, secret: {{ literal: {SECRET} }}, origins: [https://echo.simcloud.test] }}
ceiling: [\"* https://echo.simcloud.test/**\"]
network: {{ reroute: {{ https://echo.simcloud.test: \"http://{}\" }} }}
",
            reflector.address
        ),
    );
    stage
}

/// A step for each way, which tells what `from` comes to, and sends what it sends by this interface.
fn steps(by: Interface, from: &str, more: &str) -> String {
    let by = by.name();
    let step = |way: &str| {
        format!(
            "  - id: {way}
    uses: puppet
    credentials: {{ api: api }}
    allow: [\"* https://echo.simcloud.test/**\"]
    on_failure: continue
    {more}
    with: {{ actions: [{{ do: spill, by: {by}, slot: api, to: {way}, url: \"https://echo.simcloud.test/spilt\"{from} }}] }}
"
        )
    };
    format!("steps:\n{}", WAYS.map(step).concat())
}

/// All that anybody can ask of the run.
fn all_that_is_said(stage: &Stage) -> Vec<(String, Said)> {
    [
        &["show", "@last"][..],
        &["show", "@last", "--markdown"],
        &["log", "@last"],
        &["log", "@last", "-o", "json"],
        &["audit", "export"],
        &["audit", "export", "--with-contents"],
    ]
    .into_iter()
    .map(|arguments| (arguments.join(" "), stage.lab.sandbook(arguments)))
    .collect()
}

#[track_caller]
fn nothing_is_told(stage: &Stage, run: Said) {
    let mut all = all_that_is_said(stage);
    all.push(("run".to_owned(), run));
    for telltale in TELLTALES {
        for (what, said) in &all {
            assert!(
                !said.out.contains(telltale) && !said.err.contains(telltale),
                "`{telltale}` is said by `{what}`:\n{}\n{}",
                said.out,
                said.err
            );
        }
        absent(stage, telltale);
    }
}

#[test]
fn what_a_service_reflects_is_told_nowhere() {
    Interface::ALL
        .into_iter()
        .for_each(what_a_service_reflects_to);
}

fn what_a_service_reflects_to(by: Interface) {
    let reflector = Reflector::start();
    let stage = stage(&reflector);
    let from = ", from: \"https://echo.simcloud.test/reflect\"";
    let run = stage.run(&steps(by, from, ""));
    let run = run.ok().says("spilt");
    let failed = stage.lab.events_of("step_failed");
    let crash = failed.iter().find(|event| event["step"] == "panic");
    let crash = crash.unwrap()["failure"]["message"].to_string();
    assert!(crash.contains("crashed"), "{crash}");
    let log = stage.lab.sandbook(&["log", "@last"]).ok();
    let log = log.says("spilt").says("[secret api]");
    assert!(log.out.contains("panicked"), "{}", log.out);
    nothing_is_told(&stage, run);
    // It was there to be told.
    let seen = reflector.seen.lock().unwrap().join("\n");
    assert!(seen.contains(SECRET), "{seen}");
    // What the plugin could tell of it, it was told without it.
    let spilt = seen.split("POST /spilt").nth(1).unwrap();
    assert!(spilt.contains("[secret api]"), "{spilt}");
    assert!(TELLTALES.iter().all(|telltale| !spilt.contains(telltale)));
}

#[test]
fn what_was_revealed_is_told_nowhere() {
    Interface::ALL
        .into_iter()
        .for_each(what_was_revealed_and_is_sent_by);
}

fn what_was_revealed_and_is_sent_by(by: Interface) {
    let reflector = Reflector::start();
    let stage = stage(&reflector);
    let run = stage.run(&steps(by, "", "reveal: [api]"));
    let run = run.ok().says("spilt");
    let log = stage.lab.sandbook(&["log", "@last"]).ok();
    let log = log.says("spilt [secret api]");
    assert!(log.out.contains("panicked"), "{}", log.out);
    nothing_is_told(&stage, run);
    // It knew it, and sent it where it may send things.
    let seen = reflector.seen.lock().unwrap().join("\n");
    assert!(seen.contains(SECRET), "{seen}");
    stage
        .lab
        .sandbook(&["plan", "job", "--env", "test"])
        .ok()
        .says("the plain text of the secret in `api`");
    stage
        .lab
        .sandbook(&["plugin", "inspect", "puppet"])
        .ok()
        .says("see the plain text of a secret, where its step is granted `reveal`");
}

#[test]
fn a_secret_in_a_url_is_sent_and_told_nowhere() {
    Interface::ALL
        .into_iter()
        .for_each(a_secret_in_a_url_that_is_sent_by);
}

fn a_secret_in_a_url_that_is_sent_by(by: Interface) {
    let reflector = Reflector::start();
    let stage = stage(&reflector);
    let run = stage.run(
        &r#"steps:
  - id: a
    uses: puppet
    credentials: { api: query }
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, url: "https://echo.simcloud.test/a?b=c", slot: api }
        - { do: send, method: POST, url: "https://echo.simcloud.test/a", slot: api, body: text }
        - { do: send, url: "https://echo.simcloud.test/a?key=mine", slot: api }
"#
        .replace("do: send", &format!("do: send, by: {}", by.name())),
    );
    let run = run.ok();
    let results = stage.output("a", "results");
    assert_eq!(results[2]["error"], "denied");
    let seen = reflector.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    for (request, line) in seen.iter().zip([
        "GET /a?b=c&key=tr0ub4dor%2Band%2Fthree%3Dwords HTTP/1.1",
        "POST /a?key=tr0ub4dor%2Band%2Fthree%3Dwords HTTP/1.1",
    ]) {
        assert_eq!(request.lines().next(), Some(line));
    }
    assert!(results.to_string().contains("key=[secret query]"));
    nothing_is_told(&stage, run);
}
