//! A step's allow line, with `${{ … }}` in it that the run's inputs and variables fill.

use std::fmt;

use serde_json::Value;

use super::Grant;
use super::fault::GrantFault;
use super::shape::{self, FillFault, Shape, has_hole};
use crate::expression::{ExprFault, Expression, ParseFault};
use crate::scope::Scope;
use crate::template::cut::{Piece, cut};

/// A step's allow line.
///
/// Its holes are expressions over what is known before the run: inputs, variables and the name of a `foreach`. What
/// is filled in stays in its place, which is a host, a part of one label of a host, a port, a segment or a part of one: it
/// can't add a label to others, a segment, a wildcard, a method, a user name or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowLine {
    text: String,
    shape: Shape,
    holes: Vec<Expression>,
}

/// Why a text is no allow line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowFault {
    /// A hole holds no expression.
    #[error(transparent)]
    Hole(#[from] ParseFault),
    /// A hole names what isn't known before the run.
    #[error("`{0}` isn't known before the run: an allow line can use `inputs` and `vars`")]
    TooEarly(String),
    /// The line isn't one.
    #[error(transparent)]
    Line(#[from] GrantFault),
}

/// Why an allow line does not become a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveFault {
    /// A hole has no value.
    #[error(transparent)]
    Value(#[from] ExprFault),
    /// A hole's value is no text or number.
    #[error("`{hole}` comes to {found}, and only text or a whole number can be filled in")]
    Kind {
        /// The hole's expression.
        hole: String,
        /// What kind of value it has.
        found: &'static str,
    },
    /// A hole's value would not stay in its place.
    #[error("`{hole}` comes to {value:?}, which can't be filled in: {why}")]
    Place {
        /// The hole's expression.
        hole: String,
        /// Its value.
        value: String,
        /// What is wrong with it there.
        why: &'static str,
    },
    /// With its holes filled the line is no grant.
    #[error("with its holes filled, {0}")]
    Together(GrantFault),
}

impl AllowLine {
    /// Reads `METHODS ORIGIN/PATH` with `${{ … }}` holes.
    ///
    /// # Errors
    ///
    /// The line is not of that form, or a hole holds no expression or one of what isn't known before the run.
    pub fn parse(text: &str) -> Result<AllowLine, AllowFault> {
        if has_hole(text) {
            return Err(GrantFault::Form.into());
        }
        let mut line = String::with_capacity(text.len());
        let mut holes = Vec::new();
        for piece in cut(text)? {
            match piece {
                Piece::Text(piece) => line.push_str(&piece),
                Piece::Expression(range) => {
                    line.push(shape::hole(holes.len()).ok_or(GrantFault::Holes)?);
                    holes.push(Expression::parse_within(text, range)?);
                }
            }
        }
        let late = holes
            .iter()
            .flat_map(Expression::touches)
            .find(|name| matches!(name.root(), "steps" | "run"));
        if let Some(name) = late {
            return Err(AllowFault::TooEarly(name.to_string()));
        }
        Ok(AllowLine {
            text: text.trim().to_owned(),
            shape: Shape::parse(&line)?,
            holes,
        })
    }

    /// The expressions in it, in order.
    pub fn holes(&self) -> &[Expression] {
        &self.holes
    }

    /// The line's parts, with its holes.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The line as an environment's ceiling can have it, which covers all that it may become: but for values that no
    /// wildcard stands for, such as `..;x`.
    ///
    /// A ceiling fills in variables and nothing else. For a hole that takes more there is `*`: for its whole segment,
    /// or for its label of the host and those before it. None where no `*` can stand: it is the whole host, or its
    /// last label, or the port.
    #[must_use]
    pub fn for_ceiling(&self) -> Option<String> {
        let is_open = |hole: usize| {
            let touches = self.holes[hole].touches();
            touches.iter().any(|name| name.root() != "vars")
        };
        let written = |hole: usize| format!("${{{{ {} }}}}", self.holes[hole]);
        let line = self.shape.without(is_open)?.written(written);
        AllowLine::parse(&line).is_ok().then_some(line)
    }

    /// The grant that it becomes.
    ///
    /// # Errors
    ///
    /// A hole has no value, or one that would not stay in its place.
    pub fn resolve(&self, scope: &Scope) -> Result<Grant, ResolveFault> {
        let values = self
            .holes
            .iter()
            .map(|hole| value(hole, scope))
            .collect::<Result<Vec<_>, _>>()?;
        self.shape.fill(&values).map_err(|fault| match fault {
            FillFault::Together(fault) => ResolveFault::Together(fault),
            FillFault::Value { hole, why } => ResolveFault::Place {
                hole: self
                    .holes
                    .get(hole)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                value: values.get(hole).cloned().unwrap_or_default(),
                why,
            },
        })
    }
}

/// The line as it was written.
impl fmt::Display for AllowLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn value(hole: &Expression, scope: &Scope) -> Result<String, ResolveFault> {
    let kind = |found| ResolveFault::Kind {
        hole: hole.to_string(),
        found,
    };
    match hole.eval(scope)? {
        Value::String(text) => Ok(text),
        Value::Number(number) if number.is_f64() => Err(kind("a number with a fraction")),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Err(kind("nothing")),
        Value::Bool(_) => Err(kind("true or false")),
        Value::Array(_) => Err(kind("a list")),
        Value::Object(_) => Err(kind("an object")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn resolve(line: &str, value: Value) -> Result<String, String> {
        let scope = Scope::new(&Map::from_iter([("x".to_owned(), value)]), &json!({}));
        let line = AllowLine::parse(line).map_err(|fault| fault.to_string())?;
        line.resolve(&scope)
            .map(|grant| grant.to_string())
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_value_fills_its_place() {
        for (line, value, grant) in [
            (
                "GET https://h/a/${{ inputs.x }}/*",
                json!("b c"),
                "GET https://h/a/b%20c/*",
            ),
            (
                "GET https://h/a/${{ inputs.x }}",
                json!(7),
                "GET https://h/a/7",
            ),
            (
                "GET https://h/a/v${{ inputs.x }}-x",
                json!("50%"),
                "GET https://h/a/v50%25-x",
            ),
            (
                "GET https://${{ inputs.x }}/**",
                json!("API.example.com"),
                "GET https://api.example.com/**",
            ),
            (
                "GET https://${{ inputs.x }}/**",
                json!("10.0.0.1"),
                "GET https://10.0.0.1/**",
            ),
            (
                "GET https://${{ inputs.x }}/**",
                json!("[::1]"),
                "GET https://[::1]/**",
            ),
            (
                "GET https://*.${{ inputs.x }}/",
                json!("example.com"),
                "GET https://*.example.com/",
            ),
            (
                "GET https://app-${{ inputs.x }}.net/",
                json!("east"),
                "GET https://app-east.net/",
            ),
            (
                "GET http://h:${{ inputs.x }}/",
                json!(8080),
                "GET http://h:8080/",
            ),
            (
                "GET http://h:${{ inputs.x }}/",
                json!("80"),
                "GET http://h/",
            ),
        ] {
            assert_eq!(resolve(line, value).unwrap(), grant, "{line}");
        }
    }

    #[test]
    fn a_ceiling_has_wildcards_for_what_it_can_not_know() {
        for (line, ceiling) in [
            (
                "GET,PUT https://${{ vars.h }}/a/${{ inputs.x }}/b/**",
                Some("GET,PUT https://${{ vars.h }}/a/*/b/**"),
            ),
            (
                "* https://h:81/v${{inputs.x}}/${{ vars.a[inputs.x].b }}",
                Some("* https://h:81/*/*"),
            ),
            (
                "GET https://h:${{ vars.port }}/${{ vars['a'].b | default('c') }}-x/",
                Some("GET https://h:${{ vars.port }}/${{ vars['a'].b | default('c') }}-x/"),
            ),
            (
                "GET https://a.${{ inputs.x }}-b.${{ vars.domain }}/",
                Some("GET https://*.${{ vars.domain }}/"),
            ),
            (
                "GET https://*.${{ region }}.example.com/${{ region }}",
                Some("GET https://*.example.com/*"),
            ),
            ("GET https://${{ inputs.x }}/", None),
            ("GET https://a.${{ inputs.x }}/", None),
            ("GET https://h:${{ inputs.x }}/", None),
        ] {
            let said = AllowLine::parse(line).unwrap().for_ceiling();
            assert_eq!(said.as_deref(), ceiling, "{line}");
        }
    }

    #[test]
    fn a_ceiling_covers_what_a_line_becomes() {
        for line in [
            "GET https://h/a/${{ inputs.x }}/**",
            "GET https://h/a-${{ inputs.x }}",
            "GET https://${{ inputs.x }}.h.net/",
            "GET https://*.a-${{ inputs.x }}.h.net/",
        ] {
            let line = AllowLine::parse(line).unwrap();
            let inputs = Map::from_iter([("x".to_owned(), json!("b-7"))]);
            let grant = line.resolve(&Scope::new(&inputs, &json!({}))).unwrap();
            let ceiling = Grant::parse(&line.for_ceiling().unwrap()).unwrap();
            assert!(grant.within(&[ceiling]), "{line}");
        }
    }

    #[test]
    fn a_value_can_not_leave_its_place() {
        let segment = "GET https://h/a/${{ inputs.x }}";
        for value in [
            "", ".", "..", "a/b", "a\\b", "*", "**", "a*", "a?b", "a#b", "a\nb", "a\u{7f}",
        ] {
            resolve(segment, json!(value)).unwrap_err();
        }
        for value in [
            "", "a.b/c", "u@h", "h:1", "*.h", "a b", "h?", "a。b", "h.", "[::1]/", "%2e", "ü", ".",
        ] {
            resolve("GET https://${{ inputs.x }}/", json!(value)).unwrap_err();
        }
        for value in ["", "a.b", "a/b", "*", "a_b", ":", "。"] {
            resolve("GET https://${{ inputs.x }}.example.com/", json!(value)).unwrap_err();
        }
        for value in [
            json!(""),
            json!("0"),
            json!("65536"),
            json!("1/"),
            json!(-1),
            json!("+80"),
            json!("x"),
        ] {
            resolve("GET https://h:${{ inputs.x }}/", value).unwrap_err();
        }
        resolve("GET https://h/.${{ inputs.x }}", json!(".")).unwrap_err();
        resolve("GET https://${{ inputs.x }}.1/", json!("127")).unwrap_err();
        resolve("GET https://*.${{ inputs.x }}/", json!("127.0.0.1")).unwrap_err();
    }

    #[test]
    fn an_encoding_is_not_made_from_pieces() {
        assert!(
            resolve("GET https://h/a%${{ inputs.x }}", json!("2F"))
                .unwrap_err()
                .contains("hexadecimal")
        );
        assert_eq!(
            resolve("GET https://h/a${{ inputs.x }}", json!("%2F")).unwrap(),
            "GET https://h/a%252F"
        );
    }

    #[test]
    fn only_text_and_whole_numbers_fill_a_hole() {
        for value in [
            json!(null),
            json!(true),
            json!(1.5),
            json!(["a"]),
            json!({ "a": 1 }),
        ] {
            assert!(
                resolve("GET https://h/${{ inputs.x }}", value)
                    .unwrap_err()
                    .contains("comes to")
            );
        }
    }

    #[test]
    fn a_hole_is_known_before_the_run_and_has_a_place() {
        for (line, said) in [
            (
                "GET https://h/${{ steps.a.outputs.b }}",
                "isn't known before the run",
            ),
            ("${{ inputs.x }} https://h/", "a method must be written out"),
            ("GET ${{ inputs.x }}/a", "must begin with `https://`"),
            (
                "GET https://h:8${{ inputs.x }}/",
                "a port is filled in whole",
            ),
            ("GET https://h/{x}", "a runbook writes `${{ inputs.name }}`"),
            ("GET https://h/${{ inputs. }}", "it is not an expression"),
            ("GET https://h/${{ inputs.x", "is not closed"),
        ] {
            let fault = resolve(line, json!("a")).unwrap_err();
            assert!(fault.contains(said), "{line}: {fault}");
        }
    }
}
