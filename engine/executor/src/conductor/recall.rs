//! Taking up a run that is on record.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sandbook_journal::{self as journal, Reader, RunState, StepState, StepStatus, Waiting};
use sandbook_runbook::StepFacts;
use serde_json::{Value, json};

use super::{Conductor, Timer};
use crate::facts;
use crate::failed::Failed;
use crate::past::Contents;

impl Conductor<'_> {
    /// Tells expressions what the finished steps came to, and goes on with those that were begun.
    pub(super) fn recall(
        &mut self,
        on_record: &RunState,
        mut outputs: BTreeMap<journal::StepId, Value>,
    ) -> Result<(), Failed> {
        // There may be very many of these, and they share what is told of them.
        let mut silent = Vec::new();
        for (index, state) in on_record.steps().enumerate() {
            match (state.status, &state.failure) {
                (StepStatus::Succeeded, _) => match outputs.remove(&state.id) {
                    Some(outputs) => self.tell(index, facts::succeeded(state.changed, outputs)),
                    None if state.changed => self.tell(index, facts::succeeded(true, json!({}))),
                    None => silent.push(index),
                },
                (StepStatus::Failed, Some(failure)) => {
                    self.tell(index, facts::failed(failure));
                }
                (StepStatus::Skipped, _) => self.tell(index, StepFacts::skipped()),
                (StepStatus::RolledBack, _) => self.tell(index, StepFacts::rolled_back()),
                _ => {}
            }
        }
        let silent = silent
            .into_iter()
            .filter(|&index| !self.steps.is_rollback(index));
        let silent = silent.map(|index| &self.steps.get(index).step.id);
        self.scope
            .set_steps(silent, facts::succeeded(false, json!({})));
        for (index, state) in on_record.steps().enumerate() {
            if state.let_go && !state.status.is_ended() {
                self.let_go.insert(index);
            }
            match state.status {
                StepStatus::Running => self.go_on(index, state),
                StepStatus::Waiting => self.wait_on(index, state)?,
                _ => {}
            }
        }
        // What was to be approved by now hasn't been.
        self.ring()
    }

    /// Goes on with a step that was begun, and whose attempt, if one was open, was cut off.
    fn go_on(&mut self, index: usize, state: &StepState) {
        if let Some(doubt) = state.doubt() {
            let request = doubt.number;
            let failure = facts::cut_off_in_doubt();
            let waiting = Waiting::InDoubt { request };
            return self.ask(index, state.attempt, waiting, Some(failure));
        }
        if self.is_cut_off(index) {
            return self.fail_for_good(index, state.attempt, facts::cancelled());
        }
        let next = state.attempt + 1;
        match state.retry_at {
            Some(at) => self.timers.push(Reverse((at, index, Timer::Retry(next)))),
            None => self.go(index, next),
        }
    }

    /// Goes on with a step that waits for a person, if there is a decision by now.
    fn wait_on(&mut self, index: usize, state: &StepState) -> Result<(), Failed> {
        let Some(question) = &state.question else {
            return Ok(());
        };
        self.ask_again(index, state, question);
        if question.given_up {
            self.asking.remove(&index);
            self.fail_for_good(index, state.attempt, facts::cancelled());
        } else if question.decided.is_some() {
            let failed = |error: journal::ReadError| Failed::State(error.into());
            let reader = Reader::open(&self.setting.state).map_err(|error| failed(error.into()))?;
            let run = self.setting.desk.run;
            let contents = Contents {
                reader: &reader,
                run,
            };
            self.resolve(index, state, &contents)?;
        }
        Ok(())
    }
}
