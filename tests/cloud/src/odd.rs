//! Origins that are no service, for trying a client: one that echoes, redirects, is slow, long, or answers as it is told.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Manner};
use crate::request::Request;

const LONGEST: usize = 256 << 20;

/// Everything that was sent, as it came, in base64 and percent-encoded. `/raw` answers with the body alone; every answer has the
/// sent `Authorization` in `x-echo-authorization`.
pub(crate) fn echo(request: &Request) -> Answer {
    let authorization = request.header("authorization").unwrap_or_default();
    let answer = if request.path == "/raw" {
        Answer::empty(200).with_body("application/octet-stream", request.body.clone())
    } else {
        let form = |write: fn(&[u8]) -> String| {
            let headers: Map<String, Value> = request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), json!(write(value.as_bytes()))))
                .collect();
            json!({ "headers": headers, "body": write(&request.body) })
        };
        let mut echoed = form(|bytes| String::from_utf8_lossy(bytes).into_owned());
        echoed["method"] = json!(request.method);
        echoed["host"] = json!(request.host);
        echoed["path"] = json!(request.path);
        echoed["query"] = json!(request.query);
        echoed["base64"] = form(|bytes| STANDARD.encode(bytes));
        echoed["percent"] = form(|bytes| percent_encode(bytes, NON_ALPHANUMERIC).to_string());
        Answer::json(200, &echoed)
    };
    answer.with_header("x-echo-authorization", authorization)
}

/// To the `to` of the query, with its `status` (302 if absent).
pub(crate) fn redirect(request: &Request) -> Answer {
    let Some(target) = request.parameter("to") else {
        return Answer::text(400, "say where: /?to=URL&status=302");
    };
    let status = match request.parameter("status") {
        None => Some(302),
        Some(text) => text
            .parse()
            .ok()
            .filter(|status| (300..400).contains(status)),
    };
    match status {
        Some(status) => Answer::empty(status).with_header("location", &target),
        None => Answer::text(400, "`status` must be within 300 and 399"),
    }
}

/// `/MILLISECONDS` before the answer, or `/body/MILLISECONDS` in the middle of its body.
pub(crate) fn slow(request: &Request) -> Answer {
    let segments = request.segments();
    let lapse = |text: &str| text.parse().ok().map(Duration::from_millis);
    match segments.as_slice() {
        [text] => match lapse(text) {
            Some(lapse) => Answer::text(200, "late").after(lapse),
            None => Answer::empty(404),
        },
        ["body", text] => match lapse(text) {
            Some(lapse) => Answer::text(200, "slow body").in_manner(Manner::Paused(lapse)),
            None => Answer::empty(404),
        },
        _ => Answer::empty(404),
    }
}

/// `/BYTES`, or `/chunked/BYTES` without saying how long.
pub(crate) fn large(request: &Request) -> Answer {
    let segments = request.segments();
    let (text, manner) = match segments.as_slice() {
        [text] => (text, Manner::Whole),
        ["chunked", text] => (text, Manner::Chunked),
        _ => return Answer::empty(404),
    };
    match text
        .parse::<usize>()
        .ok()
        .filter(|length| *length <= LONGEST)
    {
        Some(length) => Answer::text(200, "x".repeat(length)).in_manner(manner),
        None => Answer::text(400, format!("say how long, up to {LONGEST}")),
    }
}

/// The status that the path names; each part of the query becomes a header.
pub(crate) fn status(request: &Request) -> Answer {
    let segments = request.segments();
    let status = match segments.as_slice() {
        [text] => text
            .parse()
            .ok()
            .filter(|status| (200..=999).contains(status)),
        _ => None,
    };
    let Some(status) = status else {
        return Answer::text(400, "say which status: /503?retry-after=2");
    };
    let answer = Answer::json(status, &json!({ "status": status }));
    request
        .pairs()
        .iter()
        .fold(answer, |answer, (name, value)| {
            answer.with_header(name, value)
        })
}
