use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::Options;
use crate::admin;
use crate::answer::{Answer, Manner};
use crate::fault::{Effect, Faults};
use crate::log::{End, Log};
use crate::request::Request;
use crate::state::State;

/// The world, what goes wrong in it, and the record of what was asked.
#[derive(Debug)]
pub(crate) struct Switchboard {
    options: Options,
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
}

impl Switchboard {
    pub(crate) fn new(options: Options, now: Timestamp) -> Switchboard {
        Switchboard {
            state: State::new(&options, now),
            options,
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// Begins the world again; without faults, and with nothing on record.
    pub(crate) fn reset(&mut self, now: Timestamp) {
        *self = Switchboard::new(self.options.clone(), now);
    }

    /// Answers a request, with whatever fault's turn it is. What is asked of the switchboard itself meets none and is not logged.
    pub(crate) fn exchange(&mut self, request: &Request, now: Timestamp) -> Answer {
        if let Some(path) = admin::path(request) {
            return admin::answer(self, path, request, now);
        }
        let effect = self.faults.meet(request);
        let answer = match &effect {
            None => self.state.answer(request, now),
            Some(Effect::DropBefore) => Answer::dropped(),
            Some(Effect::DropAfter) => self.state.answer(request, now).in_manner(Manner::Dropped),
            Some(Effect::CutBody) => self.state.answer(request, now).in_manner(Manner::Cut),
            Some(Effect::Delay { milliseconds }) => {
                let answer = self.state.answer(request, now);
                let delay = answer.delay + Duration::from_millis(*milliseconds);
                answer.after(delay)
            }
            Some(Effect::Answer {
                status,
                body,
                retry_after,
                processed,
            }) => {
                let changed = *processed && self.state.answer(request, now).changed;
                let said = json!({ "error": "a fault that was asked for" });
                let answer =
                    Answer::json(*status, body.as_ref().unwrap_or(&said)).having_changed(changed);
                match retry_after {
                    Some(seconds) => answer.with_retry_after(*seconds),
                    None => answer,
                }
            }
        };
        let end = End {
            status: (answer.manner != Manner::Dropped).then_some(answer.status.as_u16()),
            changed: answer.changed,
            fault: effect.as_ref().map(Effect::name),
        };
        self.log.add(request, end, now);
        answer
    }
}
