//! Undoing what was done.

use sandbook_journal::{Event, RunState, StepState, StepStatus};
use sandbook_runbook::OnFailure;

use super::Conductor;
use crate::agenda::Undo;
use crate::order::Steps;

/// Whether what a run has done is to be undone, by what is on record of it.
pub(super) fn undo(state: &RunState, steps: &Steps<'_>) -> Undo {
    if let Some(ids) = state.rollback() {
        return Undo::By(ids.iter().map(|id| steps.index(id.as_str())).collect());
    }
    let asked_for = state.cancelling().is_some_and(|it| it.rollback) || state.is_undoing();
    let broke = |(index, step): (usize, &StepState)| {
        step.status == StepStatus::Failed
            && !step.let_pass
            && !steps.is_rollback(index)
            && steps.get(index).step.on_failure == OnFailure::Rollback
    };
    if asked_for || state.steps().enumerate().any(broke) {
        Undo::Wanted
    } else {
        Undo::No
    }
}

impl Conductor<'_> {
    /// Undoes what the steps that succeeded have changed, the last one first. One that changed nothing has nothing
    /// to be undone: what it found may be somebody else's work.
    pub(super) fn roll_back(&mut self) {
        let changed = self.succeeded.iter().rev().filter(|(_, changed)| *changed);
        let rollbacks = changed.filter_map(|(index, _)| self.steps.rollback_of(*index));
        let rollbacks: Vec<usize> = rollbacks.collect();
        self.write(Event::RollbackStarted {
            steps: rollbacks
                .iter()
                .map(|&index| self.steps.id(index))
                .collect(),
        });
        self.agenda.roll_back(rollbacks);
    }
}
