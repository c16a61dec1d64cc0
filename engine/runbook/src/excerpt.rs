//! Faults as people read them: with the lines that they are about.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::fault::{Fault, Report, Severity};
use crate::harmful::on_one_line;
use crate::spans::Spans;

/// Whether text is coloured for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// With ANSI escapes.
    Always,
}

/// A fault with its place as editors count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// How much it matters.
    pub severity: Severity,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The place in the document, such as `steps[2].with.url`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How many faults of a document are shown. Who has more to mend won't mend them all at once, and a document can be
/// made to have a hundred thousand.
const SHOWN: usize = 200;

impl Report {
    /// The faults in the order of the text, each with its line and what to do; of more than 200 the first, and how many
    /// there are beside them. Ends with a line's end; empty where there is no fault.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Never => Renderer::plain(),
            Colour::Always => Renderer::styled(),
        };
        let mut rendered = String::new();
        for (fault, span) in self.in_order() {
            rendered.push_str(&self.render_one(&renderer, fault, span));
            rendered.push_str("\n\n");
        }
        rendered.pop();
        if let Some(more @ 1..) = self.faults.len().checked_sub(SHOWN) {
            rendered.push_str(&format!("\n{more} more faults are not shown\n"));
        }
        rendered
    }

    /// The faults in the order of the text, each with line and column; at most 200.
    pub fn located(&self) -> Vec<Located> {
        self.in_order()
            .into_iter()
            .map(|(fault, span)| {
                let before = &self.source.text[..span.start];
                let line_start = before.rfind('\n').map_or(0, |at| at + 1);
                Located {
                    severity: fault.severity,
                    line: before.matches('\n').count() + 1,
                    column: before[line_start..].chars().count() + 1,
                    path: fault.path.to_string(),
                    message: fault.message.clone(),
                    help: fault.help.clone(),
                }
            })
            .collect()
    }

    fn render_one(&self, renderer: &Renderer, fault: &Fault, span: Range<usize>) -> String {
        let level = match fault.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let annotation = AnnotationKind::Primary
            .span(span)
            .label(fault.label.as_deref().map(beside));
        let snippet = Snippet::source(of_same_length(&self.source.text))
            .path(beside(&self.source.name))
            .annotation(annotation);
        let group = level
            .primary_title(harmless(&fault.message))
            .element(snippet);
        match &fault.help {
            Some(help) => renderer.render(&[group.element(Level::HELP.message(beside(help)))]),
            None => renderer.render(&[group]),
        }
    }

    fn in_order(&self) -> Vec<(&Fault, Range<usize>)> {
        if self.faults.is_empty() {
            return Vec::new();
        }
        let spans = Spans::of(&self.source.text);
        let place = |fault: &Fault| {
            fault
                .span
                .clone()
                .unwrap_or_else(|| spans.find(&fault.path, &fault.on))
        };
        let errors = self.faults.iter().filter(|fault| fault.is_error());
        let warnings = self.faults.iter().filter(|fault| !fault.is_error());
        let mut placed: Vec<_> = errors
            .chain(warnings)
            .take(SHOWN)
            .map(|fault| (fault, place(fault)))
            .collect();
        placed.sort_by(|(a, a_span), (b, b_span)| {
            (a_span.start, &a.message).cmp(&(b_span.start, &b.message))
        });
        placed.dedup();
        placed
    }
}

/// The text without what a terminal might act upon: a document may be a stranger's, such as a plugin's manifest.
/// Lines stay lines; those that follow the first are set in where they are shown.
fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|character| match is_harmful(character) {
        true => character.escape_unicode().to_string(),
        false => character.to_string(),
    });
    Cow::Owned(escaped.collect())
}

/// The same in one line, for what stands beside an excerpt.
fn beside(text: &str) -> Cow<'_, str> {
    match harmless(text) {
        text if text.contains(['\n', '\r']) => Cow::Owned(on_one_line(&text)),
        text => text,
    }
}

/// The text with other characters that are as long, so that places stay where they are.
fn of_same_length(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let replaced = text.chars().map(|character| match character.len_utf8() {
        1 if is_harmful(character) => '?',
        2 if is_harmful(character) => '\u{b7}',
        3 if is_harmful(character) => char::REPLACEMENT_CHARACTER,
        4 if is_harmful(character) => '\u{1fbc4}',
        _ => character,
    });
    Cow::Owned(replaced.collect())
}

/// Harmful characters, but for those of which texts are made.
fn is_harmful(character: char) -> bool {
    crate::is_harmful(character) && !matches!(character, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Path;
    use crate::source::Source;

    #[test]
    fn what_a_document_says_does_not_drive_a_terminal() {
        let text = "a: \"\u{1b}[31m\u{9b}2J\u{202e}x\u{e0041}\"\n";
        let report = Report {
            source: Source {
                name: "bad\u{1b}[2J\u{200b}.yaml".to_owned(),
                text: text.to_owned(),
            },
            faults: vec![
                Fault::error(
                    Path::root().key("a"),
                    "`\u{1b}[31m\u{9b}\u{202e}` is no name",
                )
                .help("not \u{85}"),
            ],
        };
        let rendered = report.render(Colour::Never);
        assert!(!rendered.contains(is_harmful), "{rendered:?}");
        assert!(rendered.contains("\\u{1b}[31m"), "{rendered}");
        assert_eq!(of_same_length(text).len(), text.len());
    }
}
