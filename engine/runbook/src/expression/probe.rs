//! Would an expression be defined if a step had ended in one way or another?

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::{ExprProblem, Expression};
use crate::names::StepId;

/// How a step stands when an expression looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It hasn't run: it has neither outputs nor an error.
    NotRun,
    /// It was skipped: it has neither outputs nor an error.
    Skipped,
    /// It waits for a person: it has neither outputs nor an error.
    Waiting,
    /// It failed: it has an error and no outputs.
    Failed,
    /// It succeeded: it has outputs and no error.
    Succeeded,
}

impl Expression {
    /// Whether the expression certainly comes out undefined when a step stands like this.
    ///
    /// Nothing else is known, so all other names are taken to be there. The answer is yes only if the
    /// expression is undefined whatever truth they have; that an expression can't be evaluated for another
    /// reason says nothing.
    pub fn is_undefined_when(&self, step: &StepId, stand: Stand) -> bool {
        [true, false].into_iter().all(|truth| {
            let rest = Anything { truth, depth: 3 };
            let world = World {
                step: step.clone(),
                facts: stand.facts(rest),
                rest,
            };
            let evaluated = self.evaluate(Value::from_object(world));
            matches!(evaluated, Err(ExprProblem::Undefined(_)))
        })
    }
}

impl Stand {
    fn facts(self, rest: Anything) -> Value {
        let anything = || Value::from_object(rest);
        let nothing = || Value::from(());
        let none = || Value::from_pairs([("", ""); 0]);
        let (status, changed, outputs, error) = match self {
            Stand::NotRun => ("pending", Value::from(false), none(), nothing()),
            Stand::Skipped => ("skipped", Value::from(false), none(), nothing()),
            Stand::Waiting => ("waiting", anything(), none(), nothing()),
            Stand::Failed => ("failed", anything(), none(), anything()),
            Stand::Succeeded => ("succeeded", anything(), anything(), nothing()),
        };
        Value::from_pairs([
            ("status", Value::from(status)),
            ("changed", changed),
            ("outputs", outputs),
            ("error", error),
        ])
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
    /// How many levels of it are enumerated: what is written out or compared as a whole has an end.
    depth: u8,
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
        Some(Value::from_object(Anything {
            truth: self.truth,
            depth: self.depth.saturating_sub(1),
        }))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.depth {
            0 => Enumerator::Empty,
            _ => Enumerator::Str(&["anything"]),
        }
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.truth
    }
}
