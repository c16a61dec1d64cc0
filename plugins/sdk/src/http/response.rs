use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::retry_after;
use crate::{Failure, Kind, host};

/// How much of a body a message quotes, in characters.
const QUOTED: usize = 300;

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Method and URL without its query, for messages.
    asked: String,
    answer: host::Incoming,
}

impl Response {
    pub(super) fn new(asked: String, answer: host::Incoming) -> Self {
        Response { asked, answer }
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers, in the order received.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.answer.body
    }

    /// The body as text; what isn't UTF-8 is replaced by U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The body as JSON, whatever the status.
    ///
    /// # Errors
    ///
    /// A failure with the code `UnexpectedAnswer` when the body is no JSON, or of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            Failure::failed(format!(
                "{} answered {} with something unexpected: {error}{}",
                self.asked,
                self.status(),
                self.quoted()
            ))
            .with_code("UnexpectedAnswer")
        })
    }

    /// How long the service asks to wait, by `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        // The service's own clock where it says it, since its date is of that clock.
        let clock = self
            .header("date")
            .and_then(retry_after::date)
            .map(|seconds| seconds * 1_000);
        retry_after::parse(self.header("retry-after")?, clock.unwrap_or_else(host::now))
    }

    /// The answer again when its status is 2xx.
    ///
    /// # Errors
    ///
    /// [`Response::failure`] otherwise.
    pub fn ok(self) -> Result<Self, Failure> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.failure())
        }
    }

    /// The failure that this answer is to a step which can't go on with it: its kind by the status, the service's own
    /// code where the body names one, `Retry-After`, and the start of the body in the message.
    ///
    /// | status | kind |
    /// | --- | --- |
    /// | 401, 403, 407 | unauthorized |
    /// | 404, 410 | not-found |
    /// | 409, 412, 423 | conflict |
    /// | 420, 429 | rate-limited |
    /// | 408, 504 | timed-out |
    /// | other 4xx | invalid-input |
    /// | other 5xx | unavailable |
    /// | the rest | failed |
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
        let target = match self.header("location") {
            Some(location) if (300..400).contains(&self.status()) => format!(" (to {location})"),
            _ => String::new(),
        };
        Failure::new(
            kind,
            format!(
                "{} answered {}{target}{}",
                self.asked,
                self.status(),
                self.quoted()
            ),
        )
        .with_code(
            self.code()
                .unwrap_or_else(|| format!("Http{}", self.status())),
        )
        .with_retry_after(self.retry_after())
    }

    /// The service's own name for what went wrong, where the body has one at a usual place.
    pub fn code(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(self.bytes()).ok()?;
        ["/error/code", "/errors/0/code", "/code"]
            .iter()
            .find_map(|place| match body.pointer(place)? {
                Value::String(code) if !code.is_empty() => Some(code.clone()),
                Value::Number(code) => Some(code.to_string()),
                _ => None,
            })
    }

    /// The start of the body, to put behind a message.
    fn quoted(&self) -> String {
        let text = self.text();
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            return String::new();
        }
        if let Some((end, _)) = words.char_indices().nth(QUOTED) {
            words.truncate(end);
            words.push('…');
        }
        format!(": {words}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = host::Incoming {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        };
        Response::new("GET https://a.example/x".to_owned(), answer)
    }

    #[test]
    fn a_2xx_is_passed_on() {
        assert_eq!(answered(204, &[], "").ok().unwrap().status(), 204);
    }

    #[test]
    fn a_status_decides_the_kind() {
        for (status, kind) in [
            (302, Kind::Failed),
            (400, Kind::InvalidInput),
            (401, Kind::Unauthorized),
            (403, Kind::Unauthorized),
            (404, Kind::NotFound),
            (409, Kind::Conflict),
            (412, Kind::Conflict),
            (420, Kind::RateLimited),
            (422, Kind::InvalidInput),
            (429, Kind::RateLimited),
            (500, Kind::Unavailable),
            (503, Kind::Unavailable),
            (504, Kind::TimedOut),
        ] {
            assert_eq!(
                answered(status, &[], "").ok().unwrap_err().kind,
                kind,
                "{status}"
            );
        }
    }

    #[test]
    fn a_failure_carries_what_the_service_said() {
        let body = r#"{"error": {"code": "Busy", "message": "wait"}}"#;
        let failure = answered(409, &[("Retry-After", "7")], body).failure();
        assert_eq!(failure.code.as_deref(), Some("Busy"));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        assert_eq!(
            failure.message,
            format!("GET https://a.example/x answered 409: {body}")
        );
    }

    #[test]
    fn a_body_is_quoted_by_its_start_and_on_one_line() {
        let failure = answered(500, &[], &format!("<html>\n  {}", "é".repeat(400))).failure();
        assert!(
            failure
                .message
                .starts_with("GET https://a.example/x answered 500: <html> éé")
        );
        assert!(failure.message.ends_with("é…"));
        assert_eq!(failure.code.as_deref(), Some("Http500"));
    }

    #[test]
    fn a_redirect_says_where_to() {
        let failure = answered(301, &[("location", "https://b.example/")], "").failure();
        assert_eq!(
            failure.message,
            "GET https://a.example/x answered 301 (to https://b.example/)"
        );
    }

    #[test]
    fn a_date_is_read_by_the_services_own_clock() {
        let headers = [
            ("Date", "Sun, 06 Nov 1994 08:49:30 GMT"),
            ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        assert_eq!(
            answered(503, &headers, "").retry_after(),
            Some(Duration::from_secs(7))
        );
    }

    #[test]
    fn json_of_another_shape_is_an_unexpected_answer() {
        let failure = answered(200, &[], "[1]").json::<String>().unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("UnexpectedAnswer"));
    }
}
