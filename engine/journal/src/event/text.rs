//! Cutting long texts: what others said must not make the log grow without bound.

use super::{Event, Failure, Outcome, Waiting};

/// How many bytes a free text of an event keeps.
const LONGEST: usize = 16 * 1024;

impl Event {
    /// Cuts the free texts that are too long, and says in them how much is gone.
    pub(super) fn cut_texts(&mut self) {
        match self {
            Event::RequestEnded { outcome, .. } => cut_outcome(outcome),
            Event::RequestRead { asked, outcome, .. } => {
                cut(&mut asked.url);
                cut_outcome(outcome);
            }
            Event::RequestHeld { asked, .. } => cut(&mut asked.url),
            Event::RequestDenied { asked, why, .. } => {
                cut(&mut asked.url);
                cut(why);
            }
            Event::AttemptFailed { failure, .. } | Event::StepFailed { failure, .. } => {
                cut_failure(failure);
            }
            Event::StepWaiting {
                waiting, failure, ..
            } => {
                cut_waiting(waiting);
                failure.iter_mut().for_each(cut_failure);
            }
            Event::Decided {
                reason: Some(reason),
                ..
            }
            | Event::CancelRequested { reason, .. }
            | Event::UndoRequested { reason, .. } => cut(reason),
            Event::StepSucceeded {
                summary: Some(summary),
                ..
            } => cut(summary),
            Event::Logged { message, .. } => cut(message),
            Event::Noted { text, .. } => cut(text),
            Event::RunFinished {
                error: Some(error), ..
            } => cut(error),
            // An intent keeps its whole URL: a later attempt's request is compared with it.
            Event::RequestBegun { .. }
            | Event::RunStarted(_)
            | Event::StepStarted { .. }
            | Event::StepSkipped { .. }
            | Event::StepSucceeded { summary: None, .. }
            | Event::Decided { reason: None, .. }
            | Event::RunWaiting { .. }
            | Event::RollbackStarted { .. }
            | Event::RunInterrupted { .. }
            | Event::RunResumed { .. }
            | Event::RunFinished { error: None, .. } => {}
        }
    }
}

fn cut_outcome(outcome: &mut Outcome) {
    if let Outcome::NotSent { why } | Outcome::Unknown { why } = outcome {
        cut(why);
    }
}

fn cut_waiting(waiting: &mut Waiting) {
    match waiting {
        Waiting::Approval { message, .. } => cut(message),
        Waiting::Manual { instructions, .. } => cut(instructions),
        Waiting::Diverged { recorded, asked } => {
            cut(recorded);
            cut(asked);
        }
        Waiting::Paused | Waiting::InDoubt { .. } => {}
    }
}

fn cut_failure(failure: &mut Failure) {
    cut(&mut failure.message);
    if let Some(code) = &mut failure.code {
        cut(code);
    }
}

fn cut(text: &mut String) {
    if text.len() <= LONGEST {
        return;
    }
    let end = text.floor_char_boundary(LONGEST);
    let gone = text.len() - end;
    text.truncate(end);
    text.push_str(&format!("… ({gone} bytes more)"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let mut text = "ä".repeat(LONGEST);
        cut(&mut text);
        assert!(text.len() < LONGEST + 40);
        assert!(text.ends_with("… (16384 bytes more)"));
    }

    #[test]
    fn a_short_text_stays() {
        let mut text = "x".repeat(LONGEST);
        cut(&mut text);
        assert_eq!(text.len(), LONGEST);
    }
}
