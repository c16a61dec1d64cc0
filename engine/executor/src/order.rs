//! A run's steps by index, section by section and then what undoes them, and the order in which they may start.

use std::collections::HashMap;
use std::ops::Range;

use sandbook_journal::{self as journal, ROLLBACK};
use sandbook_runbook::{Needs, Plan, Planned};

use crate::agenda::{Order, Wants};

/// The steps of all sections, one behind the other, and behind them their rollbacks.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    steps: Vec<&'a Planned>,
    ids: Vec<journal::StepId>,
    index: HashMap<journal::StepId, usize>,
    /// Where each section begins: `on_failure`, `finally`, and the rollbacks.
    on_failure: usize,
    finally: usize,
    rollbacks: usize,
}

impl<'a> Steps<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Steps<'a> {
        let sections = [&plan.steps, &plan.on_failure, &plan.finally];
        let mut steps: Vec<&Planned> = sections.into_iter().flatten().collect();
        let mut ids: Vec<journal::StepId> = steps.iter().map(|planned| own_id(planned)).collect();
        let rollbacks = steps.len();
        for planned in plan.rollbacks() {
            steps.push(planned);
            ids.push(rollback_id(planned));
        }
        let index = ids.iter().cloned().zip(0..).collect();
        Steps {
            steps,
            ids,
            index,
            on_failure: plan.steps.len(),
            finally: plan.steps.len() + plan.on_failure.len(),
            rollbacks,
        }
    }

    pub(crate) fn get(&self, index: usize) -> &'a Planned {
        self.steps[index]
    }

    /// A step's id, as the record has it.
    pub(crate) fn id(&self, index: usize) -> journal::StepId {
        self.ids[index].clone()
    }

    /// The index of a step that the run has.
    pub(crate) fn index(&self, id: &str) -> usize {
        self.index[id]
    }

    /// The index of what undoes a step, where something does.
    pub(crate) fn rollback_of(&self, index: usize) -> Option<usize> {
        let planned = self.steps[index].rollback.as_ref()?;
        self.index.get(&rollback_id(planned)).copied()
    }

    pub(crate) fn is_rollback(&self, index: usize) -> bool {
        index >= self.rollbacks
    }

    /// Whether a step is one of the runbook's own, or of those that run when the run fails.
    pub(crate) fn is_before_finally(&self, index: usize) -> bool {
        index < self.finally
    }

    pub(crate) fn main(&self) -> Range<usize> {
        0..self.on_failure
    }

    pub(crate) fn order(&self) -> Order {
        Order {
            needs: (0..self.steps.len())
                .map(|index| self.wants(index))
                .collect(),
            steps: self.main(),
            on_failure: self.on_failure..self.finally,
            finally: self.finally..self.rollbacks,
            rollbacks: self.rollbacks..self.steps.len(),
        }
    }

    fn wants(&self, index: usize) -> Wants {
        match &self.steps[index].step.needs {
            Needs::AllBefore => Wants::AllBefore,
            Needs::These(ids) => {
                Wants::These(ids.iter().map(|id| self.index(id.as_str())).collect())
            }
        }
    }
}

pub(crate) fn own_id(planned: &Planned) -> journal::StepId {
    journal::StepId::new(planned.step.id.as_str())
}

/// The id of what undoes a step. No step has it: the language's ids have no dot.
pub(crate) fn rollback_id(planned: &Planned) -> journal::StepId {
    journal::StepId::new(format!("{}{ROLLBACK}", planned.step.id))
}
