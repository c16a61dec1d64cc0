//! Faults as people read them: with the lines that they are about.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::fault::{Fault, Report, Severity};
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

impl Report {
    /// All faults in the order of the text, each with its line and what to do. Ends with a line's end;
    /// empty where there is no fault.
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
        rendered
    }

    /// All faults in the order of the text, each with line and column.
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
            .label(fault.label.as_deref());
        let snippet = Snippet::source(&self.source.text)
            .path(&self.source.name)
            .annotation(annotation);
        let group = level.primary_title(&fault.message).element(snippet);
        match &fault.help {
            Some(help) => renderer.render(&[group.element(Level::HELP.message(help))]),
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
        let mut placed: Vec<_> = self
            .faults
            .iter()
            .map(|fault| (fault, place(fault)))
            .collect();
        placed.sort_by(|(a, a_span), (b, b_span)| {
            (a_span.start, &a.message).cmp(&(b_span.start, &b.message))
        });
        placed.dedup();
        placed
    }
}
