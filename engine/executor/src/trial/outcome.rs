//! What came of a step, from its run's record, held against what should.

use sandbook_journal::{
    Asked, Event, Failure, FailureKind, Kept, Reader, Recorded, RunId, Stored, Values, Waiting,
};
use sandbook_runbook::{Expect, Matching, Outputs};
use serde_json::{Map, Value};

use super::difference::{Difference, bodies, diff, overlay, pretty};
use crate::failed::Failed;

/// What came of a step.
#[derive(Debug)]
pub(super) enum Outcome {
    Succeeded {
        output: Map<String, Value>,
        changed: bool,
        summary: String,
    },
    Failed(Failure),
    HeldBack(Vec<HeldBack>),
    InDoubt(String),
    Diverged {
        recorded: String,
        asked: String,
    },
    /// Its end is not on record.
    Unfinished,
}

/// A request that was held back.
#[derive(Debug)]
pub(super) struct HeldBack {
    pub(super) request: String,
    pub(super) body: Vec<u8>,
}

impl Outcome {
    /// What came of a run's only step.
    pub(super) fn of(events: &[Stored], reader: &Reader, run: RunId) -> Result<Outcome, Failed> {
        let content = |kept: &Kept| {
            let content = reader.content(run, kept);
            content.map_err(|error| Failed::State(error.into()))
        };
        let mut held = Vec::new();
        let mut begun: Vec<(u32, u32, &Asked)> = Vec::new();
        let mut outcome = Outcome::Unfinished;
        for stored in events {
            match &stored.event {
                Event::RequestHeld { asked, .. } => held.push(HeldBack {
                    request: line(asked),
                    body: match &asked.body {
                        Some(kept) => content(kept)?.unwrap_or_default(),
                        None => Vec::new(),
                    },
                }),
                Event::RequestBegun {
                    attempt,
                    request,
                    asked,
                    ..
                } => begun.push((*attempt, *request, asked)),
                Event::StepSucceeded {
                    outputs,
                    changed,
                    summary,
                    unknown,
                    ..
                } => {
                    outcome = if *unknown {
                        Outcome::HeldBack(std::mem::take(&mut held))
                    } else {
                        Outcome::Succeeded {
                            output: shown(outputs),
                            changed: *changed,
                            summary: summary.clone().unwrap_or_default(),
                        }
                    };
                }
                Event::StepFailed { failure, .. } => outcome = Outcome::Failed(failure.clone()),
                Event::StepWaiting {
                    waiting, attempt, ..
                } => match waiting {
                    Waiting::InDoubt { request } => {
                        let asked = begun
                            .iter()
                            .find(|(of, number, _)| (of, number) == (attempt, request));
                        let asked = asked.map(|(_, _, asked)| line(asked));
                        outcome = Outcome::InDoubt(asked.unwrap_or_default());
                    }
                    Waiting::Diverged { recorded, asked } => {
                        outcome = Outcome::Diverged {
                            recorded: recorded.clone(),
                            asked: asked.clone(),
                        };
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(outcome)
    }

    /// In what it differs from what is expected.
    pub(super) fn differs(&self, expect: &Expect) -> Option<Difference> {
        let (wanted, actual) = match (expect, self) {
            (
                Expect::Success {
                    output,
                    changed,
                    summary,
                },
                Outcome::Succeeded { .. },
            ) => self.success(output.as_ref(), *changed, summary.as_deref()),
            (
                Expect::Failure {
                    kind,
                    code,
                    message,
                },
                Outcome::Failed(failure),
            ) => failures(
                kind.as_deref(),
                code.as_deref(),
                message.as_deref(),
                failure,
            ),
            (Expect::HeldBack(expected), Outcome::HeldBack(held)) => all_held(expected, held),
            (Expect::InDoubt(request), Outcome::InDoubt(asked)) => (
                format!("in doubt: {request}\n"),
                format!("in doubt: {asked}\n"),
            ),
            (Expect::Diverged, Outcome::Diverged { .. }) => return None,
            _ => (expected(expect), self.told()),
        };
        Some(Difference {
            message: "something else came of it".to_owned(),
            exchange: None,
            diff: Some(diff(&wanted, &actual)?),
        })
    }

    /// The texts of two successes, as far as one is expected.
    fn success(
        &self,
        expected: Option<&Outputs>,
        wants_changed: Option<bool>,
        wants_summary: Option<&str>,
    ) -> (String, String) {
        let Outcome::Succeeded {
            output,
            changed,
            summary,
        } = self
        else {
            return Default::default();
        };
        let (mut wanted, mut actual) = ("succeeded\n".to_owned(), "succeeded\n".to_owned());
        if let Some(wants) = wants_changed {
            wanted.push_str(&format!("changed: {wants}\n"));
            actual.push_str(&format!("changed: {changed}\n"));
        }
        if let Some(wants) = wants_summary {
            wanted.push_str(&format!("summary: {wants}\n"));
            actual.push_str(&format!("summary: {summary}\n"));
        }
        if let Some(expected) = expected {
            let output = Value::Object(output.clone());
            let wants = match expected {
                Outputs::All(wants) => Value::Object(wants.clone()),
                Outputs::Among(wants) => overlay(&output, &Value::Object(wants.clone())),
            };
            wanted.push_str(&format!("output: {}\n", pretty(&wants)));
            actual.push_str(&format!("output: {}\n", pretty(&output)));
        }
        (wanted, actual)
    }

    /// All of it, in lines.
    fn told(&self) -> String {
        match self {
            Outcome::Succeeded {
                output,
                changed,
                summary,
            } => format!(
                "succeeded\nchanged: {changed}\nsummary: {summary}\noutput: {}\n",
                pretty(&Value::Object(output.clone()))
            ),
            Outcome::Failed(failure) => {
                let code = failure.code.as_ref().map(|code| format!("code: {code}\n"));
                format!(
                    "failed\nkind: {}\n{}message: {}\n",
                    kind_word(failure.kind),
                    code.unwrap_or_default(),
                    failure.message
                )
            }
            Outcome::HeldBack(held) => {
                let lines = held.iter().map(|held| format!("  {}\n", held.request));
                format!("held back:\n{}", lines.collect::<String>())
            }
            Outcome::InDoubt(asked) => format!("in doubt: {asked}\n"),
            Outcome::Diverged { recorded, asked } => {
                format!("diverged\nrecorded: {recorded}\nasked: {asked}\n")
            }
            Outcome::Unfinished => "not finished\n".to_owned(),
        }
    }
}

/// What is expected, in lines, to be held against something of another kind.
fn expected(expect: &Expect) -> String {
    match expect {
        Expect::Success { .. } => "succeeded\n".to_owned(),
        Expect::Failure { kind, code, .. } => {
            let mut text = "failed\n".to_owned();
            for (key, value) in [("kind", kind), ("code", code)] {
                if let Some(value) = value {
                    text.push_str(&format!("{key}: {value}\n"));
                }
            }
            text
        }
        Expect::HeldBack(held) => {
            let lines = held.iter().map(|held| format!("  {}\n", held.request));
            format!("held back:\n{}", lines.collect::<String>())
        }
        Expect::InDoubt(request) => format!("in doubt: {request}\n"),
        Expect::Diverged => "diverged\n".to_owned(),
    }
}

fn failures(
    kind: Option<&str>,
    code: Option<&str>,
    message: Option<&str>,
    failure: &Failure,
) -> (String, String) {
    let (mut wanted, mut actual) = ("failed\n".to_owned(), "failed\n".to_owned());
    let is_kind = kind.is_none_or(|kind| kind == kind_word(failure.kind));
    let is_code = code.is_none_or(|code| failure.code.as_deref() == Some(code));
    let is_message = message.is_none_or(|part| failure.message.contains(part));
    if is_kind && is_code && is_message {
        return (wanted, actual);
    }
    wanted.push_str(&format!(
        "kind: {}\n",
        kind.unwrap_or(kind_word(failure.kind))
    ));
    actual.push_str(&format!("kind: {}\n", kind_word(failure.kind)));
    let actual_code = failure.code.as_deref().unwrap_or_default();
    wanted.push_str(&format!("code: {}\n", code.unwrap_or(actual_code)));
    actual.push_str(&format!("code: {actual_code}\n"));
    actual.push_str(&format!("message: {}\n", failure.message));
    match message.filter(|_| !is_message) {
        Some(part) => wanted.push_str(&format!("message: … {part} …\n")),
        None => wanted.push_str(&format!("message: {}\n", failure.message)),
    }
    (wanted, actual)
}

fn all_held(expected: &[Matching], held: &[HeldBack]) -> (String, String) {
    let (mut wanted, mut actual) = ("held back:\n".to_owned(), "held back:\n".to_owned());
    for index in 0..expected.len().max(held.len()) {
        let (expected, held) = (expected.get(index), held.get(index));
        if let Some(expected) = expected {
            wanted.push_str(&format!("  {}\n", expected.request));
        }
        if let Some(held) = held {
            actual.push_str(&format!("  {}\n", held.request));
        }
        let body = held.map(|held| held.body.as_slice()).unwrap_or_default();
        if let Some((expected, there)) = expected.and_then(|expected| bodies(expected, body)) {
            wanted.push_str(&format!("{expected}\n"));
            actual.push_str(&format!("{there}\n"));
        }
    }
    (wanted, actual)
}

/// A kind of failure, as the contract has it.
pub(super) fn kind_word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::InvalidInput => "invalid-input",
        FailureKind::Unauthorized => "unauthorized",
        FailureKind::NotFound => "not-found",
        FailureKind::Conflict => "conflict",
        FailureKind::RateLimited => "rate-limited",
        FailureKind::Unavailable => "unavailable",
        FailureKind::TimedOut => "timed-out",
        FailureKind::Failed => "failed",
    }
}

fn line(asked: &Asked) -> String {
    format!("{} {}", asked.method, asked.url)
}

/// Outputs as they are shown: what is sensitive is not.
fn shown(outputs: &Values) -> Map<String, Value> {
    let outputs = outputs.iter().map(|(name, recorded)| {
        let value = match recorded {
            Recorded::Value(value) => value.clone(),
            Recorded::Sensitive(_) => Value::String("[sensitive]".to_owned()),
        };
        (name.clone(), value)
    });
    outputs.collect()
}
