//! Tests of a plugin without an engine: the test answers the requests itself, and no time passes but what the step
//! waits.
//!
//! ```
//! use sandbook_step::{prelude::*, testing::{Answer, Stage}};
//!
//! fn run(_: &Context, url: String) -> Result<Done<u16>, Failure> {
//!     Ok(Done::unchanged(http::get(&url).send()?.status()))
//! }
//!
//! let shown = Stage::new(|asked| {
//!     assert_eq!(asked.line(), "GET https://example.com/");
//!     Ok(Answer::status(204))
//! })
//! .perform(|context| run(context, "https://example.com/".to_owned()));
//! assert_eq!(shown.ended.unwrap().data, 204);
//! ```

use std::{cell::RefCell, rc::Rc, time::Duration};

use serde_json::Value;

use crate::{
    Context,
    host::{self, Incoming, Outgoing},
    http::Error,
    log::Level,
};

/// When a stage's time begins: 2026-01-01T00:00:00Z.
pub const START: u64 = 1_767_225_600_000;

type Service = Box<dyn FnMut(&Asked) -> Result<Answer, Error>>;

/// What stands in the engine's place.
pub struct Stage {
    service: Service,
    slots: Vec<String>,
    context: Context,
}

/// A request that the step sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body as text; empty where there is none.
    pub body: String,
    /// The slot of its credential.
    pub slot: Option<String>,
    /// What the request itself says about being sent twice.
    pub repeatable: Option<bool>,
}

/// What the test's service answers.
#[derive(Debug, Clone)]
pub struct Answer(Incoming);

/// How a step ended, and what it did until then.
#[derive(Debug)]
pub struct Shown<T> {
    /// What the step came to.
    pub ended: T,
    /// Its requests, in order.
    pub asked: Vec<Asked>,
    /// Its log lines, in order.
    pub lines: Vec<(Level, String)>,
    /// How long it waited, all in all.
    pub waited: Duration,
}

/// A context of a first attempt with ten minutes to go.
pub fn context() -> Context {
    Context {
        run: "run1".to_owned(),
        step: "step".to_owned(),
        attempt: 1,
        idempotency_key: "run1/step".to_owned(),
        started_at: START,
        deadline: START + 600_000,
        dry_run: false,
    }
}

impl Stage {
    /// A stage whose requests `service` answers. No slot is bound.
    pub fn new(service: impl FnMut(&Asked) -> Result<Answer, Error> + 'static) -> Self {
        Stage {
            service: Box::new(service),
            slots: Vec::new(),
            context: context(),
        }
    }

    /// Binds a credential to a slot.
    pub fn slot(mut self, slot: &str) -> Self {
        self.slots.push(slot.to_owned());
        self
    }

    /// Changes the context that the step is given.
    pub fn context(mut self, change: impl FnOnce(&mut Context)) -> Self {
        change(&mut self.context);
        self
    }

    /// Performs the step. In a dry run, requests that could change something are held back, as the engine does.
    pub fn perform<T>(self, step: impl FnOnce(&Context) -> T) -> Shown<T> {
        let Stage {
            mut service,
            slots,
            context,
        } = self;
        let asked = Rc::new(RefCell::new(Vec::new()));
        let (heard, dry_run) = (Rc::clone(&asked), context.dry_run);
        host::set(host::Stage {
            service: Some(Box::new(move |request, slot| {
                let request = Asked::new(request, slot);
                heard.borrow_mut().push(request.clone());
                if dry_run && !crate::http::is_reading(&request.method) {
                    return Err(Error::HeldBack);
                }
                service(&request).map(|Answer(incoming)| incoming)
            })),
            slots: slots.into_iter().collect(),
            now: START,
            lines: Vec::new(),
        });
        let ended = step(&context);
        let stage = host::take().expect("a stage that was set stays until it is taken");
        let waited = Duration::from_millis(stage.now - START);
        Shown {
            ended,
            asked: asked.take(),
            lines: stage.lines,
            waited,
        }
    }
}

impl Asked {
    fn new(request: &Outgoing, slot: Option<&str>) -> Self {
        Asked {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned(),
            slot: slot.map(str::to_owned),
            repeatable: request.repeatable,
        }
    }

    /// Method and URL: `GET https://example.com/`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.url)
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Answer(Incoming {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    /// An answer with a JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Answer::text(status, body.to_string())
    }

    /// An answer with a body of text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Answer(Incoming {
            status,
            headers: Vec::new(),
            body: body.into().into_bytes(),
        })
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}
