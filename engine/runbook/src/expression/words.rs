//! What an expression names: read from its words, before it is compiled.
//!
//! MiniJinja resolves filters and tests while it evaluates. Reading them here finds a wrong one in
//! `check`, and makes our list of them the only way in.

use std::ops::Range;

use super::library::{FILTERS, TESTS};
use super::{ParseFault, ParseProblem};

/// A variable as an expression names it: its own name, and the constant attributes behind it.
pub(super) type Variable = Vec<String>;

/// A piece of an expression's text.
#[derive(Debug, Clone, PartialEq)]
struct Token<'a> {
    kind: Kind,
    text: &'a str,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// A quoted text, with its quotes.
    Quoted,
    Number,
    Sign,
}

const KEYWORDS: [&str; 13] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "True", "false", "False", "none", "None",
];

/// The variables that an expression names, each once, in order.
///
/// # Errors
///
/// It uses a filter or a test that there isn't, or calls something.
pub(super) fn variables(source: &str) -> Result<Vec<Variable>, ParseFault> {
    let tokens = tokens(source);
    let mut variables: Vec<Variable> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at));
        let is = |token: Option<&Token>, text: &str| token.is_some_and(|token| token.text == text);
        let next = tokens.get(index + 1);
        if token.kind != Kind::Word {
            continue;
        }
        if is(before(1), "|") {
            known(token, &FILTERS, ParseProblem::UnknownFilter)?;
        } else if is(before(1), "is") && token.text != "not"
            || is(before(1), "not") && is(before(2), "is")
        {
            known(token, &TESTS, ParseProblem::UnknownTest)?;
        } else if is(before(1), ".") {
            if is(next, "(") {
                return Err(token.fault(ParseProblem::Call));
            }
        } else if KEYWORDS.contains(&token.text) || is(next, "=") {
            // A keyword, or the name of a filter's argument.
        } else if is(next, "(") {
            return Err(token.fault(ParseProblem::Call));
        } else {
            let variable = variable(&tokens[index..]);
            if !variables.contains(&variable) {
                variables.push(variable);
            }
        }
    }
    Ok(variables)
}

/// The expression, with a `*` that multiplies numbers and nothing else.
///
/// MiniJinja's also repeats texts and lists, and a list of lists of lists soon has more in it than there is memory. A
/// power and a double negation leave a number as it is, and only numbers have them.
pub(super) fn with_plain_product(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut written = 0;
    for token in tokens(source) {
        if token.kind == Kind::Sign && token.text == "*" {
            text.push_str(&source[written..token.at]);
            text.push_str("** 1 * - -");
            written = token.at + 1;
        }
    }
    text.push_str(&source[written..]);
    text
}

/// The variable that the tokens begin with: `a.b["c"]`.
fn variable(tokens: &[Token<'_>]) -> Variable {
    let mut names = vec![tokens[0].text.to_owned()];
    let mut rest = &tokens[1..];
    loop {
        match rest {
            [dot, name, after @ ..] if dot.text == "." && name.kind == Kind::Word => {
                names.push(name.text.to_owned());
                rest = after;
            }
            [open, key, close, after @ ..]
                if open.text == "[" && key.is_plain_text() && close.text == "]" =>
            {
                names.push(key.text[1..key.text.len() - 1].to_owned());
                rest = after;
            }
            _ => return names,
        }
    }
}

impl Token<'_> {
    fn range(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    fn fault(&self, problem: impl FnOnce(String) -> ParseProblem) -> ParseFault {
        ParseFault {
            at: self.range(),
            problem: problem(self.text.to_owned()),
        }
    }

    /// Whether it is a quoted text that says what it means without escapes.
    fn is_plain_text(&self) -> bool {
        self.kind == Kind::Quoted && self.text.len() >= 2 && !self.text.contains('\\')
    }
}

fn known(
    token: &Token<'_>,
    names: &[&str],
    problem: impl FnOnce(String) -> ParseProblem,
) -> Result<(), ParseFault> {
    if names.contains(&token.text) {
        Ok(())
    } else {
        Err(token.fault(problem))
    }
}

/// Takes an expression's text apart; what is no token is left to the compiler to refuse.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return tokens;
        };
        let after_dot = tokens.last().is_some_and(|token| token.text == ".");
        let (kind, length) = match first {
            'a'..='z' | 'A'..='Z' | '_' => (
                Kind::Word,
                run(rest, |c| c.is_ascii_alphanumeric() || c == '_'),
            ),
            '0'..='9' if after_dot => (Kind::Number, run(rest, |c| c.is_ascii_digit())),
            '0'..='9' => (Kind::Number, number(rest)),
            '"' | '\'' => (Kind::Quoted, quoted(rest, first)),
            _ if ["==", "!=", "<=", ">=", "//", "**"]
                .iter()
                .any(|sign| rest.starts_with(sign)) =>
            {
                (Kind::Sign, 2)
            }
            _ => (Kind::Sign, first.len_utf8()),
        };
        let (text, after) = rest.split_at(length);
        tokens.push(Token {
            kind,
            text,
            at: source.len() - rest.len(),
        });
        rest = after;
    }
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A number with its fraction; a dot that a name follows is no fraction.
fn number(text: &str) -> usize {
    let whole = run(text, |c| c.is_ascii_alphanumeric() || c == '_');
    match text[whole..].strip_prefix('.') {
        Some(fraction) if fraction.starts_with(|c: char| c.is_ascii_digit()) => {
            whole + 1 + run(fraction, |c| c.is_ascii_alphanumeric() || c == '_')
        }
        _ => whole,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str) -> Vec<String> {
        variables(source)
            .unwrap()
            .iter()
            .map(|variable| variable.join("."))
            .collect()
    }

    #[test]
    fn variables_are_found_with_their_attributes() {
        for (source, names) in [
            ("inputs.x", vec!["inputs.x"]),
            (
                "inputs.x == 'inputs.y' and not vars.z",
                vec!["inputs.x", "vars.z"],
            ),
            ("steps.a.outputs.list[1:2].b", vec!["steps.a.outputs.list"]),
            (
                "steps['a'].outputs[vars.key]",
                vec!["steps.a.outputs", "vars.key"],
            ),
            ("steps[vars.key].outputs", vec!["steps", "vars.key"]),
            (
                "inputs.x | default(value=vars.y) | join(', ')",
                vec!["inputs.x", "vars.y"],
            ),
            (
                "inputs.x if run.dry_run else none",
                vec!["inputs.x", "run.dry_run"],
            ),
            (
                "inputs.x is not defined or inputs.y is divisibleby vars.n",
                vec!["inputs.x", "inputs.y", "vars.n"],
            ),
            (
                "{'a': inputs.x, b: [inputs.y, 1.5, inputs.x]}",
                vec!["inputs.x", "b", "inputs.y"],
            ),
            ("(vars.a).b ~ vars . c", vec!["vars.a", "vars.c"]),
            ("vars.list.0.name", vec!["vars.list"]),
            ("1.5 + 0x1f", vec![]),
            ("not inputs.x in vars.y", vec!["inputs.x", "vars.y"]),
            ("vars[\"a\\\"b\"]", vec!["vars"]),
        ] {
            assert_eq!(named(source), names, "{source}");
        }
    }

    #[test]
    fn what_there_is_not_is_a_fault_at_its_place() {
        for (source, at, said) in [
            ("inputs.x | dfault(1)", 11..17, "did you mean `default`?"),
            ("inputs.x | pprint", 11..17, "`pprint` is not a filter"),
            ("inputs.x is not definde", 16..23, "did you mean `defined`?"),
            ("range(9)", 0..5, "there are no functions"),
            ("inputs.x.items()", 9..14, "there are no functions"),
            ("(inputs.x)[0].pop()", 14..17, "there are no functions"),
        ] {
            let fault = variables(source).unwrap_err();
            assert_eq!(fault.at, at, "{source}");
            assert!(fault.to_string().contains(said), "{fault}");
        }
    }
}
