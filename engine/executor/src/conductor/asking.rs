//! Steps that wait for a person: what they ask, and what becomes of them when nobody answers in time.

use std::cmp::Reverse;

use sandbook_journal::{self as journal, Event, HandIn, Question, StepState, Waiting};
use sandbook_runbook::{Approval, Manual, OnDoubt, StepFacts, Template};
use serde_json::Value;

use super::{Asking, Conductor, Timer};
use crate::agenda::Done;
use crate::facts::{self, millis};
use crate::failed::Failed;
use crate::sensitive;

impl Conductor<'_> {
    /// A step waits for a person to say how it goes on.
    pub(super) fn ask(
        &mut self,
        index: usize,
        attempt: u32,
        waiting: Waiting,
        failure: Option<journal::Failure>,
    ) {
        let step = &self.steps.get(index).step;
        let in_doubt = matches!(waiting, Waiting::InDoubt { .. });
        let let_go = in_doubt && step.on_doubt == OnDoubt::Continue;
        let asking = asking(attempt, &waiting);
        self.write(Event::StepWaiting {
            step: self.steps.id(index),
            attempt,
            waiting: self.shown(waiting),
            failure: failure.map(|failure| self.redacted(failure)),
            let_go,
        });
        self.asking.insert(index, asking);
        self.tell(index, StepFacts::waiting());
        if let_go && self.let_go.insert(index) {
            self.agenda.done(index, Done::Satisfied);
        }
    }

    /// Takes up a question that is on record.
    pub(super) fn ask_again(&mut self, index: usize, state: &StepState, question: &Question) {
        let attempt = state.attempt;
        self.asking
            .insert(index, asking(attempt, &question.waiting));
        if let Waiting::Approval {
            expires_at: Some(at),
            ..
        } = question.waiting
        {
            self.timers
                .push(Reverse((at, index, Timer::Expired(attempt))));
        }
        self.tell(index, StepFacts::waiting());
    }

    pub(super) fn ask_for_approval(
        &mut self,
        index: usize,
        attempt: u32,
        approval: &Approval,
    ) -> Result<(), journal::Failure> {
        let message = self.text(&approval.message, "approval")?;
        let now = self.setting.clock.now();
        let expires_at = approval
            .timeout
            .map(|timeout| now.saturating_add(millis(timeout)));
        if let Some(at) = expires_at {
            self.timers
                .push(Reverse((at, index, Timer::Expired(attempt))));
        }
        let waiting = Waiting::Approval {
            message,
            min: approval.min,
            approvers: approval.approvers.clone(),
            allow_self: approval.allow_self,
            expires_at,
        };
        self.ask(index, attempt, waiting, None);
        Ok(())
    }

    pub(super) fn ask_for_hands(
        &mut self,
        index: usize,
        attempt: u32,
        manual: &Manual,
    ) -> Result<(), journal::Failure> {
        let instructions = self.text(&manual.instructions, "manual")?;
        let outputs = manual.outputs.iter().map(|output| {
            let hand_in = HandIn {
                kind: output.kind.as_str().to_owned(),
                required: output.required,
                sensitive: output.sensitive,
            };
            (output.name.to_string(), hand_in)
        });
        let waiting = Waiting::Manual {
            instructions,
            outputs: outputs.collect(),
        };
        self.ask(index, attempt, waiting, None);
        Ok(())
    }

    /// In a section that was stopped, nobody is asked any more for what would only lead on.
    pub(super) fn ask_nothing_in_vain(&mut self) {
        if !self.agenda.is_stopped() || self.broke.is_none() {
            return;
        }
        for (index, asking) in self.asking.clone() {
            if asking.before_the_work && self.agenda.is_under_way(index) {
                self.asking.remove(&index);
                self.fail_for_good(index, asking.attempt, facts::stopped());
            }
        }
    }

    /// Nobody has approved in time, unless somebody has just before and it isn't known here yet.
    pub(super) fn expire(&mut self, index: usize, attempt: u32) -> Result<(), Failed> {
        let expires = |asking: &Asking| asking.expires && asking.attempt == attempt;
        if !self.asking.get(&index).is_some_and(expires) {
            return Ok(());
        }
        let step = self.steps.id(index);
        self.look_at_decision(index, &step)?;
        if self.asking.get(&index).is_some_and(expires) {
            self.asking.remove(&index);
            self.fail(index, attempt, facts::not_approved_in_time(), None);
        }
        Ok(())
    }

    fn text(&self, template: &Template, key: &str) -> Result<String, journal::Failure> {
        match template.render(&self.scope) {
            Ok(Value::String(text)) => Ok(text),
            Ok(other) => Ok(other.to_string()),
            Err(fault) => Err(facts::invalid(format!("its `{key}`: {fault}"))),
        }
    }

    /// What is asked, without what is sensitive.
    fn shown(&self, mut waiting: Waiting) -> Waiting {
        let redactor = &self.setting.bench.redactor;
        match &mut waiting {
            Waiting::Approval { message: text, .. }
            | Waiting::Manual {
                instructions: text, ..
            } => sensitive::redact_text(redactor, text),
            Waiting::Diverged { recorded, asked } => {
                sensitive::redact_text(redactor, recorded);
                sensitive::redact_text(redactor, asked);
            }
            Waiting::Paused | Waiting::InDoubt { .. } => {}
        }
        waiting
    }
}

fn asking(attempt: u32, waiting: &Waiting) -> Asking {
    Asking {
        attempt,
        in_doubt: matches!(waiting, Waiting::InDoubt { .. }),
        before_the_work: matches!(waiting, Waiting::Approval { .. } | Waiting::Manual { .. }),
        expires: matches!(
            waiting,
            Waiting::Approval {
                expires_at: Some(_),
                ..
            }
        ),
    }
}
