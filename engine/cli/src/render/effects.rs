//! A run's effects: every request, with how it ended.

use std::collections::HashMap;

use sandbook_journal::{Asked, Event, Kept, Outcome, StepId, Stored};
use serde_json::{Value, json};

/// A request of a run.
#[derive(Debug)]
pub(crate) struct Effect<'a> {
    pub(crate) step: &'a StepId,
    pub(crate) attempt: u32,
    pub(crate) number: u32,
    /// When it passed the gate, in milliseconds since the epoch.
    pub(crate) time: u64,
    pub(crate) asked: &'a Asked,
    pub(crate) fate: Fate<'a>,
    pub(crate) took_ms: Option<u64>,
}

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Fate<'a> {
    /// It was to be sent; nothing where its end isn't on record.
    Sent(Option<&'a Outcome>),
    /// Held back in a dry run.
    Held,
    /// Nothing grants it; says which grant is missing.
    Denied(&'a str),
}

/// All requests of a log, in their order.
pub(crate) fn effects(events: &[Stored]) -> Vec<Effect<'_>> {
    let mut effects = Vec::new();
    let mut open = HashMap::new();
    for stored in events {
        let (step, attempt, number, asked, fate, took_ms) = match &stored.event {
            Event::RequestBegun {
                step,
                attempt,
                request,
                asked,
            } => {
                open.insert((step, *attempt, *request), effects.len());
                (step, *attempt, *request, asked, Fate::Sent(None), None)
            }
            Event::RequestEnded {
                step,
                attempt,
                request,
                outcome,
                took_ms,
            } => {
                if let Some(at) = open.remove(&(step, *attempt, *request)) {
                    let effect: &mut Effect<'_> = &mut effects[at];
                    effect.fate = Fate::Sent(Some(outcome));
                    effect.took_ms = Some(*took_ms);
                }
                continue;
            }
            Event::RequestRead {
                step,
                attempt,
                request,
                asked,
                outcome,
                took_ms,
            } => (
                step,
                *attempt,
                *request,
                asked,
                Fate::Sent(Some(outcome)),
                Some(*took_ms),
            ),
            Event::RequestHeld {
                step,
                attempt,
                request,
                asked,
            } => (step, *attempt, *request, asked, Fate::Held, None),
            Event::RequestDenied {
                step,
                attempt,
                request,
                asked,
                why,
            } => (step, *attempt, *request, asked, Fate::Denied(why), None),
            _ => continue,
        };
        effects.push(Effect {
            step,
            attempt,
            number,
            time: stored.time,
            asked,
            fate,
            took_ms,
        });
    }
    effects
}

impl Effect<'_> {
    /// The answer's body, where one was received.
    pub(crate) fn answer(&self) -> Option<&Kept> {
        match self.fate {
            Fate::Sent(Some(Outcome::Answered { body, .. })) => body.as_ref(),
            _ => None,
        }
    }

    /// Whether it could have changed something: anything but GET, HEAD and OPTIONS.
    pub(crate) fn is_changing(&self) -> bool {
        !matches!(self.asked.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    pub(crate) fn json(&self) -> Value {
        let (fate, detail) = match &self.fate {
            Fate::Sent(None) => ("open", Value::Null),
            Fate::Sent(Some(outcome)) => ("sent", json!(outcome)),
            Fate::Held => ("held_back", Value::Null),
            Fate::Denied(why) => ("denied", json!(why)),
        };
        json!({
            "step": self.step, "attempt": self.attempt, "request": self.number, "time": self.time,
            "asked": self.asked, "fate": fate, "outcome": detail, "took_ms": self.took_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use sandbook_journal::{Digest, RunId};

    use super::*;

    fn stored(seq: u64, event: Event) -> Stored {
        let run = "0123456789ab".parse::<RunId>().unwrap();
        Stored {
            run,
            seq,
            time: seq * 10,
            event,
            hash: Digest::of(b""),
            version: 1,
            body: String::new(),
        }
    }

    fn asked(method: &str) -> Asked {
        let url = "https://a.example/".to_owned();
        Asked {
            method: method.to_owned(),
            url,
            slot: None,
            credential: None,
            body: None,
            repeatable: false,
        }
    }

    #[test]
    fn an_end_finds_its_beginning() {
        let begun = |number| Event::RequestBegun {
            step: "a".into(),
            attempt: 1,
            request: number,
            asked: asked("POST"),
        };
        let outcome = Outcome::Answered {
            status: 201,
            body: None,
            headers: None,
            retry_after_ms: None,
        };
        let ended = Event::RequestEnded {
            step: "a".into(),
            attempt: 1,
            request: 1,
            outcome,
            took_ms: 7,
        };
        let events = [stored(1, begun(1)), stored(2, ended), stored(3, begun(2))];
        let effects = effects(&events);
        assert_eq!(effects.len(), 2);
        assert_eq!((effects[0].time, effects[0].took_ms), (10, Some(7)));
        assert!(matches!(
            effects[0].fate,
            Fate::Sent(Some(Outcome::Answered { status: 201, .. }))
        ));
        assert!(matches!(effects[1].fate, Fate::Sent(None)));
        assert!(effects[1].is_changing());
    }
}
