//! Filling an environment's variables into its own strings.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::check;
use crate::expression::Expression;
use crate::fault::Fault;
use crate::grant::{AllowLine, Grant};
use crate::leaf::{allow_fault, template_fault};
use crate::path::Path;
use crate::place::check_path;
use crate::scope::Scope;
use crate::template::Template;

/// The variables, and the faults so far.
pub(super) struct Fill<'a> {
    scope: Scope,
    vars: Value,
    faults: &'a mut Vec<Fault>,
}

impl Fill<'_> {
    pub(super) fn new(vars: Value, faults: &mut Vec<Fault>) -> Fill<'_> {
        Fill {
            scope: Scope::new(&Map::new(), &vars),
            vars,
            faults,
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Checks a path of a file.
    pub(super) fn path(&mut self, path: &str, place: &Path) {
        check_path(path, place, self.faults);
    }

    /// A text with its variables filled in.
    pub(super) fn text(&mut self, text: String, place: &Path) -> Option<String> {
        if !text.contains("${{") {
            return Some(text);
        }
        let value = Value::String(text);
        let template = match Template::parse(&value) {
            Ok(template) => template,
            Err(faults) => {
                self.faults.extend(
                    faults
                        .iter()
                        .map(|fault| template_fault(fault, &value, place)),
                );
                return None;
            }
        };
        let mut expressions = template.expressions().map(|(_, expression)| expression);
        if !expressions.all(|expression| self.knows(expression, place)) {
            return None;
        }
        match template.render(&self.scope) {
            Ok(Value::String(text)) => Some(text),
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Ok(_) => {
                self.fault(Fault::error(
                    place.clone(),
                    "this comes to a list, a mapping or nothing, where text is wanted",
                ));
                None
            }
            Err(fault) => {
                self.fault(Fault::error(place.clone(), fault.fault.to_string()));
                None
            }
        }
    }

    /// Whether an expression names nothing but variables that are there.
    fn knows(&mut self, expression: &Expression, place: &Path) -> bool {
        let before = self.faults.len();
        self.faults
            .extend(check::only_vars(expression, &self.vars, place));
        self.faults.len() == before
    }

    /// A text that is read as something once its variables are filled in.
    pub(super) fn parsed<T: FromStr<Err: ToString>>(
        &mut self,
        text: String,
        place: &Path,
    ) -> Option<T> {
        let text = self.text(text, place)?;
        text.parse()
            .map_err(|fault: T::Err| self.fault(Fault::error(place.clone(), fault.to_string())))
            .ok()
    }

    /// A line of the ceiling.
    pub(super) fn grant(&mut self, text: &str, place: &Path) -> Option<Grant> {
        let line = match AllowLine::parse(text) {
            Ok(line) => line,
            Err(fault) => {
                self.fault(allow_fault(&fault, text, place));
                return None;
            }
        };
        if !line.holes().iter().all(|hole| self.knows(hole, place)) {
            return None;
        }
        line.resolve(&self.scope)
            .map_err(|fault| self.fault(Fault::error(place.clone(), fault.to_string())))
            .ok()
    }
}
