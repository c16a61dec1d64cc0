//! Taking up a run that is on record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sandbook_journal::{self as journal, StepState, StepStatus};
use sandbook_runbook::{Action, StepFacts};
use serde_json::Value;

use super::{Conductor, Timer};
use crate::facts;

impl Conductor<'_> {
    /// Tells expressions what the finished steps came to, and goes on with those that were begun.
    pub(super) fn recall(
        &mut self,
        on_record: &[StepState],
        outputs: &BTreeMap<journal::StepId, Value>,
    ) {
        for (index, state) in on_record.iter().enumerate() {
            let id = &self.steps.get(index).step.id;
            match (state.status, &state.failure) {
                (StepStatus::Succeeded, _) => {
                    let outputs = outputs.get(&state.id).cloned().unwrap_or_default();
                    let succeeded = facts::succeeded(state.changed, outputs);
                    self.scope.set_step(id, &succeeded);
                }
                (StepStatus::Failed, Some(failure)) => {
                    self.scope.set_step(id, &facts::failed(failure));
                }
                (StepStatus::Skipped, _) => self.scope.set_step(id, &StepFacts::skipped()),
                _ => {}
            }
        }
        for (index, state) in on_record.iter().enumerate() {
            if state.status == StepStatus::Running {
                self.go_on(index, state);
            }
        }
    }

    /// Goes on with a step that was begun, and whose attempt, if one was open, was cut off.
    fn go_on(&mut self, index: usize, state: &StepState) {
        let next = state.attempt + 1;
        if let Some(doubt) = state.doubt() {
            let failure = facts::cut_off_in_doubt();
            return self.fail(index, state.attempt, failure, Some(doubt.number));
        }
        if let Some(retry_at) = state.retry_at {
            let retry = Timer::Retry(next);
            return self.timers.push(Reverse((retry_at, index, retry)));
        }
        match self.steps.get(index).step.action {
            Action::Plugin(_) => self.enqueue(index, next),
            Action::Wait(_) | Action::Assert(_) => self.begin(self.due(index, next)),
        }
    }
}
