//! Reading the leaves of a document: names, durations, expressions, templates. What is wrong becomes a
//! fault at its place, and reading goes on.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::duration::parse_duration;
use crate::expression::Expression;
use crate::fault::Fault;
use crate::grant::{AllowFault, AllowLine};
use crate::path::{Path, Segment};
use crate::scope::Scope;
use crate::template::{Template, TemplateFault, TemplateProblem};

/// The faults that were found so far.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) faults: Vec<Fault>,
}

impl Reader {
    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// What is read; where a fault says why it can't be, something in its place, so that the rest can be
    /// looked at.
    pub(crate) fn or_told<T>(
        &mut self,
        read: impl FnOnce(&mut Reader) -> Option<T>,
        instead: impl FnOnce() -> T,
    ) -> Option<T> {
        let before = self.faults.len();
        read(self).or_else(|| (self.faults.len() > before).then(instead))
    }

    /// What was read; an error becomes a fault at the place.
    pub(crate) fn take<T, E: Display>(&mut self, read: Result<T, E>, place: &Path) -> Option<T> {
        read.map_err(|error| self.fault(Fault::error(place.clone(), error.to_string())))
            .ok()
    }

    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        text: &str,
        place: &Path,
    ) -> Option<T> {
        self.take(text.parse(), place)
    }

    pub(crate) fn duration(&mut self, text: &str, place: &Path) -> Option<Duration> {
        self.take(parse_duration(text), place)
    }

    /// An expression that must come to true or false.
    pub(crate) fn condition(&mut self, value: &Value, place: &Path) -> Option<Expression> {
        let text = match value {
            Value::Bool(truth) => truth.to_string(),
            Value::String(text) => text.clone(),
            // The shape's faults say it.
            _ => return None,
        };
        let expression = match Expression::parse(&text) {
            Ok(expression) => expression,
            Err(fault) => {
                let part = text.get(fault.at.clone()).unwrap_or_default();
                self.fault(Fault::error(place.clone(), fault.problem.to_string()).on_part(part));
                return None;
            }
        };
        // What touches nothing comes to the same whatever the run knows.
        let nothing = Scope::new(&Map::new(), &Value::Null);
        if expression.touches().is_empty() && expression.eval_bool(&nothing).is_err() {
            let fault = Fault::error(
                place.clone(),
                format!("`{expression}` is not true or false"),
            );
            self.fault(
                fault.help(
                    "write an expression such as `inputs.move_database` or `steps.a.changed`",
                ),
            );
            return None;
        }
        Some(expression)
    }

    /// A step's allow line.
    pub(crate) fn allow_line(&mut self, text: &str, place: &Path) -> Option<AllowLine> {
        AllowLine::parse(text)
            .map_err(|fault| self.fault(allow_fault(&fault, text, place)))
            .ok()
    }

    /// A value with expressions in any of its strings.
    pub(crate) fn template(&mut self, value: &Value, place: &Path) -> Option<Template> {
        match Template::parse(value) {
            Ok(template) => Some(template),
            Err(faults) => {
                self.faults.extend(
                    faults
                        .iter()
                        .map(|fault| template_fault(fault, value, place)),
                );
                None
            }
        }
    }
}

/// What is wrong with an allow line, shown at the part that is meant.
pub(crate) fn allow_fault(fault: &AllowFault, text: &str, place: &Path) -> Fault {
    let told = Fault::error(place.clone(), fault.to_string());
    match fault {
        AllowFault::Hole(hole) => told.on_part(text.get(hole.at.clone()).unwrap_or_default()),
        AllowFault::TooEarly(name) => told.on_part(name),
        AllowFault::Line(line) => Fault {
            message: format!("this is not an allow line: {line}"),
            ..told
        },
    }
}

/// What is wrong in one of a template's texts, shown at the part that is meant.
pub(crate) fn template_fault(fault: &TemplateFault, value: &Value, place: &Path) -> Fault {
    let place = place.extend(fault.path.segments().iter().cloned());
    let told = Fault::error(place, fault.problem.to_string());
    match (&fault.problem, text_at(value, &fault.path)) {
        (TemplateProblem::Key, _) => told.on_key(),
        (TemplateProblem::Expression(_), Some(text)) => {
            told.on_part(text.get(fault.at.clone()).unwrap_or_default())
        }
        (TemplateProblem::Expression(_), None) => told,
    }
}

fn text_at<'a>(value: &'a Value, path: &Path) -> Option<&'a str> {
    let found = path
        .segments()
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(*index),
        });
    found?.as_str()
}
