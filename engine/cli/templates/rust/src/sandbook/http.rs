//! Requests: `http::get(&url).credential("api")?.json()?`. Nothing is sent before `send`, `checked` or `json`.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::bindings::sandbook::step::{http, secrets};
use super::{Failure, Kind, milliseconds};

/// How much of a body a message quotes, in characters.
const QUOTED: usize = 300;

/// A request in the making.
pub struct Request {
    outgoing: http::Request,
    credential: Option<secrets::Credential>,
}

pub fn get(url: &str) -> Request {
    request("GET", url)
}

/// Not repeatable unless it says so.
pub fn post(url: &str) -> Request {
    request("POST", url)
}

pub fn put(url: &str) -> Request {
    request("PUT", url)
}

/// Not repeatable unless it says so.
pub fn patch(url: &str) -> Request {
    request("PATCH", url)
}

pub fn delete(url: &str) -> Request {
    request("DELETE", url)
}

/// A request of any method, in capitals.
pub fn request(method: &str, url: &str) -> Request {
    Request {
        outgoing: http::Request {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            repeatable: None,
            timeout: None,
        },
        credential: None,
    }
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.outgoing.headers.push(http::Header { name, value });
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.outgoing.body = Some(body.into());
        self
    }

    /// The body, as JSON. Adds its content type.
    pub fn body_json(self, body: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Failure::new(
                Kind::Failed,
                format!("the body can't be written as JSON: {error}"),
            )
        })?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// Has the engine authenticate the request with the credential that the runbook binds to a slot.
    pub fn credential(mut self, slot: &str) -> Result<Self, Failure> {
        let opened = secrets::open(slot).map_err(|_| {
            let message = format!(
                "the runbook binds no credential to the slot `{slot}`; add `credentials: {{ {slot}: NAME }}` to the step"
            );
            Failure::new(Kind::Unauthorized, message).with_code("SlotUnbound")
        })?;
        self.credential = Some(opened);
        Ok(self)
    }

    /// The same for a slot that is optional: where the runbook binds none, the request goes without.
    pub fn credential_if_bound(mut self, slot: &str) -> Self {
        self.credential = secrets::open(slot).ok();
        self
    }

    /// Whether sending this twice is as harmless as sending it once. Unsaid, all but POST and PATCH are.
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.outgoing.repeatable = Some(repeatable);
        self
    }

    /// How long to wait for the answer.
    pub fn timeout(mut self, span: Duration) -> Self {
        self.outgoing.timeout = Some(milliseconds(span));
        self
    }

    /// Sends the request; the answer, whatever its status.
    pub fn send(self) -> Result<Response, Failure> {
        let bare = self.outgoing.url.split(['?', '#']).next();
        let asked = format!("{} {}", self.outgoing.method, bare.unwrap_or_default());
        let answer = http::send(&self.outgoing, self.credential.as_ref()).map_err(unanswered)?;
        Ok(Response { asked, answer })
    }

    /// Sends the request; the answer when its status is 2xx.
    pub fn checked(self) -> Result<Response, Failure> {
        self.send()?.ok()
    }

    /// Sends the request; the JSON of the answer when its status is 2xx.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        self.checked()?.json()
    }
}

/// An answer, whole.
pub struct Response {
    /// Method and URL without its query, for messages.
    asked: String,
    answer: http::Response,
}

impl Response {
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.answer.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&found.value)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.answer.body
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The body as JSON, whatever the status.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            let (asked, status, quoted) = (&self.asked, self.status(), self.quoted());
            let message =
                format!("{asked} answered {status} with something unexpected: {error}: {quoted}");
            Failure::new(Kind::Failed, message).with_code("UnexpectedAnswer")
        })
    }

    /// The answer again when its status is 2xx.
    pub fn ok(self) -> Result<Self, Failure> {
        match self.status() {
            200..300 => Ok(self),
            _ => Err(self.failure()),
        }
    }

    /// The failure that this answer is to a step that can't go on with it.
    pub fn failure(&self) -> Failure {
        let kind = match self.status() {
            401 | 403 | 407 => Kind::Unauthorized,
            404 | 410 => Kind::NotFound,
            409 | 412 | 423 => Kind::Conflict,
            420 | 429 => Kind::RateLimited,
            408 | 504 => Kind::TimedOut,
            400..500 => Kind::InvalidInput,
            500..600 => Kind::Unavailable,
            _ => Kind::Failed,
        };
        let message = format!(
            "{} answered {}: {}",
            self.asked,
            self.status(),
            self.quoted()
        );
        let seconds = self
            .header("retry-after")
            .and_then(|after| after.parse::<u32>().ok());
        Failure {
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
            ..Failure::new(kind, message).with_code(format!("Http{}", self.status()))
        }
    }

    fn quoted(&self) -> String {
        let mut words = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = words.char_indices().nth(QUOTED) {
            words.truncate(end);
            words.push('…');
        }
        words
    }
}

fn unanswered(error: http::Error) -> Failure {
    let (kind, code, message) = match error {
        http::Error::Denied(why) => (Kind::Unauthorized, "Denied", why),
        http::Error::HeldBack => (
            Kind::Failed,
            "HeldBack",
            "held back: this is a dry run".to_owned(),
        ),
        http::Error::Unreachable(why) => (Kind::Unavailable, "Unreachable", why),
        http::Error::TimedOut(why) => (Kind::TimedOut, "TimedOut", why),
        http::Error::TooLarge(why) => (Kind::Failed, "TooLarge", why),
        http::Error::Malformed(why) => (Kind::Failed, "Malformed", why),
    };
    Failure::new(kind, message).with_code(code)
}

/// A URL of a base and further segments, each of which stays one segment.
pub fn join<S: AsRef<str>>(
    base: &str,
    segments: impl IntoIterator<Item = S>,
) -> Result<String, Failure> {
    let mut url = base.trim_end_matches('/').to_owned();
    for segment in segments {
        let segment = segment.as_ref();
        if matches!(segment, "" | "." | "..") {
            let message = format!("`{segment}` can't be a part of a URL's path");
            return Err(Failure::new(Kind::InvalidInput, message));
        }
        url.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                url.push(char::from(byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    Ok(url)
}
