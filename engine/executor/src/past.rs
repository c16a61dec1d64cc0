//! What is on record of a run, as far as it takes to go on with it.

use std::collections::{BTreeMap, HashMap};

use sandbook_journal::{
    self as journal, Event, Kept, Reader, Recorded, RunId, RunState, StepStatus, Stored, Values,
};
use sandbook_runbook::StepId;
use sandbook_sandbox::gate::{Asked, Headers, Outcome, Response};
use serde_json::{Map, Value};

use crate::failed::Failed;
use crate::replay::Replay;
use crate::sensitive;

/// A run's past. That of a new run is its start.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) state: RunState,
    /// Of the steps that were begun: what a new attempt is answered from.
    pub(crate) replays: HashMap<journal::StepId, Replay>,
    /// What the steps that succeeded have put out.
    pub(crate) outputs: BTreeMap<journal::StepId, Value>,
    /// Steps that failed and were let pass.
    pub(crate) passed: Vec<journal::StepId>,
    /// The first step that broke, and why.
    pub(crate) broke: Option<(StepId, String)>,
}

/// Reads what lies outside the chain.
pub(crate) struct Contents<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) run: RunId,
}

impl Past {
    /// The past of a run from its log, and from what its log speaks of.
    ///
    /// # Errors
    ///
    /// What is on record can't be read, or isn't there any more.
    pub(crate) fn of(
        state: RunState,
        events: &[Stored],
        contents: &Contents<'_>,
    ) -> Result<Past, Failed> {
        let mut past = Past::default();
        for step in state.steps() {
            if step.status == StepStatus::Succeeded {
                let outputs = contents.values(&step.outputs)?;
                past.outputs.insert(step.id.clone(), Value::Object(outputs));
            }
        }
        let mut begun: HashMap<&journal::StepId, &journal::Asked> = HashMap::new();
        for stored in events {
            match &stored.event {
                Event::StepStarted { step, .. } if goes_on(&state, step) => {
                    let replay = past.replays.entry(step.clone()).or_default();
                    // The attempt before was cut off while this was under way.
                    if begun.remove(step).is_some() {
                        replay.unanswered();
                    }
                    replay.rewind();
                }
                Event::RequestBegun { step, asked, .. } if goes_on(&state, step) => {
                    begun.insert(step, asked);
                }
                Event::RequestEnded { step, outcome, .. } => {
                    if let Some(asked) = begun.remove(step) {
                        let replay = past.replays.entry(step.clone()).or_default();
                        contents.ended(replay, asked, outcome)?;
                    }
                }
                Event::AttemptFailed { step, failure, .. } if failure.start_over => {
                    past.replays.entry(step.clone()).or_default().clear();
                }
                Event::StepFailed {
                    step,
                    let_pass: true,
                    ..
                } => past.passed.push(step.clone()),
                Event::StepFailed { step, failure, .. } if past.broke.is_none() => {
                    let step = StepId::new(step.as_str()).map_err(|error| {
                        Failed::State(format!("the record has a step `{step}`: {error}").into())
                    })?;
                    past.broke = Some((step, failure.message.clone()));
                }
                _ => {}
            }
        }
        for step in begun.into_keys() {
            past.replays.entry(step.clone()).or_default().unanswered();
        }
        past.replays.retain(|step, _| goes_on(&state, step));
        past.state = state;
        Ok(past)
    }

    /// The texts of what steps have put out and is sensitive, which nothing is to show.
    pub(crate) fn sensitive_texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for step in self.state.steps() {
            let Some(outputs) = self.outputs.get(&step.id) else {
                continue;
            };
            for (name, recorded) in &step.outputs {
                if matches!(recorded, Recorded::Sensitive(_)) {
                    texts.extend(sensitive::texts(&outputs[name]));
                }
            }
        }
        texts
    }
}

impl Contents<'_> {
    /// Inputs or outputs, with the sensitive ones.
    pub(crate) fn values(&self, values: &Values) -> Result<Map<String, Value>, Failed> {
        let read = values.iter().map(|(name, recorded)| {
            let value = match recorded {
                Recorded::Value(value) => value.clone(),
                Recorded::Sensitive(kept) => self.json(kept)?,
            };
            Ok((name.clone(), value))
        });
        read.collect()
    }

    fn ended(
        &self,
        replay: &mut Replay,
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
        replay.answered(&self.asked(asked)?, response);
        Ok(())
    }

    fn asked(&self, asked: &journal::Asked) -> Result<Asked, Failed> {
        let body = asked
            .body
            .as_ref()
            .map(|kept| self.bytes(kept))
            .transpose()?;
        Ok(Asked {
            number: 0,
            method: asked.method.clone(),
            url: asked.url.clone(),
            slot: asked.slot.clone(),
            credential: asked.credential.clone(),
            body: body.map(Into::into),
            repeatable: asked.repeatable,
            changing: true,
        })
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
    state
        .step(step.as_str())
        .is_some_and(|step| step.status == StepStatus::Running)
}
