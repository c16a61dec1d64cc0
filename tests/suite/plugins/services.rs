//! Services that answer as a test says, on loopback; an environment reroutes their origins there.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Map, Value, json};

/// A request, as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Method, host and path with its query: `GET www.example.com/page?a=b`.
    pub(super) line: String,
    pub(super) authorization: Option<String>,
    /// The body, if it is JSON.
    pub(super) body: Value,
}

/// An answer.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn bytes(status: u16, body: &[u8]) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub(super) fn text(status: u16, body: &str) -> Answer {
        Answer::bytes(status, body.as_bytes())
    }

    pub(super) fn json(body: &Value) -> Answer {
        Answer::text(200, &body.to_string())
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Answer {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// The services, until they are dropped.
pub(super) struct Services {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Services {
    pub(super) fn start(mut answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> Services {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let is_over = Arc::new(AtomicBool::new(false));
        let (all, over) = (Arc::clone(&asked), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Acquire) {
                    return;
                }
                let mut stream = stream.unwrap();
                let Some(asked) = read(&mut stream) else {
                    continue;
                };
                let answer = answer(&asked);
                all.lock().unwrap().push(asked);
                let _ = stream.write_all(&written(&answer));
            }
        });
        Services {
            address,
            asked,
            is_over,
            thread: Some(thread),
        }
    }

    /// Where they are: `http://127.0.0.1:PORT`.
    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// An environment of this name that reroutes the origins here and allows everything there, with a bearer token for each
    /// of the credentials: its name, its origin.
    pub(super) fn environment(
        &self,
        name: &str,
        vars: &Value,
        origins: &[&str],
        tokens: &[(&str, &str)],
    ) -> String {
        let here = self.origin();
        let reroute: Map<String, Value> = origins
            .iter()
            .map(|origin| ((*origin).to_owned(), json!(here)))
            .collect();
        let credentials: Map<String, Value> = tokens
            .iter()
            .map(|(name, origin)| {
                let secret = format!("the-token-of-{name}");
                let token = json!({ "kind": "bearer", "secret": { "literal": secret }, "origins": [origin] });
                ((*name).to_owned(), token)
            })
            .collect();
        let ceiling: Vec<String> = origins
            .iter()
            .map(|origin| format!("* {origin}/**"))
            .collect();
        // JSON is YAML.
        json!({
            "name": name, "vars": vars, "credentials": credentials, "ceiling": ceiling, "network": { "reroute": reroute },
        })
        .to_string()
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request, whole; none where the connection ends before.
fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let field = |name: &str| {
                head.lines()
                    .filter_map(|line| line.split_once(": "))
                    .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value))
            };
            let length = field("content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                let (method, rest) = head.split_once(' ')?;
                let (path, _) = rest.split_once(' ')?;
                return Some(Asked {
                    line: format!("{method} {}{path}", field("host")?),
                    authorization: field("authorization").map(str::to_owned),
                    body: serde_json::from_str(body).unwrap_or_default(),
                });
            }
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

fn written(answer: &Answer) -> Vec<u8> {
    let fields: String = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "HTTP/1.1 {} OK\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    [head.as_bytes(), &answer.body].concat()
}
