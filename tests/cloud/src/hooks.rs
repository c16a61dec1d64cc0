//! A chat service's incoming webhook.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::request::Request;

/// The messages that were posted.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    messages: Vec<Value>,
}

impl Hooks {
    pub(crate) fn summary(&self) -> Value {
        json!(self.messages)
    }

    /// Answers what is sent to the webhooks' host: a JSON object with a `text`.
    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", ["services", channel]) => {
                let Some(body) = request.json() else {
                    return Answer::text(400, "invalid_payload");
                };
                if body["text"].as_str().is_none_or(str::is_empty) {
                    return Answer::text(400, "no_text");
                }
                self.messages
                    .push(json!({ "channel": channel, "message": body }));
                Answer::text(200, "ok").having_changed(true)
            }
            (_, ["services", _]) => Answer::text(405, "method_not_allowed"),
            _ => Answer::text(404, "no_service"),
        }
    }
}
