//! Expressions: `inputs.region != vars.spare_region`.
//!
//! They are MiniJinja's, in strict mode: a name that isn't there is an error, and so is a result that is undefined.
//! There are no functions and no methods, only the filters and tests of [`FILTERS`] and [`TESTS`]. How much an
//! evaluation may do and how large its result may be is bounded.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::scope::Scope;
use crate::suggest::closest;
use crate::template::cut::{Piece, cut};
use json::{JsonFault, to_json};
use library::LIBRARY;
use minijinja::ErrorKind;

mod bound;
mod json;
mod library;
mod probe;
mod touched;
mod words;

pub(crate) use json::{LARGEST_RESULT, from_json, weight};
pub use library::{FILTERS, TESTS};
pub use probe::Stand;
pub use touched::Touched;

/// The longest expression, in bytes.
const LONGEST_EXPRESSION: usize = 4096;

/// The most expressions in one value, such as a step's `with`.
pub(crate) const MOST_EXPRESSIONS: usize = 1000;

/// A parsed expression. A clone is cheap.
#[derive(Clone)]
pub struct Expression(Arc<Parsed>);

struct Parsed {
    source: String,
    compiled: minijinja::Expression<'static, 'static>,
    touched: Vec<Touched>,
}

/// Why a text is no expression, or holds one that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseFault {
    /// Which bytes of the text are meant.
    pub at: Range<usize>,
    /// What is wrong there.
    pub problem: ParseProblem,
}

/// What is wrong with an expression's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseProblem {
    /// There is nothing.
    #[error("an expression is empty")]
    Empty,
    /// It is longer than an expression may be.
    #[error("an expression is longer than {LONGEST_EXPRESSION} bytes")]
    TooLong,
    /// A `${{` has no `}}`.
    #[error("a `${{{{` is not closed by `}}}}`; `$${{{{` writes the characters themselves")]
    Open,
    /// There are more in one value than it may have.
    #[error("there are more than {MOST_EXPRESSIONS} expressions in one value")]
    TooMany,
    /// There is text beside a `${{ … }}` where only an expression can stand.
    #[error("there is text beside the expression, where only an expression can stand")]
    TextBeside,
    /// It isn't an expression.
    #[error("it is not an expression: {0}")]
    Syntax(String),
    /// A filter that there isn't.
    #[error("{}", unknown("filter", .0, &FILTERS))]
    UnknownFilter(String),
    /// A test that there isn't.
    #[error("{}", unknown("test", .0, &TESTS))]
    UnknownTest(String),
    /// Something is called.
    #[error(
        "`{0}` is called, but there are no functions in expressions, only filters, such as `| length`"
    )]
    Call(String),
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}`: {problem}")]
pub struct ExprFault {
    /// The expression, shortened where it is long.
    pub expression: String,
    /// What is wrong.
    pub problem: ExprProblem,
}

/// What is wrong with an expression's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprProblem {
    /// It is undefined, or something in it is; the names that aren't there.
    #[error("{}", undefined(.0))]
    Undefined(Vec<String>),
    /// It must be a boolean, and is this.
    #[error("it is {0}, and must be true or false")]
    NotBoolean(&'static str),
    /// It does more than an expression may.
    #[error("it does too much work for an expression")]
    TooMuchWork,
    /// With its value, what it is a part of is too large.
    #[error("with it, the whole is larger than {LARGEST_RESULT} bytes")]
    TooLarge,
    /// Its value can't be used.
    #[error("{0}")]
    NotJson(String),
    /// An operation or a filter can't do what it was asked to.
    #[error("{0}")]
    Failed(String),
}

impl Expression {
    /// Reads an expression, bare or in `${{ }}`.
    ///
    /// # Errors
    ///
    /// The fault says what is wrong, and at which bytes of the text.
    pub fn parse(text: &str) -> Result<Expression, ParseFault> {
        // The text's own offsets, with the blanks in front of it.
        let blanks = text.len() - text.trim_start().len();
        let pieces = cut(text.trim()).map_err(|fault| ParseFault {
            at: fault.at.start + blanks..fault.at.end + blanks,
            ..fault
        })?;
        match pieces.as_slice() {
            [] => Err(ParseFault {
                at: 0..text.len(),
                problem: ParseProblem::Empty,
            }),
            [Piece::Expression(range)] => {
                Expression::parse_within(text, range.start + blanks..range.end + blanks)
            }
            [Piece::Text(_)] if !text.contains("${{") => {
                Expression::parse_within(text, 0..text.len())
            }
            _ => Err(ParseFault {
                at: 0..text.len(),
                problem: ParseProblem::TextBeside,
            }),
        }
    }

    /// Reads the expression that lies in a part of a text, without marks.
    pub(crate) fn parse_within(text: &str, range: Range<usize>) -> Result<Expression, ParseFault> {
        let inner = &text[range.clone()];
        let source = inner.trim();
        let start = range.start + (inner.len() - inner.trim_start().len());
        let fault = |problem| ParseFault {
            at: start..start + source.len(),
            problem,
        };
        if source.is_empty() {
            return Err(ParseFault {
                at: range,
                problem: ParseProblem::Empty,
            });
        }
        if source.len() > LONGEST_EXPRESSION {
            return Err(fault(ParseProblem::TooLong));
        }
        let compile = |text: String| {
            LIBRARY.compile_expression_owned(text).map_err(|error| {
                fault(ParseProblem::Syntax(
                    error.detail().unwrap_or("it can't be read").to_owned(),
                ))
            })
        };
        // As it is written first: what is wrong is told of that.
        let mut compiled = compile(source.to_owned())?;
        if source.contains('*') {
            compiled = compile(words::with_plain_product(source))?;
        }
        let variables = words::variables(source).map_err(|fault| ParseFault {
            at: start + fault.at.start..start + fault.at.end,
            problem: fault.problem,
        })?;
        let touched = variables.into_iter().map(Touched::new).collect();
        Ok(Expression(Arc::new(Parsed {
            source: source.to_owned(),
            compiled,
            touched,
        })))
    }

    /// The expression's text, without marks.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The names that it touches, each once, in order.
    pub fn touches(&self) -> &[Touched] {
        &self.0.touched
    }

    /// The expression's value.
    ///
    /// # Errors
    ///
    /// A name is not there, the value is undefined, or an operation fails.
    pub fn eval(&self, scope: &Scope) -> Result<Json, ExprFault> {
        self.evaluate(scope.value())
            .map_err(|problem| self.fault(self.with_names(problem, scope)))
    }

    /// The value of an expression that must come to true or false.
    ///
    /// # Errors
    ///
    /// As with [`eval`](Expression::eval), and when the value is something else.
    pub fn eval_bool(&self, scope: &Scope) -> Result<bool, ExprFault> {
        match self.eval(scope)? {
            Json::Bool(value) => Ok(value),
            other => Err(self.fault(ExprProblem::NotBoolean(kind(&other)))),
        }
    }

    fn evaluate(&self, scope: minijinja::Value) -> Result<Json, ExprProblem> {
        let value = self
            .0
            .compiled
            .eval(scope)
            .map_err(|error| match error.kind() {
                ErrorKind::UndefinedError => ExprProblem::Undefined(Vec::new()),
                ErrorKind::OutOfFuel => ExprProblem::TooMuchWork,
                ErrorKind::InvalidOperation if self.is_of_a_product(&error) => {
                    ExprProblem::Failed("`*` multiplies numbers, and nothing else".to_owned())
                }
                kind => ExprProblem::Failed(
                    error
                        .detail()
                        .map_or_else(|| kind.to_string(), str::to_owned),
                ),
            })?;
        to_json(&value).map_err(|fault| match fault {
            JsonFault::Undefined => ExprProblem::Undefined(Vec::new()),
            fault => ExprProblem::NotJson(fault.to_string()),
        })
    }

    /// Whether an error is about the power that stands in for a product, or about the negation.
    fn is_of_a_product(&self, error: &minijinja::Error) -> bool {
        let source = self.source();
        let stands_in = !source.contains("**") && words::with_plain_product(source) != source;
        let detail = error.detail();
        stands_in && detail.is_none_or(|detail| detail.contains("**"))
    }

    /// Names what is undefined, where the expression's text says it.
    fn with_names(&self, problem: ExprProblem, scope: &Scope) -> ExprProblem {
        match problem {
            ExprProblem::Undefined(_) => {
                let missing = self.touches().iter().filter(|touched| !scope.has(touched));
                ExprProblem::Undefined(missing.map(ToString::to_string).collect())
            }
            problem => problem,
        }
    }

    pub(crate) fn fault(&self, problem: ExprProblem) -> ExprFault {
        ExprFault {
            expression: shortened(self.source()),
            problem,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.source())
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Expression {}

/// A kind of value, for people.
fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn undefined(names: &[String]) -> String {
    match names {
        [] => "it is undefined".to_owned(),
        [name] => format!("`{name}` is undefined"),
        names => format!("`{}` are undefined", names.join("`, `")),
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match closest(name, known.iter().copied()) {
        Some(meant) => format!("`{name}` is not a {what} of expressions; did you mean `{meant}`?"),
        None => format!(
            "`{name}` is not a {what} of expressions; there are {}",
            known.join(", ")
        ),
    }
}

fn shortened(source: &str) -> String {
    const SHOWN: usize = 120;
    match source.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &source[..end]),
        None => source.to_owned(),
    }
}

#[cfg(test)]
mod tests;
