//! What people decide while the run goes on, or decided before it was taken up.

use std::sync::{Arc, Mutex};

use sandbook_journal::{
    self as journal, Decided, Decision, Event, Question, Reader, SkipReason, StepState, Stored,
};
use serde_json::Value;

use super::Conductor;
use crate::agenda::Done;
use crate::facts;
use crate::failed::Failed;
use crate::past::{Contents, Past};
use crate::sensitive;
use crate::story::Story;

impl Conductor<'_> {
    /// Acts on what was said about the run meanwhile.
    pub(super) fn take_news(&mut self, stored: &Arc<Stored>) -> Result<(), Failed> {
        match &stored.event {
            Event::Decided { step, .. } => {
                let index = self.steps.index(step.as_str());
                if self.asking.contains_key(&index) {
                    self.look_at_decision(index, step)?;
                }
            }
            Event::CancelRequested {
                by,
                reason,
                rollback,
            } => {
                let cancelling = journal::Cancelling {
                    by: by.clone(),
                    reason: reason.clone(),
                    rollback: *rollback,
                };
                self.cancel(cancelling);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a step that waits up from the record, as if the run were taken up there: what people have said about its
    /// requests is part of what its next attempt is answered from.
    pub(super) fn look_at_decision(
        &mut self,
        index: usize,
        step: &journal::StepId,
    ) -> Result<(), Failed> {
        let failed = |error: journal::ReadError| Failed::State(error.into());
        let reader = Reader::open(&self.setting.state).map_err(|error| failed(error.into()))?;
        let run = self.setting.desk.run;
        let contents = Contents {
            reader: &reader,
            run,
        };
        let mut past = Past::of(Story::read(&reader, run)?, &contents)?;
        let replay = past.replays.remove(step).unwrap_or_default();
        self.replays.insert(index, Arc::new(Mutex::new(replay)));
        self.resolve(index, past.state.step_at(index), &contents)
    }

    /// Does what was decided about a step, once it is.
    pub(super) fn resolve(
        &mut self,
        index: usize,
        state: &StepState,
        contents: &Contents<'_>,
    ) -> Result<(), Failed> {
        let Some(question) = &state.question else {
            return Ok(());
        };
        let attempt = state.attempt;
        let Some(decided) = &question.decided else {
            return Ok(());
        };
        self.asking.remove(&index);
        let why = facts::said_by(decided);
        match &decided.decision {
            Decision::Approve => {
                let mut output = facts::nothing_changed();
                output.summary = approved_by(question);
                self.succeed(index, attempt, output);
            }
            Decision::Reject => {
                self.fail(index, attempt, facts::rejected(&why), None);
            }
            Decision::Happened { .. } | Decision::Retry { .. } => {
                self.failures[index] = 0;
                if self.is_cut_off(index) {
                    self.fail_for_good(index, attempt, facts::cancelled());
                } else {
                    self.go(index, attempt + 1);
                }
            }
            Decision::Skip => {
                self.skip(index, SkipReason::Decided, Done::Satisfied);
            }
            Decision::Done { outputs } => {
                let data = Value::Object(contents.values(outputs)?);
                self.write(Event::StepSucceeded {
                    step: self.steps.id(index),
                    attempt,
                    outputs: outputs.clone(),
                    changed: true,
                    summary: Some(format!("done by hand, {why}")),
                    unknown: false,
                });
                for text in sensitive::recorded_texts(outputs, &data) {
                    self.setting.bench.redactor.hide_sensitive(&text);
                }
                self.has_succeeded(index, true, data);
            }
            Decision::Abort => self.give_up(index, state, decided),
        }
        Ok(())
    }

    /// A person has given the step up: it breaks the run, whatever the runbook says of its failures.
    fn give_up(&mut self, index: usize, state: &StepState, decided: &Decided) {
        let failure = state.failure.clone();
        let failure = failure.unwrap_or_else(|| facts::aborted(&facts::said_by(decided)));
        let in_doubt = state.doubt().map(|doubt| doubt.number);
        self.end_failed(index, state.attempt, failure, in_doubt, false);
    }
}

fn approved_by(question: &Question) -> String {
    let names: Vec<&str> = question
        .approvals
        .iter()
        .map(|approval| approval.by.name.as_str())
        .collect();
    format!("approved by {}", names.join(", "))
}
