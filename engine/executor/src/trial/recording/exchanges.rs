//! What went over the wire, as a case has it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use sandbook_runbook::format_duration;
use sandbook_sandbox::gate::{Asked, Entry, Headers, Outcome as Ended};
use serde_json::{Map, Value, json};

use super::hidden::cookie;
use super::{Marks, RecordingError};

/// Header fields that differ from one answer to the next and that no plugin goes by.
const PASSING: [&str; 9] = [
    "alt-svc",
    "cf-ray",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server",
    "transfer-encoding",
    "vary",
];

/// The statuses that an answer of a case can have.
const STATUSES: RangeInclusive<u16> = 200..=599;

/// A shorter exchange is taken for one without a duration.
const SHORT: Duration = Duration::from_millis(100);

/// The exchanges of a run, in the order of their ends, which is that of their beginnings: one is under way at a time.
pub(super) fn exchanges(
    entries: &[Entry],
    marks: &Marks<'_>,
) -> Result<Vec<Value>, RecordingError> {
    let mut exchanges = Vec::new();
    let mut begun: BTreeMap<u32, &Asked> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Read {
                asked,
                outcome,
                took,
            } => exchanges.push(exchange(asked, outcome, *took, marks)?),
            Entry::Begun(asked) => drop(begun.insert(asked.number, asked)),
            Entry::Ended {
                number,
                outcome,
                took,
            } => {
                if let Some(asked) = begun.remove(number) {
                    exchanges.push(exchange(asked, outcome, *took, marks)?);
                }
            }
            Entry::Denied { .. } | Entry::HeldBack(_) => {}
        }
    }
    Ok(exchanges)
}

fn exchange(
    asked: &Asked,
    ended: &Ended,
    took: Duration,
    marks: &Marks<'_>,
) -> Result<Value, RecordingError> {
    let line = format!("{} {}", asked.method, asked.url);
    let mut exchange = Map::new();
    let shown = marks.line(&line)?;
    exchange.insert("request".to_owned(), json!(shown));
    if let Some(slot) = &asked.slot {
        exchange.insert("credential".to_owned(), json!(slot));
    }
    if let Some(body) = &asked.body {
        let text = String::from_utf8_lossy(body);
        exchange.insert("body".to_owned(), marks.body(&text));
    }
    match ended {
        Ended::NotSent { .. } => drop(exchange.insert("error".to_owned(), json!("unreachable"))),
        Ended::Unknown { why } => {
            let late = why.starts_with("no complete answer");
            let error = if late { "timed_out" } else { "lost" };
            exchange.insert("error".to_owned(), json!(error));
        }
        // A case has whole answers, or none.
        Ended::Answered { body: None, .. } => return Err(RecordingError::Cut(shown)),
        Ended::Answered {
            status,
            headers,
            body: Some(body),
        } => {
            if !STATUSES.contains(status) {
                return Err(RecordingError::Status(shown, *status));
            }
            let Ok(text) = std::str::from_utf8(body) else {
                return Err(RecordingError::NotText(shown));
            };
            exchange.insert("answer".to_owned(), answer(*status, headers, text, marks));
        }
    }
    if took >= SHORT {
        let millis = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        exchange.insert("took".to_owned(), json!(format_duration(millis)));
    }
    Ok(Value::Object(exchange))
}

fn answer(status: u16, headers: &Headers, text: &str, marks: &Marks<'_>) -> Value {
    let body = marks.answer_body(text);
    let is_json = !body.is_string();
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let usual = name == "content-type" && is_json && value.starts_with("application/json");
        if PASSING.contains(&name.as_str()) || usual || !is_plain(name, value) {
            continue;
        }
        let value = match name.as_str() {
            "set-cookie" => cookie(value).0,
            _ => value.clone(),
        };
        let value = marks.shown(&value);
        kept.entry(name.clone())
            .and_modify(|before| before.push_str(&format!(", {value}")))
            .or_insert(value);
    }
    if kept.is_empty() && text.is_empty() {
        return json!(status);
    }
    let mut answer = Map::new();
    answer.insert("status".to_owned(), json!(status));
    if !kept.is_empty() {
        answer.insert("headers".to_owned(), json!(kept));
    }
    if !text.is_empty() {
        answer.insert("body".to_owned(), body);
    }
    Value::Object(answer)
}

/// Whether a case can have a header field: of what was hidden not even the name is one.
fn is_plain(name: &str, value: &str) -> bool {
    !name.starts_with('[')
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

/// The values of the cookies that were set.
pub(super) fn cookies(entries: &[Entry]) -> Vec<String> {
    let outcomes = entries.iter().filter_map(|entry| match entry {
        Entry::Read { outcome, .. } | Entry::Ended { outcome, .. } => Some(outcome),
        _ => None,
    });
    let headers = outcomes.filter_map(|outcome| match outcome {
        Ended::Answered { headers, .. } => Some(headers),
        _ => None,
    });
    let set = headers.flatten().filter(|(name, _)| name == "set-cookie");
    set.map(|(_, value)| cookie(value).1).collect()
}

/// A text as a case has it: the JSON that it is, or itself.
pub(super) fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => json!(text),
    }
}
