//! What goes over the wire: a request, and what comes back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::request::{self, Matching};
use super::wire::refuse_both;
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::names::Slot;
use crate::path::Path;

/// A request that is expected, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// What is asked for.
    pub request: Matching,
    /// What comes back.
    pub ending: Ending,
    /// How long that takes, by the plugin's clock; no time by default.
    pub took: Duration,
    /// The engine dies after it, and the run is resumed.
    pub crash: bool,
}

/// What comes back for a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// An answer.
    Answer(AnswerGiven),
    /// None.
    Error(NoAnswer),
    /// The engine dies before anything comes back.
    Silence,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerGiven {
    /// The status; 200 by default.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body: a text as it is, anything else as JSON.
    pub body: Option<Value>,
}

/// How a request goes unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswer {
    /// It was not sent: no connection could be made.
    Unreachable,
    /// It was sent, and no answer came in time.
    TimedOut,
    /// It was sent, and the connection broke.
    Lost,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireExchange {
    request: Option<String>,
    credential: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    body_includes: Option<Value>,
    answer: Option<WireAnswer>,
    error: Option<NoAnswer>,
    took: Option<String>,
    crash: bool,
}

/// A status, or an answer with its headers and body.
#[derive(Debug)]
struct WireAnswer(AnswerGiven);

impl<'de> Deserialize<'de> for WireAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireAnswer, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Whole {
            status: Option<u16>,
            headers: BTreeMap<String, String>,
            body: Option<Value>,
        }
        let value = Value::deserialize(deserializer)?;
        let whole = if value.is_number() {
            Whole {
                status: Some(u16::deserialize(value).map_err(D::Error::custom)?),
                ..Whole::default()
            }
        } else {
            Whole::deserialize(value).map_err(D::Error::custom)?
        };
        let status = whole.status.unwrap_or(200);
        if !(200..=599).contains(&status) {
            return Err(D::Error::custom("no such status"));
        }
        Ok(WireAnswer(AnswerGiven {
            status,
            headers: whole.headers.into_iter().collect(),
            body: whole.body,
        }))
    }
}

impl WireExchange {
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Exchange> {
        refuse_both(
            ("body", self.body.is_some()),
            ("body_includes", self.body_includes.is_some()),
            place,
            reader,
        );
        refuse_both(
            ("answer", self.answer.is_some()),
            ("error", self.error.is_some()),
            place,
            reader,
        );
        let request = self
            .request
            .and_then(|text| request::read(&text, &place.key("request"), reader));
        let credential = match self.credential {
            None => Some(None),
            Some(slot) => reader
                .parsed::<Slot>(&slot, &place.key("credential"))
                .map(Some),
        };
        let took = match self.took {
            None => Some(Duration::ZERO),
            Some(text) => reader.duration(&text, &place.key("took")),
        };
        let ending = match (self.answer, self.error) {
            (Some(WireAnswer(answer)), _) => {
                let place = place.key("answer").key("headers");
                refuse_odd_fields(&answer.headers, &place, reader);
                Ending::Answer(answer)
            }
            (None, Some(error)) => Ending::Error(error),
            (None, None) if self.crash => Ending::Silence,
            (None, None) => {
                let fault = Fault::error(place.clone(), "nothing says how this ends").on_key();
                reader.fault(fault.help(
                    "give an `answer`, such as `answer: 204`, or an `error`: unreachable, timed_out or lost",
                ));
                return None;
            }
        };
        Some(Exchange {
            request: Matching {
                request: request?,
                credential: credential?,
                headers: self.headers.into_iter().collect(),
                body: self.body,
                body_includes: self.body_includes,
            },
            ending,
            took: took?,
            crash: self.crash,
        })
    }
}

/// Refuses header fields that HTTP can't carry: an answer would come without them.
fn refuse_odd_fields(fields: &[(String, String)], place: &Path, reader: &mut Reader) {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    for (name, value) in fields {
        let place = place.key(name);
        if name.is_empty() || !name.bytes().all(token) {
            let message = format!("`{}` is not the name of a header", name.escape_debug());
            let fault = Fault::error(place, message).on_key();
            reader.fault(fault.help("write it as it goes over the wire, such as `retry-after`"));
        } else if !value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        {
            let fault = Fault::error(
                place,
                "this holds a character that a header field can't carry",
            );
            reader.fault(fault.help("write it in ASCII, on one line"));
        }
    }
}
