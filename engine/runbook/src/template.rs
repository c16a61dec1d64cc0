//! Templates: values with `${{ … }}` in their texts.
//!
//! A text that is exactly one expression becomes the expression's value, with its type. In any other text the
//! values are written out: text as it is, everything else as JSON. `$${{` is a `${{` that means itself.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::expression::{
    ExprFault, ExprProblem, Expression, LARGEST_RESULT, MOST_EXPRESSIONS, ParseFault, ParseProblem,
    Touched, weight,
};
use crate::path::{Path, Segment};
use crate::scope::Scope;
use cut::{Piece, cut};

pub(crate) mod cut;

/// A value, such as a step's `with`, whose texts may hold expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    node: Node,
    expressions: Vec<(Path, Expression)>,
}

/// Why a value is no template: one of its texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct TemplateFault {
    /// Where in the value the text is.
    pub path: Path,
    /// Which bytes of the text are meant, where it is known; for a key, of the key.
    pub at: Range<usize>,
    /// What is wrong.
    pub problem: TemplateProblem,
}

/// What is wrong with a text of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateProblem {
    /// An expression in it is none.
    #[error(transparent)]
    Expression(#[from] ParseProblem),
    /// A key holds an expression.
    #[error("a key can't hold an expression")]
    Key,
}

/// Why a template has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", place(.path))]
pub struct RenderFault {
    /// Where in the template the expression is.
    pub path: Path,
    /// What is wrong with the expression.
    pub fault: ExprFault,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Holds no expression.
    Literal(Value),
    /// Exactly one expression.
    Whole(Expression),
    Text(Vec<Part>),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// Every text in it that holds something wrong, with its place.
    pub fn parse(value: &Value) -> Result<Template, Vec<TemplateFault>> {
        let mut reader = Reader::default();
        let node = reader.node(&Path::root(), value);
        if reader.faults.is_empty() {
            Ok(Template {
                node,
                expressions: reader.expressions,
            })
        } else {
            Err(reader.faults)
        }
    }

    /// Whether there is no expression in it: it always has the same value.
    pub fn is_literal(&self) -> bool {
        self.node.is_literal()
    }

    /// The value, where no expression is needed to know it.
    pub fn literal(&self) -> Option<&Value> {
        match &self.node {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The expressions in it, with their places in the value, in order.
    pub fn expressions(&self) -> impl Iterator<Item = (&Path, &Expression)> {
        self.expressions
            .iter()
            .map(|(path, expression)| (path, expression))
    }

    /// The names that its expressions touch, each once, sorted.
    pub fn touches(&self) -> Vec<Touched> {
        let mut touched: Vec<_> = self
            .expressions()
            .flat_map(|(_, expression)| expression.touches())
            .cloned()
            .collect();
        touched.sort();
        touched.dedup();
        touched
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// The first expression that has none, or makes the whole too large, with its place.
    pub fn render(&self, scope: &Scope) -> Result<Value, RenderFault> {
        let mut rendering = Rendering {
            scope,
            path: Vec::new(),
            left: LARGEST_RESULT,
        };
        rendering.node(&self.node)
    }
}

impl Node {
    fn is_literal(&self) -> bool {
        matches!(self, Node::Literal(_))
    }

    fn into_literal(self) -> Option<Value> {
        match self {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }
}

/// A template's value while it is made.
struct Rendering<'a> {
    scope: &'a Scope,
    /// Where the node that is at hand lies.
    path: Vec<Segment>,
    /// How much all expressions together may still come to, in bytes.
    left: usize,
}

impl Rendering<'_> {
    fn node(&mut self, node: &Node) -> Result<Value, RenderFault> {
        match node {
            Node::Literal(value) => Ok(value.clone()),
            Node::Whole(expression) => self.value(expression),
            Node::Text(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Text(part) => text.push_str(part),
                        Part::Expression(expression) => match self.value(expression)? {
                            Value::String(value) => text.push_str(&value),
                            other => text.push_str(&other.to_string()),
                        },
                    }
                }
                Ok(Value::String(text))
            }
            Node::List(nodes) => {
                let mut list = Vec::with_capacity(nodes.len());
                for (index, node) in nodes.iter().enumerate() {
                    list.push(self.below(Segment::Index(index), node)?);
                }
                Ok(Value::Array(list))
            }
            Node::Object(nodes) => {
                let mut object = Map::new();
                for (key, node) in nodes {
                    object.insert(key.clone(), self.below(Segment::Key(key.clone()), node)?);
                }
                Ok(Value::Object(object))
            }
        }
    }

    fn below(&mut self, segment: Segment, node: &Node) -> Result<Value, RenderFault> {
        self.path.push(segment);
        let value = self.node(node)?;
        self.path.pop();
        Ok(value)
    }

    fn value(&mut self, expression: &Expression) -> Result<Value, RenderFault> {
        let value = expression.eval(self.scope).and_then(|value| {
            self.left = self
                .left
                .checked_sub(weight(&value))
                .ok_or_else(|| expression.fault(ExprProblem::TooLarge))?;
            Ok(value)
        });
        value.map_err(|fault| RenderFault {
            path: self.path.iter().cloned().collect(),
            fault,
        })
    }
}

/// Reads a value and keeps what it finds on the way.
#[derive(Default)]
struct Reader {
    expressions: Vec<(Path, Expression)>,
    faults: Vec<TemplateFault>,
}

impl Reader {
    fn node(&mut self, path: &Path, value: &Value) -> Node {
        match value {
            Value::String(text) => self.text(path, text).unwrap_or_else(|fault| {
                self.faults.push(TemplateFault {
                    path: path.clone(),
                    at: fault.at,
                    problem: fault.problem.into(),
                });
                Node::Literal(Value::Null)
            }),
            Value::Array(items) => {
                let nodes = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.node(&path.index(index), item));
                let nodes: Vec<_> = nodes.collect();
                if nodes.iter().all(Node::is_literal) {
                    return Node::Literal(Value::Array(
                        nodes.into_iter().filter_map(Node::into_literal).collect(),
                    ));
                }
                Node::List(nodes)
            }
            Value::Object(object) => {
                let mut nodes = Vec::with_capacity(object.len());
                for (key, value) in object {
                    if key.contains("${{") {
                        let at = 0..key.len();
                        let problem = TemplateProblem::Key;
                        self.faults.push(TemplateFault {
                            path: path.key(key),
                            at,
                            problem,
                        });
                    }
                    nodes.push((key.clone(), self.node(&path.key(key), value)));
                }
                if nodes.iter().all(|(_, node)| node.is_literal()) {
                    let literals = nodes
                        .into_iter()
                        .filter_map(|(key, node)| Some((key, node.into_literal()?)));
                    return Node::Literal(Value::Object(literals.collect()));
                }
                Node::Object(nodes)
            }
            plain => Node::Literal(plain.clone()),
        }
    }

    fn text(&mut self, path: &Path, text: &str) -> Result<Node, ParseFault> {
        let mut parts = Vec::new();
        for piece in cut(text)? {
            parts.push(match piece {
                Piece::Text(text) => Part::Text(text),
                Piece::Expression(range) => {
                    if self.expressions.len() >= MOST_EXPRESSIONS {
                        return Err(ParseFault {
                            at: range,
                            problem: ParseProblem::TooMany,
                        });
                    }
                    let expression = Expression::parse_within(text, range)?;
                    self.expressions.push((path.clone(), expression.clone()));
                    Part::Expression(expression)
                }
            });
        }
        Ok(match <[Part; 1]>::try_from(parts) {
            Ok([Part::Text(text)]) => Node::Literal(Value::String(text)),
            Ok([Part::Expression(expression)]) => Node::Whole(expression),
            Err(parts) if parts.is_empty() => Node::Literal(Value::String(String::new())),
            Err(parts) => Node::Text(parts),
        })
    }
}

fn place(path: &Path) -> String {
    if path.segments().is_empty() {
        String::new()
    } else {
        format!("`{path}`: ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let Value::Object(inputs) =
            json!({ "n": 3, "f": 1.0, "yes": true, "name": "web", "list": [1, "a"] })
        else {
            unreachable!()
        };
        Scope::new(&inputs, &json!({ "o": { "a": null } }))
    }

    fn render(value: &Value) -> Result<Value, String> {
        let template = Template::parse(value).map_err(|faults| {
            faults
                .iter()
                .map(|fault| format!("{}@{:?}: {fault}", fault.path, fault.at))
                .collect::<Vec<_>>()
                .join("; ")
        })?;
        template.render(&scope()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_lone_expression_keeps_its_type() {
        for (text, value) in [
            ("${{ inputs.n }}", json!(3)),
            ("${{ inputs.f }}", json!(1.0)),
            ("${{ inputs.yes }}", json!(true)),
            ("${{ inputs.list }}", json!([1, "a"])),
            ("${{ vars.o }}", json!({ "a": null })),
            ("${{ vars.o.a }}", json!(null)),
            ("${{ 2 ** 62 }}", json!(4_611_686_018_427_387_904_u64)),
        ] {
            assert_eq!(render(&json!(text)).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn beside_text_it_becomes_text() {
        for (text, value) in [
            (
                "n=${{ inputs.n }} f=${{ inputs.f }} ${{ inputs.yes }}",
                "n=3 f=1.0 true",
            ),
            (" ${{ inputs.name }}", " web"),
            ("${{ inputs.name }}${{ inputs.list }}", "web[1,\"a\"]"),
            ("o: ${{ vars.o }}", "o: {\"a\":null}"),
            ("<b>${{ '<&\"' }}", "<b><&\""),
            ("$${{ inputs.n }}", "${{ inputs.n }}"),
            ("{{ inputs.n }}", "{{ inputs.n }}"),
            ("", ""),
        ] {
            assert_eq!(render(&json!(text)).unwrap(), json!(value), "{text}");
        }
    }

    #[test]
    fn expressions_are_found_in_the_whole_value() {
        let value =
            json!({ "a": ["x", { "b": "${{ inputs.n }}" }], "c": 1, "d": "-${{ vars.o.a }}-" });
        let template = Template::parse(&value).unwrap();
        let places: Vec<_> = template
            .expressions()
            .map(|(path, e)| format!("{path} {e}"))
            .collect();
        assert_eq!(places, ["a[1].b inputs.n", "d vars.o.a"]);
        let touched: Vec<_> = template.touches().iter().map(ToString::to_string).collect();
        assert_eq!(touched, ["inputs.n", "vars.o.a"]);
        let rendered = json!({ "a": ["x", { "b": 3 }], "c": 1, "d": "-null-" });
        assert_eq!(template.render(&scope()).unwrap(), rendered);
        assert!(!template.is_literal());
        assert_eq!(
            Template::parse(&json!({ "a": ["$${{"] }))
                .unwrap()
                .literal(),
            Some(&json!({ "a": ["${{"] }))
        );
    }

    #[test]
    fn all_faults_are_found_at_once_with_their_places() {
        let value = json!({ "a": "x ${{ inputs. }}", "b": ["${{ y"], "${{ k }}": 1, "c": "${{ 1 | nope }}" });
        assert_eq!(
            render(&value).unwrap_err(),
            "a@6..13: it is not an expression: unexpected end of input, expected identifier or integer; \
             b[0]@0..5: a `${{` is not closed by `}}`; `$${{` writes the characters themselves; \
             ${{ k }}@0..8: a key can't hold an expression; \
             c@8..12: `nope` is not a filter of expressions; there are "
                .to_owned()
                + &crate::expression::FILTERS.join(", ")
        );
    }

    #[test]
    fn a_fault_of_a_value_has_its_place() {
        let fault = render(&json!({ "a": [1, "${{ inputs.nope }}"] })).unwrap_err();
        assert_eq!(fault, "`a[1]`: `inputs.nope`: `inputs.nope` is undefined");
    }
}
