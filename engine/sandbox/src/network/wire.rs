//! What stands in for the network where a plugin is tested: it is asked instead, and no socket is opened.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Dispatch, Exchanged, Failure};

/// Answers requests in the place of the network.
pub trait Wire: Send + Sync {
    /// Takes a request and says what comes back. The request has passed the gate: it is what would be sent.
    fn exchange(&self, sent: Sent) -> Exchanging<'_>;

    /// The exchange's outcome is on record, and the plugin hasn't seen it yet. What is waited for here keeps it from the
    /// plugin.
    fn recorded(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// An exchange under way.
pub type Exchanging<'a> = Pin<Box<dyn Future<Output = Came> + Send + 'a>>;

/// A request as it goes out, with its credential.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The method, in capitals.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The header fields; names in lower case, bytes that aren't UTF-8 replaced by U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body; absent is not the same as empty.
    pub body: Option<Bytes>,
    /// How long its answer is waited for.
    pub timeout: Duration,
    /// How long the plugin waits for it, where the request goes on without it.
    pub patience: Option<Duration>,
}

/// What comes back.
#[derive(Debug, Clone)]
pub enum Came {
    /// Nothing was sent: there is no connection. Says why.
    NotSent(String),
    /// It was sent, and the connection broke. Says how.
    Broke(String),
    /// It was sent, and no answer came in time. Says so.
    Late(String),
    /// This, but only after [`Sent::patience`] was over: it goes on record, and the plugin was told before that its time
    /// was up.
    TooLate(Box<Came>),
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The header fields. One that HTTP has no way to send is left out.
        headers: Vec<(String, String)>,
        /// The body.
        body: Bytes,
    },
}

/// Has the wire answer what would be sent.
pub(super) async fn exchange(wire: &dyn Wire, dispatch: Dispatch<'_>) -> Exchanged {
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    };
    let most = dispatch.response_bytes;
    let sent = Sent {
        method: dispatch.method.to_string(),
        url: dispatch.route.target.to_string(),
        headers: dispatch.headers.iter().map(field).collect(),
        body: dispatch.body,
        timeout: dispatch.timeout,
        patience: dispatch.patience.map(|patience| patience.most),
    };
    let came = wire.exchange(sent).await;
    if let (Came::TooLate(_), Some(patience)) = (&came, dispatch.patience) {
        patience.end();
    }
    exchanged(came, most)
}

fn exchanged(came: Came, most: usize) -> Exchanged {
    match came {
        Came::TooLate(came) => exchanged(*came, most),
        Came::NotSent(why) => Exchanged::NotSent(Failure::Unconnected(why)),
        Came::Broke(how) => Exchanged::Unknown(Failure::Broken(how)),
        Came::Late(how) => Exchanged::Unknown(Failure::TimedOut(how)),
        Came::Answer {
            status,
            headers,
            body,
        } => Exchanged::Answered {
            status,
            headers: known(&headers),
            body: if body.len() > most {
                Err(Failure::body_too_large(most))
            } else {
                Ok(body)
            },
        },
    }
}

fn known(headers: &[(String, String)]) -> HeaderMap {
    let field = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    };
    let mut known = HeaderMap::new();
    for (name, value) in headers.iter().filter_map(field) {
        known.append(name, value);
    }
    known
}
