use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::Value;

/// What a service answers, and whether the request changed anything in the world.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Of two with one name, the later holds.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) changed: bool,
    pub(crate) delay: Duration,
    pub(crate) manner: Manner,
}

/// How an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    /// Without saying beforehand how long it is.
    Chunked,
    /// Half the body, then a pause, then the rest.
    Paused(Duration),
    /// Half the body, then the connection is closed.
    Cut,
    /// Not at all: the connection is closed.
    Dropped,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Answer {
        Answer {
            status: StatusCode::from_u16(status)
                .expect("invariant: a status lies within 100 and 999"),
            headers: Vec::new(),
            body: Bytes::new(),
            changed: false,
            delay: Duration::ZERO,
            manner: Manner::Whole,
        }
    }

    /// The connection is closed without an answer.
    pub(crate) fn dropped() -> Answer {
        Answer::empty(444).in_manner(Manner::Dropped)
    }

    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer::empty(status).with_body("application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer::empty(status).with_body("text/plain; charset=utf-8", body.into())
    }

    pub(crate) fn html(status: u16, body: String) -> Answer {
        Answer::empty(status).with_body("text/html; charset=utf-8", body)
    }

    pub(crate) fn with_body(mut self, kind: &'static str, body: impl Into<Bytes>) -> Answer {
        self.body = body.into();
        self.headers
            .push((CONTENT_TYPE, HeaderValue::from_static(kind)));
        self
    }

    /// Adds a header; one that can't be sent is left out.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Answer {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn with_retry_after(mut self, seconds: u32) -> Answer {
        self.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    pub(crate) fn having_changed(mut self, changed: bool) -> Answer {
        self.changed = changed;
        self
    }

    pub(crate) fn in_manner(mut self, manner: Manner) -> Answer {
        self.manner = manner;
        self
    }

    pub(crate) fn after(mut self, delay: Duration) -> Answer {
        self.delay = delay;
        self
    }
}
