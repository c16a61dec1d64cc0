//! A plan's steps by index, section by section, and the order in which they may start.

use std::collections::HashMap;
use std::ops::Range;

use sandbook_runbook::{Needs, Plan, Planned};

use crate::agenda::{Order, Wants};

/// The steps of all sections, one behind the other.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    steps: Vec<&'a Planned>,
    index: HashMap<&'a str, usize>,
    /// Where the runbook's steps end and `on_failure` begins; where that ends and `finally` begins.
    ends: (usize, usize),
}

impl<'a> Steps<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Steps<'a> {
        let steps: Vec<&Planned> = plan
            .steps
            .iter()
            .chain(&plan.on_failure)
            .chain(&plan.finally)
            .collect();
        let index = steps
            .iter()
            .enumerate()
            .map(|(index, planned)| (planned.step.id.as_str(), index))
            .collect();
        let first = plan.steps.len();
        Steps {
            steps,
            index,
            ends: (first, first + plan.on_failure.len()),
        }
    }

    pub(crate) fn get(&self, index: usize) -> &'a Planned {
        self.steps[index]
    }

    /// The index of a step that the plan has.
    pub(crate) fn index(&self, id: &str) -> usize {
        self.index[id]
    }

    pub(crate) fn main(&self) -> Range<usize> {
        0..self.ends.0
    }

    pub(crate) fn order(&self) -> Order {
        Order {
            needs: self
                .steps
                .iter()
                .map(|planned| self.wants(&planned.step.needs))
                .collect(),
            steps: self.main(),
            on_failure: self.ends.0..self.ends.1,
            finally: self.ends.1..self.steps.len(),
        }
    }

    fn wants(&self, needs: &Needs) -> Wants {
        match needs {
            Needs::AllBefore => Wants::AllBefore,
            Needs::These(ids) => {
                Wants::These(ids.iter().map(|id| self.index(id.as_str())).collect())
            }
        }
    }
}
