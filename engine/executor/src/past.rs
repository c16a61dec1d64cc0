//! What is on record of a run, as far as it takes to go on with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sandbook_journal::{
    self as journal, Decision, Event, Kept, ROLLBACK, Reader, Recorded, RequestState, RunId,
    RunState, StepStatus, Stored, Values,
};
use sandbook_runbook::StepId;
use sandbook_sandbox::gate::{Asked, Headers, Outcome, Response};
use serde_json::{Map, Value};

use crate::failed::Failed;
use crate::replay::Replay;
use crate::sensitive;
use crate::story::Story;

/// A run's past. That of a new run is its start.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) state: RunState,
    /// Of the steps that were begun: what a new attempt is answered from.
    pub(crate) replays: HashMap<journal::StepId, Replay>,
    /// What the steps that succeeded have put out, where that is anything.
    pub(crate) outputs: BTreeMap<journal::StepId, Value>,
    /// Steps that failed and were let pass.
    pub(crate) passed: Vec<journal::StepId>,
    /// The first step that broke, and why.
    pub(crate) broke: Option<(StepId, String)>,
    /// The rollback that broke off the undoing, by the step that it belongs to, and why.
    pub(crate) undo_broke: Option<(StepId, String)>,
}

/// The latest changing request of a step.
struct Begun<'a> {
    at: (u32, u32),
    asked: &'a journal::Asked,
    ended: bool,
}

/// Reads what lies outside the chain.
pub(crate) struct Contents<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) run: RunId,
}

impl Past {
    /// The past of a run from what is read of its log, and from what that speaks of.
    ///
    /// # Errors
    ///
    /// What is on record can't be read, or isn't there any more.
    pub(crate) fn of(story: Story, contents: &Contents<'_>) -> Result<Past, Failed> {
        let Story { state, events, .. } = story;
        let mut past = Past::default();
        for step in state.steps() {
            let succeeded = matches!(step.status, StepStatus::Succeeded | StepStatus::RolledBack);
            if succeeded && !step.outputs.is_empty() {
                let outputs = contents.values(&step.outputs)?;
                past.outputs.insert(step.id.clone(), Value::Object(outputs));
            }
        }
        let mut begun: HashMap<&journal::StepId, Begun<'_>> = HashMap::new();
        let mut cancelled = false;
        for stored in &events {
            match &stored.event {
                Event::StepStarted { step, .. } if goes_on(&state, step) => {
                    let replay = past.replays.entry(step.clone()).or_default();
                    // The attempt before was cut off while this was under way.
                    if begun.remove(step).is_some_and(|begun| !begun.ended) {
                        replay.unanswered();
                    }
                    replay.rewind();
                }
                Event::RequestBegun {
                    step,
                    attempt,
                    request,
                    asked,
                } if goes_on(&state, step) => {
                    let at = (*attempt, *request);
                    let ended = false;
                    begun.insert(step, Begun { at, asked, ended });
                }
                Event::RequestEnded { step, outcome, .. } => {
                    if let Some(begun) = begun.get_mut(step) {
                        begun.ended = true;
                        let replay = past.replays.entry(step.clone()).or_default();
                        contents.ended(replay, begun.at, begun.asked, outcome)?;
                    }
                }
                Event::AttemptFailed { step, failure, .. }
                | Event::StepWaiting {
                    step,
                    failure: Some(failure),
                    ..
                } if failure.start_over => {
                    past.replays.entry(step.clone()).or_default().clear();
                }
                Event::Decided {
                    step,
                    attempt,
                    decision,
                    ..
                } if goes_on(&state, step) => {
                    let replay = past.replays.entry(step.clone()).or_default();
                    let step = state.step(step.as_str());
                    let requests = step.map_or(&[][..], |step| &step.requests[..]);
                    contents.decided(replay, requests, *attempt, decision)?;
                }
                Event::CancelRequested { .. } => cancelled = true,
                Event::StepFailed {
                    step,
                    let_pass: true,
                    ..
                } => past.passed.push(step.clone()),
                Event::StepFailed { step, failure, .. } => {
                    let (id, broke) = match step.as_str().strip_suffix(ROLLBACK) {
                        Some(undone) => (undone, &mut past.undo_broke),
                        // What a cancellation ends is not why the run ends.
                        None if cancelled => continue,
                        None => (step.as_str(), &mut past.broke),
                    };
                    let id = StepId::new(id).map_err(|error| {
                        Failed::State(format!("the record has a step `{step}`: {error}").into())
                    })?;
                    broke.get_or_insert_with(|| (id, failure.message.clone()));
                }
                _ => {}
            }
        }
        for (step, _) in begun.into_iter().filter(|(_, begun)| !begun.ended) {
            past.replays.entry(step.clone()).or_default().unanswered();
        }
        past.replays.retain(|step, _| goes_on(&state, step));
        past.state = state;
        Ok(past)
    }

    /// The past with what came next: that the run is taken up.
    pub(crate) fn with(mut self, next: &[Arc<Stored>]) -> Result<Past, Failed> {
        for stored in next {
            let applied = self.state.apply(&stored.event, stored.time);
            applied.map_err(|error| Failed::State(error.into()))?;
        }
        Ok(self)
    }

    /// The texts of what steps have put out and is sensitive, which nothing is to show.
    pub(crate) fn sensitive_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for step in self.state.steps() {
            let Some(outputs) = self.outputs.get(&step.id) else {
                continue;
            };
            texts.extend(sensitive::recorded_texts(&step.outputs, outputs));
        }
        texts
    }
}

impl Contents<'_> {
    /// Inputs or outputs, with the sensitive ones that aren't erased.
    pub(crate) fn values(&self, values: &Values) -> Result<Map<String, Value>, Failed> {
        let read = values.iter().filter_map(|(name, recorded)| {
            let value = match recorded {
                Recorded::Value(value) => Ok(value.clone()),
                Recorded::Sensitive(kept) => self.sensitive(kept).transpose()?,
            };
            Some(value.map(|value| (name.clone(), value)))
        });
        read.collect()
    }

    /// Notes what a person has said about one of a step's requests, of this attempt.
    fn decided(
        &self,
        replay: &mut Replay,
        requests: &[RequestState],
        attempt: u32,
        decision: &Decision,
    ) -> Result<(), Failed> {
        let named = |number: u32| {
            let mut requests = requests.iter();
            requests.find(|it| it.attempt == attempt && it.number == number)
        };
        match decision {
            Decision::Retry { request, fresh } => {
                if *fresh {
                    replay.forget();
                }
                if let (Some(number), Some(it)) = (request, request.and_then(named)) {
                    replay.not_happened(attempt, &self.asked(*number, &it.asked)?);
                }
            }
            Decision::Happened { request, answer } => {
                if let Some(it) = named(*request) {
                    self.ended(replay, (attempt, *request), &it.asked, answer)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes what came of a changing request, which was the so-manieth of such an attempt.
    fn ended(
        &self,
        replay: &mut Replay,
        at: (u32, u32),
        asked: &journal::Asked,
        outcome: &journal::Outcome,
    ) -> Result<(), Failed> {
        let journal::Outcome::Answered {
            status,
            headers,
            body,
            ..
        } = outcome
        else {
            if matches!(outcome, journal::Outcome::Unknown { .. }) {
                replay.unanswered();
            }
            return Ok(());
        };
        let answered = Outcome::Answered {
            status: *status,
            headers: Headers::new(),
            body: None,
        };
        if !answered.succeeded() {
            return Ok(());
        }
        let headers = headers.as_ref().map(|kept| self.json(kept)).transpose()?;
        let body = body.as_ref().map(|kept| self.bytes(kept)).transpose()?;
        let response = Response {
            status: *status,
            headers: headers.unwrap_or_default(),
            body: body.unwrap_or_default().into(),
        };
        let (attempt, number) = at;
        replay.answered(attempt, &self.asked(number, asked)?, response);
        Ok(())
    }

    fn asked(&self, number: u32, asked: &journal::Asked) -> Result<Asked, Failed> {
        let body = asked
            .body
            .as_ref()
            .map(|kept| self.bytes(kept))
            .transpose()?;
        Ok(Asked {
            number,
            method: asked.method.clone(),
            url: asked.url.clone(),
            slot: asked.slot.clone(),
            credential: asked.credential.clone(),
            body: body.map(Into::into),
            repeatable: asked.repeatable,
            changing: true,
        })
    }

    /// A sensitive value; nothing once its run has ended, when it was erased.
    fn sensitive(&self, kept: &Kept) -> Result<Option<Value>, Failed> {
        let bytes = self.reader.content(self.run, kept);
        let bytes = bytes.map_err(|error| Failed::State(error.into()))?;
        let read = |bytes: Vec<u8>| {
            serde_json::from_slice(&bytes).map_err(|error| Failed::State(error.into()))
        };
        bytes.map(read).transpose()
    }

    fn json<T: serde::de::DeserializeOwned>(&self, kept: &Kept) -> Result<T, Failed> {
        let bytes = self.bytes(kept)?;
        serde_json::from_slice(&bytes).map_err(|error| Failed::State(error.into()))
    }

    fn bytes(&self, kept: &Kept) -> Result<Vec<u8>, Failed> {
        let bytes = self.reader.content(self.run, kept);
        let bytes = bytes.map_err(|error| Failed::State(error.into()))?;
        bytes.ok_or_else(|| {
            Failed::State(
                format!(
                    "the content `{}` of run `{}` is gone",
                    kept.digest, self.run
                )
                .into(),
            )
        })
    }
}

/// Whether a step was begun and isn't finished.
fn goes_on(state: &RunState, step: &journal::StepId) -> bool {
    let goes_on = |status| matches!(status, StepStatus::Running | StepStatus::Waiting);
    state
        .step(step.as_str())
        .is_some_and(|step| goes_on(step.status))
}
