//! Syntax errors in words that say what to do.

use std::ops::Range;

use crate::fault::Fault;
use crate::path::Path;

/// What the YAML parser says, the way an operator would say it.
pub(super) fn fault(text: &str, error: &serde_yaml::Error) -> Fault {
    let said = error.to_string();
    let location = error
        .location()
        .map(|location| (location.line(), location.column()));
    let span = began(&said)
        .or(location)
        .map_or(0..0, |(line, column)| at(text, line, column));
    let (message, help) = explain(&said, line_around(text, span.start), &text[span.clone()]);
    let fault = Fault {
        span: Some(span),
        ..Fault::error(Path::root(), message)
    };
    fault.help_if(help)
}

/// A second document in one file.
pub(super) fn several_documents(text: &str) -> Fault {
    let mut markers = text.match_indices("\n---").map(|(at, _)| at + 1..at + 4);
    // The first marker may open the first document.
    let span = markers
        .find(|marker| has_content(&text[..marker.start]))
        .unwrap_or(0..0);
    let fault = Fault::error(Path::root(), "a second document begins here");
    Fault {
        span: Some(span),
        ..fault
    }
    .help("keep one document in a file; remove the `---` and what follows it")
}

/// Where a bracket is opened while so many are open that no text means it. The parser takes time by the square of
/// them, before anything asks how deep it is; so what is quoted counts here too.
pub(super) fn opened_without_end(text: &str) -> Option<Range<usize>> {
    const MOST: usize = 1000;
    let mut open: usize = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MOST {
            return Some(at..at + 1);
        }
    }
    None
}

fn has_content(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && line != "---" && !line.starts_with('%')
    })
}

/// Where what can't be read began, where that says more than where it ended.
fn began(said: &str) -> Option<(usize, usize)> {
    let beginnings = [
        "while scanning a quoted scalar at line ",
        "while scanning an alias at line ",
    ];
    let place = beginnings
        .iter()
        .find_map(|beginning| said.split_once(beginning))?
        .1;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

const QUOTE_EXPRESSION: &str = "put a value that holds `${{ … }}` in quotes: `\"${{ … }}\"`";
const QUOTE: &str = "put the value in quotes";

fn explain(said: &str, line: &str, there: &str) -> (String, Option<String>) {
    let says = |part: &str| said.contains(part);
    let has_expression = line.contains("${{");
    let (message, help) = if says("while scanning an alias") || says("unknown anchor") {
        (
            "a value can't begin with `*`".to_owned(),
            Some("put it in quotes: `\"* https://…\"`"),
        )
    } else if says("mapping values are not allowed") {
        (
            "there is a `:` too many on this line".to_owned(),
            Some("check the indentation, or put the value in quotes"),
        )
    } else if says("cannot start any token") && there.starts_with('\t') || says("tab character") {
        (
            "a tab can't be used to indent".to_owned(),
            Some("use spaces"),
        )
    } else if says("cannot start any token") {
        (
            format!(
                "a value can't begin with `{}`",
                there.chars().next().unwrap_or(' ')
            ),
            Some(QUOTE),
        )
    } else if says("while scanning a quoted scalar") {
        (
            "a quote is opened and never closed".to_owned(),
            Some("close it, or double a quote that belongs to the text"),
        )
    } else if says("did not find expected ',' or '}'") {
        (
            "a `,` or `}` is missing before this".to_owned(),
            Some("close the `{`, or put a value that holds `{`, `}`, `,` or `: ` in quotes"),
        )
    } else if says("did not find expected ',' or ']'") {
        (
            "a `,` or `]` is missing before this".to_owned(),
            Some("close the `[`, or put a value that holds `[`, `]`, `,` or `: ` in quotes"),
        )
    } else if says("did not find expected key") || says("did not find expected '-' indicator") {
        (
            "this line doesn't fit in with those above it".to_owned(),
            Some("check the indentation, and that every quote is closed"),
        )
    } else if says("could not find expected ':'") {
        (
            "a `:` is missing after a key".to_owned(),
            Some("write `key: value`"),
        )
    } else if says("recursion limit") {
        ("values are nested too deep".to_owned(), None)
    } else if says("repetition limit") {
        ("aliases make the document too large".to_owned(), None)
    } else {
        let plain = said.split(" at line ").next().unwrap_or(said);
        (plain.to_owned(), None)
    };
    let help = if has_expression && help.is_some() && !message.contains("`*`") {
        Some(QUOTE_EXPRESSION)
    } else {
        help
    };
    (message, help.map(str::to_owned))
}

/// The bytes of the character at a line and a column, both from 1.
fn at(text: &str, line: usize, column: usize) -> Range<usize> {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => break,
        }
    }
    let rest = &text[start..];
    let rest = &rest[..rest.find('\n').unwrap_or(rest.len())];
    match rest.char_indices().nth(column - 1) {
        Some((at, character)) => start + at..start + at + character.len_utf8(),
        None => start + rest.len()..start + rest.len(),
    }
}

fn line_around(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    &text[start..end]
}
