//! Cutting a text at its `${{ … }}`.

use std::ops::Range;

use crate::expression::{ParseFault, ParseProblem};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that stands for itself; `$${{` in it has become `${{`.
    Text(String),
    /// An expression, without its marks: where it lies in the whole text.
    Expression(Range<usize>),
}

const OPENS: &str = "${{";
const ESCAPED: &str = "$${{";
const CLOSES: &str = "}}";

/// Cuts a text into what stands for itself and what is evaluated, in order. Neighbouring pieces are
/// never both text, and no text is empty.
///
/// # Errors
///
/// A `${{` is not closed.
pub(crate) fn cut(text: &str) -> Result<Vec<Piece>, ParseFault> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(ESCAPED) {
            plain.push_str(OPENS);
            at += ESCAPED.len();
        } else if rest.starts_with(OPENS) {
            let begin = at + OPENS.len();
            let Some(length) = length(&text[begin..]) else {
                return Err(ParseFault {
                    at: at..text.len(),
                    problem: ParseProblem::Open,
                });
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Expression(begin..begin + length));
            at = begin + length + CLOSES.len();
        } else {
            // The next `$` after this character is the next place to look at.
            let skip = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| *c == '$')
                .map_or(rest.len(), |(skip, _)| skip);
            plain.push_str(&rest[..skip]);
            at += skip;
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

/// How long the expression is that a text begins with: up to a `}}` that is neither in a quoted text
/// nor closes a `{` of the expression's own.
fn length(text: &str) -> Option<usize> {
    let mut open_braces = 0_usize;
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some(_), '\\') => {
                characters.next();
            }
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '{') => open_braces += 1,
            (None, '}') if open_braces > 0 => open_braces -= 1,
            (None, '}') if text[at..].starts_with(CLOSES) => return Some(at),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces as text, expressions in angle brackets.
    fn pieces(text: &str) -> Vec<String> {
        let shown = |piece| match piece {
            Piece::Text(text) => text,
            Piece::Expression(range) => format!("<{}>", &text[range]),
        };
        cut(text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn a_text_is_cut_at_its_expressions() {
        assert_eq!(pieces("plain"), ["plain"]);
        assert_eq!(pieces(""), [""; 0]);
        assert_eq!(pieces("${{ a }}"), ["< a >"]);
        assert_eq!(
            pieces("x ${{ a }}${{ b }} ü$ ${ {{ y }}"),
            ["x ", "< a >", "< b >", " ü$ ${ {{ y }}"]
        );
    }

    #[test]
    fn braces_and_quotes_of_the_expression_do_not_end_it() {
        assert_eq!(
            pieces("${{ {'a': {'b': 1}} }}!"),
            ["< {'a': {'b': 1}} >", "!"]
        );
        assert_eq!(pieces(r#"${{ "}}" ~ '\'}}' }}"#), [r#"< "}}" ~ '\'}}' >"#]);
    }

    #[test]
    fn an_escaped_mark_is_text() {
        assert_eq!(pieces("a $${{ b }} ${{ c }}"), ["a ${{ b }} ", "< c >"]);
        assert_eq!(pieces("$$${{ b }}"), ["$${{ b }}"]);
    }

    #[test]
    fn an_open_mark_is_a_fault_with_its_place() {
        for text in ["a ${{ b", "a ${{ b }", "a ${{ '}}"] {
            assert_eq!(
                cut(text),
                Err(ParseFault {
                    at: 2..text.len(),
                    problem: ParseProblem::Open
                })
            );
        }
    }
}
