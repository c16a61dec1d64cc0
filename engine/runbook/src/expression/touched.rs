//! The names that an expression touches.

use std::fmt;

use crate::names::StepId;

/// A name that an expression touches, as far as its text says it: `inputs.x`, `steps.a.outputs.b`, `run.status`.
///
/// What is looked up by a computed key is touched as a whole: `steps[vars.which].outputs` touches `steps` and
/// `vars.which`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Touched {
    names: Vec<String>,
    step: Option<StepId>,
}

impl Touched {
    pub(super) fn new(names: Vec<String>) -> Touched {
        let step = match &names[..] {
            [root, id, ..] if root == "steps" => StepId::new(id.as_str()).ok(),
            _ => None,
        };
        Touched { names, step }
    }

    /// Where the name begins: `inputs`, `vars`, `steps`, `run`, or whatever the expression says.
    pub fn root(&self) -> &str {
        self.names.first().map(String::as_str).unwrap_or_default()
    }

    /// The names, from the root on.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is named directly below the root: an input, a variable, a step, a fact of the run.
    pub fn member(&self) -> Option<&str> {
        self.names.get(1).map(String::as_str)
    }

    /// The step that it belongs to; none where it is no step's, or the name can't be one.
    pub fn step(&self) -> Option<&StepId> {
        self.step.as_ref()
    }

    /// The output of a step that it names.
    pub fn output(&self) -> Option<&str> {
        match &self.names[..] {
            [steps, _, outputs, name, ..] if steps == "steps" && outputs == "outputs" => Some(name),
            _ => None,
        }
    }

    /// Whether it may be any step's: `steps` without a name behind it.
    pub fn is_all_steps(&self) -> bool {
        self.names.len() == 1 && self.root() == "steps"
    }
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join("."))
    }
}
