//! A run on a terminal: a live line for each step that is going on, and above them what has happened.

use std::collections::HashMap;
use std::time::Duration;

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sandbook_executor::Progress;
use sandbook_journal::{Event, RunState, StepId, StepState, StepStatus, Stored};

use super::{Stream, count, words};
use crate::screen::{Ink, Paper, countdown, one_line, span};

/// How many steps have a live line at once; the rest is counted.
const MOST_ROWS: usize = 12;

/// What turns beside a step that runs, and how long it stands still, in milliseconds.
const FRAMES: [&str; 8] = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME: u64 = 100;

/// The live view of one run.
pub(crate) struct Live {
    screen: MultiProgress,
    paper: Paper,
    stream: Stream,
    /// One for each running step that is shown, in the order in which they began.
    rows: Vec<ProgressBar>,
    total: ProgressBar,
    running: Vec<StepId>,
    ended: usize,
    said: HashMap<StepId, Progress>,
    /// How long the built-in waits take, where that was known before.
    waits: HashMap<StepId, Duration>,
}

impl Live {
    /// A live view on the standard output.
    pub(crate) fn new(paper: Paper, waits: HashMap<StepId, Duration>) -> Live {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let total = screen.add(row());
        Live {
            screen,
            paper,
            stream: Stream::default(),
            rows: Vec::new(),
            total,
            running: Vec::new(),
            ended: 0,
            said: HashMap::new(),
            waits,
        }
    }

    /// Something has happened; `state` is what the log comes to with it. Returns what is to be printed of it.
    pub(crate) fn event(&mut self, stored: &Stored, state: &RunState) -> Vec<String> {
        match &stored.event {
            Event::StepStarted { step, .. } if !self.running.contains(step) => {
                self.running.push(step.clone());
            }
            Event::AttemptFailed { step, .. } => drop(self.said.remove(step)),
            Event::StepSucceeded { step, .. } | Event::StepFailed { step, .. } => {
                self.running.retain(|running| running != step);
                self.said.remove(step);
                self.ended += 1;
            }
            Event::StepWaiting { step, .. } => {
                self.running.retain(|running| running != step);
                self.said.remove(step);
            }
            Event::StepSkipped { .. } => self.ended += 1,
            Event::RunResumed { .. } => {
                let steps = state.steps();
                self.ended = steps.clone().filter(|step| step.status.is_ended()).count();
                let running = steps.filter(|step| step.status == StepStatus::Running);
                self.running = running.map(|step| step.id.clone()).collect();
            }
            _ => {}
        }
        self.stream.lines(stored, state, self.paper)
    }

    /// A plugin says where it is.
    pub(crate) fn progress(&mut self, progress: Progress) {
        if self.running.contains(&progress.step) {
            self.said.insert(progress.step.clone(), progress);
        }
    }

    /// Lines above the live ones.
    pub(crate) fn print(&self, lines: &str) {
        // A terminal that is gone changes nothing.
        let _ = self.screen.println(lines);
    }

    /// Takes away the `^C` that the terminal shows for the key, on a line of its own below the live ones.
    pub(crate) fn forget_echo(&self) {
        let terminal = Term::stdout();
        // What can't be taken away stays.
        let _ = terminal
            .clear_line()
            .and_then(|()| terminal.move_cursor_up(1));
    }

    /// Draws the live lines as they are at this time, in milliseconds since the epoch.
    pub(crate) fn draw(&mut self, state: &RunState, now: u64) {
        let shown = self.running.len().min(MOST_ROWS);
        while self.rows.len() > shown {
            self.rows.pop().inspect(|row| self.screen.remove(row));
        }
        while self.rows.len() < shown {
            self.rows
                .push(self.screen.insert_before(&self.total, row()));
        }
        for (row, id) in self.rows.iter().zip(&self.running) {
            if let Some(step) = state.step(id.as_str()) {
                row.set_message(self.row(step, now));
            }
        }
        self.total
            .set_message(self.footer(state, now, self.running.len() - shown));
    }

    /// Takes the live lines away; what was printed above them stays.
    pub(crate) fn close(self) {
        let _ = self.screen.clear();
    }

    fn row(&self, step: &StepState, now: u64) -> String {
        let since =
            |time: Option<u64>| Duration::from_millis(now.saturating_sub(time.unwrap_or(now)));
        let until = |time: u64| countdown(Duration::from_millis(time.saturating_sub(now)));
        let (ink, sign, text) = if let (Some(at), false) = (step.retry_at, step.attempt_open) {
            let why = step
                .failure
                .as_ref()
                .map(|failure| format!(": {}", words::failure(failure)));
            (
                Ink::Warn,
                "↻",
                format!(
                    "attempt {} in {}{}",
                    step.attempt + 1,
                    until(at),
                    why.unwrap_or_default()
                ),
            )
        } else if let Some(wait) = self.waits.get(&step.id) {
            let end = step.first_started_at.unwrap_or(now)
                + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            (Ink::Name, "◷", format!("{} left", until(end)))
        } else {
            let said = self.said.get(&step.id).map(said).unwrap_or_default();
            (
                Ink::Name,
                frame(now),
                format!("{}{said}", span(since(step.started_at))),
            )
        };
        format!(
            "{} {}  {text}",
            self.paper.ink(ink, sign),
            self.stream.column(&step.id)
        )
    }

    fn footer(&self, state: &RunState, now: u64, hidden: usize) -> String {
        let more = if hidden > 0 {
            format!(", {} more running", count(hidden, "step"))
        } else {
            String::new()
        };
        let took = Duration::from_millis(now.saturating_sub(state.started_at().unwrap_or(now)));
        let text = format!(
            "{} of {}, {}{more}",
            self.ended,
            count(state.steps().len(), "step"),
            span(took)
        );
        self.paper.ink(Ink::Faint, &text)
    }
}

fn frame(now: u64) -> &'static str {
    FRAMES[usize::try_from(now / FRAME).unwrap_or_default() % FRAMES.len()]
}

fn row() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{wide_msg}").expect("invariant: the template is well formed");
    ProgressBar::no_length().with_style(style)
}

/// What a plugin said last, behind the time.
fn said(progress: &Progress) -> String {
    let part = progress.fraction.filter(|part| part.is_finite());
    let percent = part
        .map(|part| format!(" ({:.0} %)", part.clamp(0.0, 1.0) * 100.0))
        .unwrap_or_default();
    format!("  {}{percent}", one_line(&progress.message))
}
