//! What went over the wire, as a case has it.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbook_runbook::format_duration;
use sandbook_sandbox::gate::{Asked, Entry, Headers, Outcome as Ended};
use serde_json::{Map, Value, json};

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

/// A shorter exchange is taken for one without a duration.
const SHORT: Duration = Duration::from_millis(100);

/// The exchanges of a run, in the order of their ends, which is that of their beginnings: one is under way at a time.
pub(super) fn exchanges(entries: &[Entry], marks: &Marks) -> Result<Vec<Value>, RecordingError> {
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
    marks: &Marks,
) -> Result<Value, RecordingError> {
    let line = format!("{} {}", asked.method, asked.url);
    let mut exchange = Map::new();
    exchange.insert("request".to_owned(), json!(marks.unmasked(&line)));
    if let Some(slot) = &asked.slot {
        exchange.insert("credential".to_owned(), json!(slot));
    }
    if let Some(body) = &asked.body {
        let text = String::from_utf8_lossy(body);
        exchange.insert("body".to_owned(), value_of(&marks.unmasked(&text)));
    }
    match ended {
        Ended::NotSent { .. } => drop(exchange.insert("error".to_owned(), json!("unreachable"))),
        Ended::Unknown { why } => {
            let late = why.starts_with("no complete answer");
            let error = if late { "timed_out" } else { "lost" };
            exchange.insert("error".to_owned(), json!(error));
        }
        Ended::Answered { body: None, .. } => {
            exchange.insert("error".to_owned(), json!("lost"));
        }
        Ended::Answered {
            status,
            headers,
            body: Some(body),
        } => {
            let text =
                std::str::from_utf8(body).map_err(|_| RecordingError::NotText(line.clone()))?;
            exchange.insert("answer".to_owned(), answer(*status, headers, text));
        }
    }
    if took >= SHORT {
        let millis = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        exchange.insert("took".to_owned(), json!(format_duration(millis)));
    }
    Ok(Value::Object(exchange))
}

fn answer(status: u16, headers: &Headers, text: &str) -> Value {
    let body = value_of(text);
    let is_json = !body.is_string();
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let usual = name == "content-type" && is_json && value.starts_with("application/json");
        if PASSING.contains(&name.as_str()) || usual {
            continue;
        }
        kept.entry(name.clone())
            .and_modify(|before| before.push_str(&format!(", {value}")))
            .or_insert_with(|| value.clone());
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

/// A text as a case has it: the JSON that it is, or itself.
pub(super) fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => json!(text),
    }
}
