//! Requests by `wasi:http`, as a client of somebody else's would send them.

use std::time::Duration;

use sandbook_step::prelude::*;
use wasip2::{
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
            OutgoingRequest, RequestOptions, Scheme,
        },
    },
    io::streams::{OutputStream, StreamError},
};

use crate::action::Send;

/// The most that may be written at once.
const CHUNK: usize = 4096;

/// Sends a request and says what came of it.
pub(crate) fn send(send: &Send) -> Result<Value, Failure> {
    let body = match (&send.body, &send.body_bytes) {
        (_, Some(bytes)) => Some(bytes.clone()),
        (Some(Value::String(text)), None) => Some(text.clone().into_bytes()),
        (Some(body), None) => Some(body.to_string().into_bytes()),
        (None, None) => None,
    };
    let mut headers: Vec<(String, Vec<u8>)> = send
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
        .collect();
    let mut own = |name: &str, value: String| headers.push((name.to_owned(), value.into_bytes()));
    if let Some(slot) = &send.slot {
        own("sandbook-credential", slot.clone());
    }
    if let Some(repeatable) = send.repeatable {
        own("sandbook-repeatable", repeatable.to_string());
    }
    let timeout = send.timeout_milliseconds.map(Duration::from_millis);
    let answer = ask(&send.method, &send.url, &headers, body, timeout);
    match answer {
        Ok(told) if send.must && !is_success(&told) => {
            Err(Failure::failed(format!("answered {}", told["status"])))
        }
        Ok(told) => Ok(told),
        Err(code) if send.must => Err(Failure::failed(format!("{code:?}"))),
        Err(code) => Ok(json!({"error": name(&code), "message": format!("{code:?}")})),
    }
}

fn is_success(told: &Value) -> bool {
    told["status"]
        .as_u64()
        .is_some_and(|status| (200..300).contains(&status))
}

fn ask(
    method: &str,
    url: &str,
    headers: &[(String, Vec<u8>)],
    body: Option<Vec<u8>>,
    timeout: Option<Duration>,
) -> Result<Value, ErrorCode> {
    let request = request(method, url, headers);
    let writing = body.map(|bytes| (request.body().expect("asked for once"), bytes));
    let options = timeout.map(|timeout| {
        let options = RequestOptions::new();
        let nanoseconds = Some(timeout.as_nanos() as u64);
        options
            .set_first_byte_timeout(nanoseconds)
            .expect("settable");
        options
    });
    let future = outgoing_handler::handle(request, options)?;
    if let Some((body, bytes)) = writing {
        // What goes wrong here the future says, too.
        let _ = write(&body, &bytes).and_then(|()| OutgoingBody::finish(body, None).map_err(Some));
    }
    answer(&future).map(|response| told(&response))
}

/// A request as it was written, whether it makes sense or not.
pub(crate) fn request(method: &str, url: &str, headers: &[(String, Vec<u8>)]) -> OutgoingRequest {
    let fields = Fields::new();
    for (name, value) in headers {
        fields.append(name, value).expect("appendable");
    }
    let request = OutgoingRequest::new(fields);
    request.set_method(&self::method(method)).expect("settable");
    let (scheme, authority, path) = parts(url);
    request.set_scheme(scheme.as_ref()).expect("settable");
    request.set_authority(authority).expect("settable");
    request.set_path_with_query(Some(path)).expect("settable");
    request
}

/// A URL's parts, cut where nothing but its slashes and question marks says.
fn parts(url: &str) -> (Option<Scheme>, Option<&str>, &str) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (None, None, url);
    };
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    (Some(scheme), Some(&rest[..end]), &rest[end..])
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

/// Writes so much of a body. Where the stream says why it failed, that is passed on.
pub(crate) fn write(body: &OutgoingBody, bytes: &[u8]) -> Result<(), Option<ErrorCode>> {
    let stream = body.write().expect("asked for once");
    pour(&stream, bytes)
}

pub(crate) fn pour(stream: &OutputStream, bytes: &[u8]) -> Result<(), Option<ErrorCode>> {
    for chunk in bytes.chunks(CHUNK) {
        stream
            .blocking_write_and_flush(chunk)
            .map_err(|error| match error {
                StreamError::LastOperationFailed(error) => {
                    wasip2::http::types::http_error_code(&error)
                }
                StreamError::Closed => None,
            })?;
    }
    Ok(())
}

/// Waits for the answer.
pub(crate) fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    future.subscribe().block();
    future.get().expect("it is ready").expect("asked for once")
}

/// What an answer says.
pub(crate) fn told(response: &IncomingResponse) -> Value {
    let headers: Vec<Value> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| json!([name, String::from_utf8_lossy(&value)]))
        .collect();
    let body = response.consume().expect("asked for once");
    let mut bytes = Vec::new();
    {
        let stream = body.stream().expect("asked for once");
        while let Ok(more) = stream.blocking_read(CHUNK as u64) {
            bytes.extend(more);
        }
    }
    json!({
        "status": response.status(),
        "headers": headers,
        "body": String::from_utf8_lossy(&bytes),
    })
}

/// The error of the plugins' own interface that comes closest.
pub(crate) fn name(code: &ErrorCode) -> &'static str {
    match code {
        ErrorCode::HttpRequestDenied => "denied",
        ErrorCode::DnsError(_) | ErrorCode::ConnectionRefused | ErrorCode::ConnectionTerminated => {
            "unreachable"
        }
        ErrorCode::HttpResponseTimeout => "timed-out",
        ErrorCode::HttpRequestBodySize(_)
        | ErrorCode::HttpResponseBodySize(_)
        | ErrorCode::HttpRequestHeaderSectionSize(_) => "too-large",
        ErrorCode::HttpProtocolError => "malformed",
        _ => "other",
    }
}
