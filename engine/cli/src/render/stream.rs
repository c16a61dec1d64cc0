//! A run as lines, one after the other: for files and pipes, and what stays on a terminal.

use sandbook_journal::{Event, RunStarted, RunState, Stored};

use super::{Sentence, Weight, rehearsal, sentence};
use crate::screen::Paper;

/// How wide the column of step ids gets at most.
const WIDEST: usize = 28;

/// Makes lines of a run's events.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    width: usize,
}

impl Stream {
    /// The lines for one event; `state` is what the log comes to with it. Nothing for what only the log shows.
    pub(crate) fn lines(&mut self, stored: &Stored, state: &RunState, paper: Paper) -> Vec<String> {
        let said = sentence(stored, state);
        let mut lines = Vec::new();
        if let Event::RunStarted(facts) = &stored.event {
            self.width = width(facts);
            lines.extend(rehearsal(facts, paper));
        }
        if said.weight == Weight::Main {
            lines.push(self.line(&said, paper));
        }
        lines
    }

    /// A sentence with its sign and its step in columns.
    pub(crate) fn line(&self, said: &Sentence, paper: Paper) -> String {
        let sign = paper.ink(said.ink, said.sign);
        match &said.step {
            None => format!("{sign} {}", said.text),
            Some(step) => format!("{sign} {step:width$}  {}", said.text, width = self.width)
                .trim_end()
                .to_owned(),
        }
    }

    /// A step's id, as wide as the column.
    pub(crate) fn column(&self, step: &sandbook_journal::StepId) -> String {
        format!("{step:width$}", width = self.width)
    }

    /// Lines of a run that began before somebody looked.
    pub(crate) fn of(facts: &RunStarted) -> Stream {
        Stream {
            width: width(facts),
        }
    }
}

fn width(facts: &RunStarted) -> usize {
    let sections = &facts.sections;
    let ids = sections
        .steps
        .iter()
        .chain(&sections.on_failure)
        .chain(&sections.finally);
    ids.map(|id| id.as_str().len())
        .max()
        .unwrap_or(0)
        .min(WIDEST)
}
