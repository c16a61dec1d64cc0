use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::{Error, Response, is_reading, url};
use crate::{
    Context, Failure,
    host::{self, Outgoing},
    log, secrets,
    secrets::Credential,
    timer,
};

/// How long to wait for a service that asks for patience and doesn't say how much.
const UNSAID: Duration = Duration::from_secs(1);

/// What is kept of an attempt's time for saying how it ended.
const MARGIN: Duration = Duration::from_secs(1);

/// A request in the making. Nothing is sent before [`send`](Request::send), [`checked`](Request::checked) or
/// [`json`](Request::json).
#[derive(Debug)]
#[must_use = "a request is sent by `send`, `checked` or `json`"]
pub struct Request {
    outgoing: Outgoing,
    credential: Option<Credential>,
    /// Until when, in milliseconds since the epoch, a service that asks for patience is given it.
    patient_until: Option<u64>,
    /// The body could not be written; said when the request is to be sent.
    fault: Option<String>,
}

/// A request of any method, in capitals.
pub fn request(method: &str, url: &str) -> Request {
    Request {
        outgoing: Outgoing {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            repeatable: None,
            timeout: None,
        },
        credential: None,
        patient_until: None,
        fault: None,
    }
}

/// A GET request.
pub fn get(url: &str) -> Request {
    request("GET", url)
}

/// A HEAD request.
pub fn head(url: &str) -> Request {
    request("HEAD", url)
}

/// A POST request. It isn't repeatable unless it says so.
pub fn post(url: &str) -> Request {
    request("POST", url)
}

/// A PUT request.
pub fn put(url: &str) -> Request {
    request("PUT", url)
}

/// A PATCH request. It isn't repeatable unless it says so.
pub fn patch(url: &str) -> Request {
    request("PATCH", url)
}

/// A DELETE request.
pub fn delete(url: &str) -> Request {
    request("DELETE", url)
}

impl Request {
    /// Adds a header. Those that belong to the connection (`host`, `content-length`, …) are the engine's: a request
    /// that carries one is refused.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.outgoing
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a pair to the query, percent-encoded.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        url::add_query(&mut self.outgoing.url, name, value);
        self
    }

    /// Has the engine authenticate the request with the credential that the runbook binds to a slot.
    ///
    /// # Errors
    ///
    /// An unauthorized failure, with the code `SlotUnbound`, when it binds none.
    pub fn credential(mut self, slot: &str) -> Result<Self, Failure> {
        self.credential = Some(Credential::open(slot).ok_or_else(|| secrets::unbound(slot))?);
        Ok(self)
    }

    /// The same for a slot that is optional: where the runbook binds none, the request goes without.
    pub fn credential_if_bound(mut self, slot: &str) -> Self {
        self.credential = Credential::open(slot);
        self
    }

    /// The body, as JSON. Adds its content type.
    pub fn body_json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.outgoing.body = Some(bytes),
            Err(error) => self.fault = Some(format!("the body can't be written as JSON: {error}")),
        }
        self.header("content-type", "application/json")
    }

    /// The body, as it is. Its content type is a header to add.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.outgoing.body = Some(body.into());
        self
    }

    /// Says whether sending this request twice is as harmless as sending it once. Unsaid, the method decides: all but
    /// POST and PATCH are.
    ///
    /// When the answer to a request that isn't repeatable is lost, the engine asks a person what became of it.
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.outgoing.repeatable = Some(repeatable);
        self
    }

    /// How long to wait for the answer. Unsaid, the engine's limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.outgoing.timeout = Some(timeout);
        self
    }

    /// Gives a service that asks for patience (420, 429, and 503 with `Retry-After`) the time that it asks for, and sends
    /// the request again, for as long as the attempt's time allows. Such an answer says that nothing was done, so this
    /// is safe for every request.
    pub fn patient(mut self, context: &Context) -> Self {
        self.patient_until = Some(context.deadline);
        self
    }

    /// Sends the request and waits for the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// There is no answer; see [`Error`].
    pub fn send(self) -> Result<Response, Error> {
        if let Some(fault) = self.fault {
            return Err(Error::Malformed(fault));
        }
        let Request {
            outgoing,
            credential,
            patient_until,
            ..
        } = self;
        let asked = format!("{} {}", outgoing.method, url::without_query(&outgoing.url));
        loop {
            let answer = host::send(&outgoing, credential.as_ref().map(|Credential(it)| it))?;
            let response = Response::new(asked.clone(), answer);
            match wait(&response, patient_until) {
                Some(wait) => {
                    log::info!(
                        "{asked} answered {}: waiting {:.1} s",
                        response.status(),
                        wait.as_secs_f32()
                    );
                    timer::sleep(wait);
                }
                None => return Ok(response),
            }
        }
    }

    /// Sends the request; the answer when its status is 2xx.
    ///
    /// # Errors
    ///
    /// There is no answer, or another one: see [`Error`] and [`Response::failure`].
    pub fn checked(self) -> Result<Response, Failure> {
        self.send()?.ok()
    }

    /// Sends the request; the JSON of the answer when its status is 2xx.
    ///
    /// # Errors
    ///
    /// As [`checked`](Request::checked), or the body is no JSON, or of another shape.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        self.checked()?.json()
    }

    /// Whether the request only reads.
    pub fn is_reading(&self) -> bool {
        is_reading(&self.outgoing.method)
    }
}

/// How long to be patient with this answer; `None` when it is the last word.
fn wait(response: &Response, until: Option<u64>) -> Option<Duration> {
    let asks = match response.status() {
        420 | 429 => response.retry_after().unwrap_or(UNSAID),
        503 => response.retry_after()?,
        _ => return None,
    };
    // A service that says 0 is given a moment all the same: asking in a tight loop is no patience.
    let asks = asks.max(Duration::from_millis(100));
    let left = Duration::from_millis(until?.saturating_sub(host::now()));
    (asks + MARGIN < left).then_some(asks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Stage};

    #[test]
    fn a_request_is_sent_as_it_was_made() {
        let shown = Stage::new(|_| Ok(Answer::status(200)))
            .slot("api")
            .perform(|_| {
                post("https://a.example/x")
                    .query("dry", "no")
                    .header("accept", "text/plain")
                    .credential("api")?
                    .body_json(&serde_json::json!({"a": 1}))
                    .repeatable(true)
                    .checked()
            });
        shown.ended.unwrap();
        let asked = &shown.asked[0];
        assert_eq!(asked.line(), "POST https://a.example/x?dry=no");
        assert_eq!(asked.body, r#"{"a":1}"#);
        assert_eq!(
            asked.headers[1],
            ("content-type".to_owned(), "application/json".to_owned())
        );
        assert_eq!(
            (asked.slot.as_deref(), asked.repeatable),
            (Some("api"), Some(true))
        );
    }

    #[test]
    fn an_unbound_slot_is_a_failure_unless_it_is_optional() {
        let shown = Stage::new(|_| Ok(Answer::status(200))).perform(|_| {
            assert_eq!(
                get("https://a.example/")
                    .credential_if_bound("api")
                    .send()
                    .unwrap()
                    .status(),
                200
            );
            get("https://a.example/").credential("api").map(|_| ())
        });
        assert_eq!(
            shown.ended.unwrap_err().code.as_deref(),
            Some("SlotUnbound")
        );
        assert_eq!(shown.asked.len(), 1);
    }

    #[test]
    fn patience_waits_as_long_as_it_is_asked_to() {
        let mut answers = vec![
            Answer::status(200),
            Answer::status(503).header("retry-after", "3"),
            Answer::status(420),
            Answer::status(429).header("retry-after", "5"),
        ];
        let shown = Stage::new(move |_| Ok(answers.pop().unwrap()))
            .perform(|context| get("https://a.example/").patient(context).send());
        assert_eq!(shown.ended.unwrap().status(), 200);
        assert_eq!(shown.waited, Duration::from_secs(9));
    }

    #[test]
    fn patience_ends_before_the_attempt_does() {
        let shown = Stage::new(|_| Ok(Answer::status(429).header("retry-after", "60")))
            .context(|context| context.deadline = context.started_at + 150_000)
            .perform(|context| get("https://a.example/").patient(context).send());
        assert_eq!(shown.ended.unwrap().status(), 429);
        assert_eq!(
            (shown.asked.len(), shown.waited),
            (3, Duration::from_secs(120))
        );
    }

    #[test]
    fn without_patience_every_answer_is_the_last_word() {
        let shown =
            Stage::new(|_| Ok(Answer::status(429))).perform(|_| get("https://a.example/").send());
        assert_eq!(shown.ended.unwrap().status(), 429);
    }

    #[test]
    fn what_is_held_back_becomes_a_failure_by_question_mark() {
        let shown = Stage::new(|_| Ok(Answer::status(200)))
            .context(|context| context.dry_run = true)
            .perform(|_| post("https://a.example/").checked());
        assert_eq!(shown.ended.unwrap_err().code.as_deref(), Some("HeldBack"));
    }
}
