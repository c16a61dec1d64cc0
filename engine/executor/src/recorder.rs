//! The record of one attempt: what passes the gate becomes events, and earlier answers come back.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard};

use sandbook_journal::{
    self as journal, Content, Entry as Line, Event, Journal, Retention, RunId, StateKey,
};
use sandbook_sandbox::gate::{
    Asked, Before, Durability, Entry, Outcome, Record, Response, Stop, Writing,
};
use sandbook_sandbox::{Level, Lines};
use tokio::sync::{broadcast, watch};

use crate::facts::{millis, retry_after};
use crate::replay::{Again, Replay};
use crate::tape::Tape;

/// What a plugin says of its progress; kept in no record.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The step.
    pub step: journal::StepId,
    /// What it is at.
    pub message: String,
    /// The part that is done, 0 to 1, where it is known.
    pub fraction: Option<f32>,
}

/// Where the attempts of a run write to.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) run: RunId,
    pub(crate) journal: Journal,
    pub(crate) key: StateKey,
    /// Set once the run is interrupted: no new effect is begun.
    pub(crate) stop: watch::Receiver<Option<journal::Signal>>,
    /// Set once the run is cancelled, for the attempts that ran before.
    pub(crate) cut: watch::Receiver<bool>,
    pub(crate) progress: broadcast::Sender<Progress>,
    /// Where what goes over the wire is noted to become a case.
    pub(crate) tape: Option<Tape>,
}

/// Keeps the record of one attempt.
pub(crate) struct Recorder {
    desk: Desk,
    step: journal::StepId,
    attempt: u32,
    replay: Arc<Mutex<Replay>>,
    seen: Mutex<Seen>,
}

/// What matters of an attempt's requests once it has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Begun, and not ended.
    open: HashMap<u32, Asked>,
    /// The last one that isn't repeatable and whose outcome is unknown.
    pub(crate) lost: Option<u32>,
    /// The last one that isn't repeatable and was answered in a way that leaves its outcome open.
    pub(crate) ambiguous: Option<u32>,
    /// Something was held back.
    pub(crate) held_back: bool,
}

impl Recorder {
    pub(crate) fn new(
        desk: Desk,
        step: journal::StepId,
        attempt: u32,
        replay: Arc<Mutex<Replay>>,
    ) -> Recorder {
        Recorder {
            desk,
            step,
            attempt,
            replay,
            seen: Mutex::new(Seen::default()),
        }
    }

    /// What the attempt's requests came to.
    ///
    /// One that was begun and has no outcome on record is lost, like one whose answer is.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.lock().clone();
        if let Some(number) = seen
            .open
            .iter()
            .filter(|(_, asked)| !asked.repeatable)
            .map(|(number, _)| *number)
            .max()
        {
            seen.lost = seen.lost.max(Some(number));
        }
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    fn replay(&self) -> MutexGuard<'_, Replay> {
        self.replay
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// The event that an entry becomes, with the contents that lie outside the chain.
    fn line(&self, entry: Entry) -> Line {
        let (step, attempt) = (self.step.clone(), self.attempt);
        let mut contents = Contents {
            key: &self.desk.key,
            kept: Vec::new(),
        };
        let event = match entry {
            Entry::Denied {
                number,
                method,
                url,
                why,
            } => {
                let asked = journal::Asked {
                    method,
                    url,
                    slot: None,
                    credential: None,
                    body: None,
                    repeatable: false,
                };
                Event::RequestDenied {
                    step,
                    attempt,
                    request: number,
                    asked,
                    why,
                }
            }
            Entry::HeldBack(asked) => Event::RequestHeld {
                step,
                attempt,
                request: asked.number,
                asked: contents.asked(asked),
            },
            Entry::Begun(asked) => Event::RequestBegun {
                step,
                attempt,
                request: asked.number,
                asked: contents.asked(asked),
            },
            Entry::Ended {
                number,
                outcome,
                took,
            } => {
                let took_ms = millis(took);
                Event::RequestEnded {
                    step,
                    attempt,
                    request: number,
                    outcome: contents.outcome(outcome, true),
                    took_ms,
                }
            }
            Entry::Read {
                asked,
                outcome,
                took,
            } => {
                let (request, took_ms) = (asked.number, millis(took));
                let outcome = contents.outcome(outcome, false);
                Event::RequestRead {
                    step,
                    attempt,
                    request,
                    asked: contents.asked(asked),
                    outcome,
                    took_ms,
                }
            }
        };
        Line {
            event,
            contents: contents.kept,
        }
    }

    /// Notes what the verdict and the next attempt want to know of an entry.
    fn see(&self, entry: &Entry) {
        if let Some(tape) = &self.desk.tape {
            tape.note(entry);
        }
        let mut seen = self.lock();
        match entry {
            Entry::HeldBack(_) => seen.held_back = true,
            Entry::Begun(asked) => {
                seen.open.insert(asked.number, asked.clone());
            }
            Entry::Ended {
                number, outcome, ..
            } => {
                let Some(asked) = seen.open.remove(number) else {
                    return;
                };
                if matches!(outcome, Outcome::Unknown { .. }) {
                    self.replay().unanswered();
                }
                if !asked.repeatable {
                    match outcome {
                        Outcome::Unknown { .. } => seen.lost = Some(*number),
                        outcome if leaves_open(outcome) => seen.ambiguous = Some(*number),
                        _ => {}
                    }
                }
                if let (
                    true,
                    Outcome::Answered {
                        status,
                        headers,
                        body,
                    },
                ) = (outcome.succeeded(), outcome)
                {
                    let body = body.clone().unwrap_or_default();
                    let response = Response {
                        status: *status,
                        headers: headers.clone(),
                        body,
                    };
                    self.replay().answered(self.attempt, &asked, response);
                }
            }
            Entry::Denied { .. } | Entry::Read { .. } => {}
        }
    }
}

impl Record for Recorder {
    fn answered_before(&self, asked: &Asked) -> Result<Before, Stop> {
        if self.desk.stop.borrow().is_some() || *self.desk.cut.borrow() {
            return Err(Stop::Interrupted);
        }
        if !asked.changing {
            return Ok(Before::No);
        }
        Ok(match self.replay().ask(asked) {
            Again::Live => Before::No,
            Again::Answered(response) => Before::Answer(response),
            Again::Diverged(recorded) => Before::Diverged(recorded),
        })
    }

    fn write(&self, entry: Entry, durability: Durability) -> Writing<'_> {
        Box::pin(async move {
            self.see(&entry);
            let line = self.line(entry);
            let journal = &self.desk.journal;
            match durability {
                Durability::Ride => journal.ride(self.desk.run, line),
                Durability::Commit => journal.append(self.desk.run, vec![line]).await.map(drop),
            }
            .map_err(|error| Stop::Record(with_causes(&error)))
        })
    }
}

impl Lines for Recorder {
    fn log(&self, level: Level, message: String) {
        let level = match level {
            Level::Debug => journal::LogLevel::Debug,
            Level::Info => journal::LogLevel::Info,
            Level::Warn => journal::LogLevel::Warn,
            Level::Error => journal::LogLevel::Error,
        };
        let event = Event::Logged {
            step: self.step.clone(),
            attempt: self.attempt,
            level,
            message,
        };
        // A journal that fails here is poisoned, and stops the run at its next durable write.
        let _ = self.desk.journal.ride(self.desk.run, event);
    }

    fn progress(&self, message: String, fraction: Option<f32>) {
        // Nobody watches: nothing to do.
        let _ = self.desk.progress.send(Progress {
            step: self.step.clone(),
            message,
            fraction,
        });
    }
}

/// Whether an answer leaves open what came of its request. The journal decides that, by what it will know of it.
fn leaves_open(outcome: &Outcome) -> bool {
    let Outcome::Answered {
        status, headers, ..
    } = outcome
    else {
        return false;
    };
    let on_record = journal::Outcome::Answered {
        status: *status,
        body: None,
        headers: None,
        retry_after_ms: retry_after(headers).map(millis),
    };
    on_record.is_ambiguous()
}

/// An error with all that led to it, in a line.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

/// Collects what an event refers to by keyed digest.
struct Contents<'a> {
    key: &'a StateKey,
    kept: Vec<Content>,
}

impl Contents<'_> {
    fn keep(&mut self, bytes: Vec<u8>) -> journal::Kept {
        let content = Content::new(self.key, bytes, Retention::Run);
        let kept = content.kept();
        self.kept.push(content);
        kept
    }

    fn asked(&mut self, asked: Asked) -> journal::Asked {
        journal::Asked {
            body: asked.body.map(|body| self.keep(body.to_vec())),
            method: asked.method,
            url: asked.url,
            slot: asked.slot,
            credential: asked.credential,
            repeatable: asked.repeatable,
        }
    }

    /// The answer to a changing request is kept whole, since a later attempt may be answered with it; of
    /// others the digest is enough.
    fn outcome(&mut self, outcome: Outcome, whole: bool) -> journal::Outcome {
        match outcome {
            Outcome::NotSent { why } => journal::Outcome::NotSent { why },
            Outcome::Unknown { why } => journal::Outcome::Unknown { why },
            Outcome::Answered {
                status,
                headers,
                body,
            } => {
                let retry_after_ms = retry_after(&headers).map(millis);
                let body = body.map(|body| {
                    if whole {
                        self.keep(body.to_vec())
                    } else {
                        journal::Kept {
                            digest: self.key.digest(&body),
                            bytes: body.len() as u64,
                        }
                    }
                });
                let headers = whole.then(|| {
                    self.keep(serde_json::to_vec(&headers).expect("pairs of texts always are JSON"))
                });
                journal::Outcome::Answered {
                    status,
                    body,
                    headers,
                    retry_after_ms,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_503_leaves_open_what_came_of_it_unless_it_says_when_to_come_again() {
        let answered = |status, retry_after: Option<&str>| Outcome::Answered {
            status,
            headers: retry_after
                .map(|value| ("Retry-After".to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            body: None,
        };
        for value in ["3", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            assert!(!leaves_open(&answered(503, Some(value))), "{value}");
        }
        for value in ["soon", "0.5", "99999999999999999999"] {
            assert!(leaves_open(&answered(503, Some(value))), "{value}");
        }
        assert!(leaves_open(&answered(503, None)));
        assert!(leaves_open(&answered(500, Some("3"))));
        assert!(!leaves_open(&answered(429, None)));
    }
}
