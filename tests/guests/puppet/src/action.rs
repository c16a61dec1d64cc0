//! What a test can have the puppet do. In YAML: `actions: [{ do: send, url: https://a.example/ }, { do: panic }]`.

use std::collections::BTreeMap;

use sandbook_step::{Kind, log::Level};
use serde::Deserialize;
use serde_json::Value;

use crate::{misuse::Misuse, spill::Spill};

/// The puppet's input. It takes anything: what it doesn't know it leaves alone.
#[derive(Deserialize)]
pub(crate) struct Input {
    #[serde(default)]
    pub(crate) actions: Vec<Action>,
}

/// One thing to do. Those that come to something add it to the output `results`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Action {
    /// Sends a request. Result: `{status, headers, body}` or `{error, message}`.
    Send(Send),
    /// Uses `wasi:http` as no client should.
    Misuse(Misuse),
    /// Waits so many milliseconds.
    Sleep { milliseconds: u64 },
    /// Waits so many milliseconds by the language's own means.
    Doze { milliseconds: u64 },
    /// Writes a line.
    Log {
        #[serde(default = "info")]
        level: Level,
        message: String,
    },
    /// Writes as many lines as said.
    ManyLogs { count: u32, message: String },
    /// Writes to standard output, or to standard error.
    Print {
        text: String,
        #[serde(default)]
        error: bool,
    },
    /// Writes so many lines to standard output, or to standard error, and so many bytes that no line feed ends.
    Flood {
        lines: u32,
        bytes: usize,
        #[serde(default)]
        error: bool,
    },
    /// Reports progress.
    Progress {
        message: String,
        fraction: Option<f32>,
    },
    /// Computes without end.
    Loop,
    /// Computes for so many rounds. Result: a number.
    Compute { rounds: u64 },
    /// Takes so many bytes of memory, and touches them. Result: the number of bytes.
    Allocate { bytes: usize },
    /// Calls itself so many times; unsaid, without end. Result: the depth.
    Recurse { depth: Option<u64> },
    /// Panics.
    Panic { message: String },
    /// Ends the program with this status, as a command would.
    Exit { status: i32 },
    /// Crashes without a word.
    Abort,
    /// Draws a random number, and logs it, so that failed attempts can be compared. Result: it, as text.
    Random,
    /// Reads the clock. Result: milliseconds since the epoch.
    Now,
    /// Asks what the context says. Result: it.
    Context,
    /// Asks what the program can see of its host. Result: `{arguments, variables, files, connects}`.
    Surroundings,
    /// Opens a slot as often as said, and holds on to all of them. Result: how many could be opened.
    Open {
        slot: String,
        #[serde(default = "once")]
        times: u32,
    },
    /// Reads a secret's plaintext. Result: `{plaintext}` or `{error}`.
    Reveal { slot: String },
    /// Tells a secret. Result: it, where that is how it is told.
    Spill(Spill),
    /// Fails.
    Fail(Fail),
    /// Fails while this is an earlier attempt than said.
    FailUnless {
        attempt: u32,
        #[serde(flatten)]
        fail: Fail,
    },
    /// Does this in that attempt and nothing in others: a plugin that isn't the same each time.
    InAttempt { attempt: u32, then: Box<Action> },
    /// Ends with outputs of its own. Unsaid data is `{results}`.
    Return {
        data: Option<Value>,
        #[serde(default)]
        changed: bool,
        #[serde(default)]
        summary: String,
    },
    /// Ends with an output `text` of so many bytes.
    BigOutput { bytes: usize },
}

/// A request.
#[derive(Deserialize)]
pub(crate) struct Send {
    /// By which interface.
    #[serde(default)]
    pub(crate) by: Interface,
    #[serde(default = "get")]
    pub(crate) method: String,
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Text is sent as it is, anything else as JSON.
    pub(crate) body: Option<Value>,
    /// A body that is no text.
    pub(crate) body_bytes: Option<Vec<u8>>,
    pub(crate) slot: Option<String>,
    pub(crate) repeatable: Option<bool>,
    pub(crate) timeout_milliseconds: Option<u64>,
    /// Fail the step where the answer isn't 2xx or there is none.
    #[serde(default)]
    pub(crate) must: bool,
}

impl Send {
    /// A request that the step fails without.
    pub(crate) fn new(by: Interface, method: &str, url: &str) -> Send {
        Send {
            by,
            method: method.to_owned(),
            url: url.to_owned(),
            headers: BTreeMap::new(),
            body: None,
            body_bytes: None,
            slot: None,
            repeatable: None,
            timeout_milliseconds: None,
            must: true,
        }
    }
}

/// The two ways to send a request.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interface {
    /// `sandbook:step/http`.
    #[default]
    Step,
    /// `wasi:http/outgoing-handler`.
    Wasi,
}

/// A failure.
#[derive(Deserialize)]
pub(crate) struct Fail {
    #[serde(default = "failed")]
    pub(crate) kind: Kind,
    pub(crate) code: Option<String>,
    #[serde(default = "told_to")]
    pub(crate) message: String,
    pub(crate) retry_after_milliseconds: Option<u64>,
    #[serde(default)]
    pub(crate) start_over: bool,
}

fn get() -> String {
    "GET".to_owned()
}

fn info() -> Level {
    Level::Info
}

fn failed() -> Kind {
    Kind::Failed
}

fn told_to() -> String {
    "told to".to_owned()
}

fn once() -> u32 {
    1
}
