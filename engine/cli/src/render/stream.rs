//! A run as lines, one after the other: for files and pipes, and what stays on a terminal.

use std::collections::HashMap;

use sandbook_journal::{Event, RunStarted, RunState, StepId, Stored};

use super::{Sentence, Weight, rehearsal, sentence};
use crate::screen::{Paper, one_line};

/// How wide the column of step ids gets at most.
const WIDEST: usize = 28;

/// Makes lines of a run's events.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    width: usize,
    /// Why the last request of a step was denied.
    denied: HashMap<StepId, String>,
}

impl Stream {
    /// The lines for one event; `state` is what the log comes to with it. Nothing for what only the log shows.
    pub(crate) fn lines(&mut self, stored: &Stored, state: &RunState, paper: Paper) -> Vec<String> {
        let mut said = sentence(stored, state);
        let mut lines = Vec::new();
        match &stored.event {
            Event::RunStarted(facts) => {
                self.width = width(facts);
                lines.extend(rehearsal(facts, paper));
            }
            // Who watches a run that goes on has seen nothing of it yet.
            Event::RunResumed { .. } => {
                if let Some(facts) = state.facts() {
                    self.width = width(facts);
                    lines.extend(rehearsal(facts, paper));
                }
            }
            Event::RequestDenied { step, why, .. } => {
                self.denied.insert(step.clone(), one_line(why));
            }
            Event::AttemptFailed { step, .. } | Event::StepFailed { step, .. } => {
                // Most plugins say once more what was printed just before.
                if let Some(why) = self.denied.remove(step) {
                    said.text = said.text.replace(&why, "its request was denied");
                }
            }
            _ => {}
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
    pub(crate) fn column(&self, step: &StepId) -> String {
        format!("{step:width$}", width = self.width)
    }

    /// Lines of a run that began before somebody looked.
    pub(crate) fn of(facts: &RunStarted) -> Stream {
        Stream {
            width: width(facts),
            denied: HashMap::new(),
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

#[cfg(test)]
mod tests {
    use sandbook_journal::{Failure, FailureKind};

    use super::super::sample;
    use super::*;

    #[test]
    fn why_a_request_is_denied_is_said_once() {
        let why = "`POST https://api.example/x` is not granted".to_owned();
        let (log, state) = sample::log([
            sample::started(&["a"], false),
            sample::begun("a"),
            Event::RequestDenied {
                step: "a".into(),
                attempt: 1,
                request: 1,
                asked: sample::asked("POST"),
                why: why.clone(),
            },
            Event::StepFailed {
                step: "a".into(),
                attempt: 1,
                failure: Failure {
                    kind: FailureKind::Unauthorized,
                    code: None,
                    message: why,
                    retry_after_ms: None,
                    start_over: false,
                },
                in_doubt: None,
                let_pass: false,
            },
        ]);
        let mut stream = Stream::default();
        let lines: Vec<String> = log
            .iter()
            .flat_map(|stored| stream.lines(stored, &state, Paper::BARE))
            .collect();
        assert_eq!(
            lines[2..],
            [
                "⊘ a  denied: `POST https://api.example/x` is not granted",
                "✗ a  2.0 s: its request was denied (unauthorized)"
            ]
        );
    }
}
