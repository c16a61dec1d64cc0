//! What a whole run's status forbids, and what of it a step has to know.

use super::{Illegal, Pause, Question, RunState, StepState, StepStatus, is_owed};
use crate::event::{Event, FinalStatus, Operator, ROLLBACK, SkipReason, StepId};

/// What an event's legality depends on beside its step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    /// Milliseconds since the epoch.
    pub(super) time: u64,
    /// The run is being cancelled.
    pub(super) cancelling: bool,
    /// A step has broken the run.
    pub(super) broke: bool,
    /// Who started the run.
    pub(super) starter: &'a Operator,
}

impl RunState {
    pub(super) fn refuse_by_status(&self, event: &Event) -> Result<(), Illegal> {
        let Some(facts) = self.facts() else {
            return if matches!(event, Event::RunStarted(_)) {
                Ok(())
            } else {
                Err(Illegal::NotStarted)
            };
        };
        if matches!(event, Event::Noted { .. }) {
            return Ok(());
        }
        if self.finish.is_some() {
            return match event {
                Event::UndoRequested { .. } => self.refuse_undo(facts.dry_run),
                _ => Err(Illegal::Finished),
            };
        }
        if matches!(event, Event::RunStarted(_)) {
            return Err(Illegal::StartedTwice);
        }
        let from_elsewhere = matches!(
            event,
            Event::RunResumed { .. } | Event::Decided { .. } | Event::CancelRequested { .. }
        );
        match self.pause {
            Some(Pause::Interrupted) if !from_elsewhere => return Err(Illegal::Interrupted),
            Some(Pause::Waiting) if !from_elsewhere => return Err(Illegal::Waiting),
            _ => {}
        }
        refuse_by_dryness(event, facts.dry_run)
    }

    pub(super) fn refuse_finish(&self, status: FinalStatus) -> Result<(), Illegal> {
        if let Some(step) = self.busy().next() {
            return Err(unfinished_by(step));
        }
        // The tally spares a look at all steps.
        if status != FinalStatus::Succeeded || (self.tally.owed == 0 && self.tally.broke == 0) {
            return Ok(());
        }
        let dry_run = self.facts().is_some_and(|facts| facts.dry_run);
        let mut steps = self.steps();
        let unfinished = steps.find(|step| match step.status {
            StepStatus::Failed => !step.let_pass && !dry_run,
            status => is_owed(step.section) && !status.is_ended(),
        });
        unfinished.map_or(Ok(()), |step| Err(unfinished_by(step)))
    }

    /// A run waits where some step waits for a person, and nothing else is to be done by now.
    pub(super) fn refuse_waiting(&self) -> Result<(), Illegal> {
        let questions = || self.busy().filter_map(|step| step.question.as_deref());
        let is_running = |step: &StepState| step.status == StepStatus::Running;
        let is_answered = |question: &Question| question.decided.is_some() || question.given_up;
        if questions().next().is_none()
            || questions().any(is_answered)
            || self.busy().any(is_running)
        {
            return Err(Illegal::NotWaiting);
        }
        Ok(())
    }

    /// Undone is once, and what can be undone.
    fn refuse_undo(&self, dry_run: bool) -> Result<(), Illegal> {
        let can_be = |&at: &usize| {
            let step = &self.steps[at];
            step.changed
                && self
                    .index
                    .contains_key(format!("{}{ROLLBACK}", step.id).as_str())
        };
        if self.rollback.is_some() {
            Err(Illegal::UndoneTwice)
        } else if dry_run || !self.succeeded.iter().any(can_be) {
            Err(Illegal::NothingToUndo)
        } else {
            Ok(())
        }
    }

    pub(super) fn refuse_unless_failed(&self, id: &StepId) -> Result<(), Illegal> {
        let step = self
            .step(id.as_str())
            .ok_or_else(|| Illegal::UnknownStep { step: id.clone() })?;
        match step.status {
            StepStatus::Failed => Ok(()),
            status => Err(Illegal::NotFailed {
                step: id.clone(),
                status,
            }),
        }
    }
}

fn unfinished_by(step: &StepState) -> Illegal {
    Illegal::Unfinished {
        step: step.id.clone(),
        status: step.status,
    }
}

/// A dry run begins no request that may change something; only a dry run holds back and lists.
fn refuse_by_dryness(event: &Event, dry_run: bool) -> Result<(), Illegal> {
    let what = match (event, dry_run) {
        (Event::RequestBegun { .. }, true) => "a changing request",
        (Event::RequestHeld { .. }, false) => "a held-back request",
        (Event::StepSucceeded { unknown: true, .. }, false) => "an unknown output",
        (
            Event::StepSkipped {
                reason: SkipReason::Listed { .. } | SkipReason::ListedOnly,
                ..
            },
            false,
        ) => "a step that is only listed",
        _ => return Ok(()),
    };
    Err(Illegal::DryRun { what, dry_run })
}
