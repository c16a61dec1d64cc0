//! One request out, one answer in, both bounded.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, header};
use tokio::time::{Instant, timeout_at};

use super::{
    Lane, Network, Route, Way,
    resolve::{NameRefused, NotResolved},
    wire,
};
use crate::{failpoint::failpoint, limits};

/// A request to be sent.
pub(crate) struct Dispatch<'a> {
    pub(crate) lane: Lane<'a>,
    pub(crate) route: &'a Route,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// From name look-up to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// How long whoever asked waits for it, where it goes on without them.
    pub(crate) patience: Option<&'a Patience>,
    /// The longest body that is taken in.
    pub(crate) response_bytes: usize,
}

/// How long somebody waits.
#[derive(Debug)]
pub(crate) struct Patience {
    pub(crate) most: Duration,
    is_over: AtomicBool,
}

impl Patience {
    pub(crate) fn new(most: Duration) -> Patience {
        Patience {
            most,
            is_over: AtomicBool::new(false),
        }
    }

    /// It was over before the exchange was, by a time that isn't the machine's.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether it was.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Exchanged {
    /// Before the first byte left.
    NotSent(Failure),
    /// Without a status line.
    Unknown(Failure),
    /// With a status line, and the body unless it was lost.
    Answered {
        status: u16,
        headers: HeaderMap,
        body: Result<Bytes, Failure>,
    },
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The address is one that may not be reached.
    Refused(String),
    /// The name has no address that anybody knows.
    Unresolved(String),
    /// No connection was made.
    Unconnected(String),
    Broken(String),
    TimedOut(String),
    TooLarge(String),
    Malformed(String),
}

impl Failure {
    /// The answer has more body than may be taken in.
    pub(super) fn body_too_large(most: usize) -> Failure {
        let most = limits::bytes(most as u64);
        Failure::TooLarge(format!("the answer's body is larger than {most}"))
    }

    /// What happened, in words.
    pub(crate) fn into_text(self) -> String {
        match self {
            Failure::Refused(text)
            | Failure::Unresolved(text)
            | Failure::Unconnected(text)
            | Failure::Broken(text)
            | Failure::TimedOut(text)
            | Failure::TooLarge(text)
            | Failure::Malformed(text) => text,
        }
    }
}

impl Network {
    /// Sends a request along its route and takes the answer in.
    pub(crate) async fn exchange(&self, dispatch: Dispatch<'_>) -> Exchanged {
        let clients = match &self.way {
            Way::Clients(clients) => clients,
            Way::Wire(wire) => return wire::exchange(&**wire, dispatch).await,
        };
        let Dispatch {
            lane,
            route,
            method,
            mut headers,
            body,
            timeout,
            patience: _,
            response_bytes,
        } = dispatch;
        let client = match clients.client(lane, route.target.scheme() == "https") {
            Ok(client) => client,
            Err(error) => {
                return Exchanged::NotSent(Failure::Broken(format!(
                    "no HTTP client: {}",
                    root(&error)
                )));
            }
        };
        if let Some(host) = &route.host {
            headers.insert(header::HOST, host.clone());
        }
        let mut request = reqwest::Request::new(method, route.target.clone());
        *request.headers_mut() = headers;
        *request.body_mut() = body.map(reqwest::Body::from);

        let deadline = Instant::now() + timeout;
        let mut response = match timeout_at(deadline, client.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return failed(&error, route),
            Err(_) => return Exchanged::Unknown(late(timeout)),
        };
        failpoint("network/head");
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body =
            match timeout_at(deadline, take_in(&mut response, &headers, response_bytes)).await {
                Ok(body) => body,
                Err(_) => Err(late(timeout)),
            };
        Exchanged::Answered {
            status,
            headers,
            body,
        }
    }
}

async fn take_in(
    response: &mut reqwest::Response,
    headers: &HeaderMap,
    most: usize,
) -> Result<Bytes, Failure> {
    let too_large = || Failure::body_too_large(most);
    let broken =
        |error: reqwest::Error| Failure::Broken(format!("the answer broke off: {}", root(&error)));
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // The answer to HEAD declares a body that doesn't come.
    let comes = response.content_length().is_none_or(|length| length > 0);
    if comes && declared.is_some_and(|declared| declared > most) {
        return Err(too_large());
    }
    let Some(first) = response.chunk().await.map_err(broken)? else {
        return Ok(Bytes::new());
    };
    if first.len() > most {
        return Err(too_large());
    }
    let Some(second) = response.chunk().await.map_err(broken)? else {
        return Ok(first);
    };
    let mut body = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if body.len() + chunk.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(broken)?;
    }
    Ok(body.freeze())
}

fn failed(error: &reqwest::Error, route: &Route) -> Exchanged {
    let host = &route.target[url::Position::BeforeHost..url::Position::AfterPort];
    if let Some(refused) = find::<NameRefused>(error) {
        return Exchanged::NotSent(Failure::Refused(refused.to_string()));
    }
    if error.is_connect() {
        let text = format!("no connection to `{host}`: {}", root(error));
        let failure = if error.is_timeout() {
            Failure::TimedOut(text)
        } else if find::<NotResolved>(error).is_some() {
            Failure::Unresolved(text)
        } else {
            Failure::Unconnected(text)
        };
        return Exchanged::NotSent(failure);
    }
    if error.is_builder() {
        return Exchanged::NotSent(Failure::Malformed(root(error)));
    }
    Exchanged::Unknown(Failure::Broken(format!(
        "no answer from `{host}`: {}",
        root(error)
    )))
}

fn late(timeout: Duration) -> Failure {
    Failure::TimedOut(format!("no complete answer within {timeout:?}"))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        (*error).source()
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The innermost cause: the outer ones say only that a request failed, and repeat its URL.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}
