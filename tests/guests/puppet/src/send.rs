use std::time::Duration;

use sandbook_step::{http::Error, prelude::*};

use crate::{
    action::{Interface, Send},
    wasi,
};

/// Sends a request and says what came of it.
pub(crate) fn send(send: Send) -> Result<Value, Failure> {
    if let Interface::Wasi = send.by {
        return wasi::send(&send);
    }
    let mut request = http::request(&send.method, &send.url);
    for (name, value) in &send.headers {
        request = request.header(name, value);
    }
    request = match send.body {
        Some(Value::String(text)) => request.body(text),
        Some(body) => request.body_json(&body),
        None => request,
    };
    if let Some(bytes) = send.body_bytes {
        request = request.body(bytes);
    }
    if let Some(slot) = &send.slot {
        request = request.credential(slot)?;
    }
    if let Some(repeatable) = send.repeatable {
        request = request.repeatable(repeatable);
    }
    if let Some(milliseconds) = send.timeout_milliseconds {
        request = request.timeout(Duration::from_millis(milliseconds));
    }
    let response = match request.send() {
        Ok(response) => response,
        Err(error) if send.must => return Err(error.into()),
        Err(error) => return Ok(json!({"error": name(&error), "message": error.to_string()})),
    };
    let told = json!({
        "status": response.status(),
        "headers": response.headers().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
        "body": response.text(),
    });
    if send.must {
        response.ok().map(|_| told)
    } else {
        Ok(told)
    }
}

fn name(error: &Error) -> &'static str {
    match error {
        Error::Denied(_) => "denied",
        Error::HeldBack => "held-back",
        Error::Unreachable(_) => "unreachable",
        Error::TimedOut(_) => "timed-out",
        Error::TooLarge(_) => "too-large",
        Error::Malformed(_) => "malformed",
    }
}
