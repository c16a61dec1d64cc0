//! Would an expression be defined if a step had not succeeded?

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::{ExprProblem, Expression};
use crate::names::StepId;
use crate::scope::{StepFacts, step_value};

impl Expression {
    /// Whether the expression certainly comes out undefined when this step was skipped, or when it failed: its
    /// outputs are empty then.
    ///
    /// Nothing else is known, so all other names are taken to be there. The answer is yes only if the
    /// expression is undefined whatever truth they have; that an expression can't be evaluated for another
    /// reason says nothing.
    pub fn is_undefined_without(&self, step: &StepId) -> bool {
        [StepFacts::skipped(), StepFacts::failed(None)]
            .iter()
            .any(|facts| {
                [true, false].into_iter().all(|truth| {
                    let world = World {
                        step: step.clone(),
                        facts: step_value(facts),
                        rest: Anything { truth },
                    };
                    let evaluated = self.evaluate(Value::from_object(world));
                    matches!(evaluated, Err(ExprProblem::Undefined(_)))
                })
            })
    }
}

/// All that an expression can name: one step as given, and everything else is anything.
#[derive(Debug)]
struct World {
    step: StepId,
    facts: Value,
    rest: Anything,
}

/// Has every attribute and every index; each is anything again.
#[derive(Debug, Clone, Copy)]
struct Anything {
    truth: bool,
}

/// All steps: one as given, the others anything.
#[derive(Debug)]
struct Steps(Arc<World>);

impl Object for World {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str() {
            Some("steps") => Some(Value::from_object(Steps(self.clone()))),
            _ => Some(Value::from_object(self.rest)),
        }
    }
}

impl Object for Steps {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.as_str() == Some(self.0.step.as_str()) {
            Some(self.0.facts.clone())
        } else {
            Some(Value::from_object(self.0.rest))
        }
    }
}

impl Object for Anything {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from_dyn_object(self.clone()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["anything"])
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.truth
    }
}
