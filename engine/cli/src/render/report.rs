//! The end of a run: what was changed and where, what was put out, and the run's id.

use std::time::Duration;

use sandbook_journal::{Outcome, RequestState, RunId, RunState, RunStatus, StepState, StepStatus};

use super::held::Held;
use super::{questions, words};
use crate::screen::{Ink, Paper, Table, Zone, one_line, span};

/// How many of a step's requests are listed; `show` has them all.
const MOST_REQUESTS: usize = 5;

/// A run as it stands.
pub(crate) struct Standing<'a> {
    pub(crate) id: RunId,
    /// What its log comes to.
    pub(crate) state: &'a RunState,
    /// How it stands now; the log alone can't tell that a process died.
    pub(crate) status: RunStatus,
    /// What a dry run would have sent.
    pub(crate) held: &'a [Held],
}

/// What is said of a run at its end, and whenever it is looked at later.
pub(crate) fn report(run: &Standing<'_>, paper: Paper) -> String {
    let mut text = if is_dry(run.state) {
        would_send(run.held, paper)
    } else {
        changes(run.state, paper)
    };
    text.push_str(&outputs(run.state, paper));
    text.push_str(&questions(run.id, run.state, &Zone::local(), paper));
    text.push_str(&last_line(run, paper));
    text
}

fn is_dry(state: &RunState) -> bool {
    state.facts().is_some_and(|facts| facts.dry_run)
}

/// What was changed, step by step.
fn changes(state: &RunState, paper: Paper) -> String {
    let touched: Vec<&StepState> = state.steps().filter(|step| has_changed(step)).collect();
    if touched.is_empty() {
        return "Nothing was changed.\n".to_owned();
    }
    let mut table = Table::indented(2);
    for step in touched {
        let said = match step.status {
            StepStatus::Succeeded => step.summary.as_deref().map(one_line).unwrap_or_default(),
            StepStatus::Failed => "before it failed".to_owned(),
            StepStatus::Waiting => "before it waited for a person".to_owned(),
            StepStatus::RolledBack => "undone".to_owned(),
            _ => "before it was cut off".to_owned(),
        };
        table.row([(Ink::Name, step.id.to_string()), (Ink::Plain, said)]);
        let sent: Vec<&RequestState> = step
            .requests
            .iter()
            .filter(|request| may_have_changed(request))
            .collect();
        for request in sent.iter().take(MOST_REQUESTS) {
            let (ink, outcome) = words::outcome(request.outcome.as_ref());
            // What came of it stands before the URL, of which narrow paper shows only the beginning.
            table.row([
                (Ink::Plain, String::new()),
                (ink, outcome),
                (Ink::Plain, words::request(&request.asked)),
            ]);
        }
        if sent.len() > MOST_REQUESTS {
            let more = format!(
                "and {} more",
                words::count(sent.len() - MOST_REQUESTS, "request")
            );
            table.row([(Ink::Plain, String::new()), (Ink::Faint, more)]);
        }
    }
    format!(
        "{}\n{}",
        paper.ink(Ink::Strong, "Changed:"),
        table.render(paper)
    )
}

/// A step that says so, or that broke off after it may have changed something.
fn has_changed(step: &StepState) -> bool {
    step.changed
        || (step.status != StepStatus::Succeeded && step.requests.iter().any(may_have_changed))
}

fn may_have_changed(request: &RequestState) -> bool {
    match &request.outcome {
        None | Some(Outcome::Unknown { .. }) => true,
        Some(outcome) => outcome.is_success() || outcome.is_ambiguous(),
    }
}

fn would_send(held: &[Held], paper: Paper) -> String {
    if held.is_empty() {
        return "Dry run: it came upon nothing that could change something.\n".to_owned();
    }
    let mut text = format!(
        "{}\n",
        paper.ink(
            Ink::Strong,
            "Dry run: nothing was changed. It would have sent:"
        )
    );
    for held in held {
        text.push_str(&format!(
            "  {}  {}\n",
            paper.ink(Ink::Name, &held.step),
            held.request
        ));
        for line in &held.body {
            text.push_str(&paper.ink(Ink::Faint, &format!("      {line}")));
            text.push('\n');
        }
    }
    text
}

fn outputs(state: &RunState, paper: Paper) -> String {
    let Some(finish) = state.finish().filter(|finish| !finish.outputs.is_empty()) else {
        return String::new();
    };
    let mut table = Table::indented(2);
    for (name, value) in &finish.outputs {
        table.row([(Ink::Name, name.clone()), (Ink::Plain, words::value(value))]);
    }
    // What a runbook puts out is there to be read: it isn't cut.
    format!(
        "{}\n{}",
        paper.ink(Ink::Strong, "Outputs:"),
        table.render(paper.uncut())
    )
}

/// How it ended, with the failures that were let pass.
fn last_line(run: &Standing<'_>, paper: Paper) -> String {
    let (ink, word) = words::status(run.status);
    let kind = if is_dry(run.state) { "dry run" } else { "run" };
    let mut line = format!("{kind} {} {}", run.id, paper.ink(ink, word));
    if let (Some(finish), Some(started)) = (run.state.finish(), run.state.started_at()) {
        line.push_str(&format!(
            " in {}",
            span(Duration::from_millis(finish.at.saturating_sub(started)))
        ));
        if let Some(error) = &finish.error {
            line.push_str(&format!(": {}", one_line(error)));
        }
        if !finish.passed_failures.is_empty() {
            let number = words::count(finish.passed_failures.len(), "failure");
            line.push_str(&format!(
                "; {number} let pass: {}",
                words::names(&finish.passed_failures)
            ));
        }
    } else if run.status == RunStatus::Interrupted && !is_dry(run.state) {
        line.push_str(&format!(": `sandbook resume {}` goes on with it", run.id));
        line.push_str(&words::open_ends(run.state));
    } else if run.status == RunStatus::Waiting {
        line.push_str(" for a person");
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use sandbook_journal::{Asked, Event, FinalStatus, Signal};

    use super::super::sample;
    use super::*;

    fn reported(events: impl IntoIterator<Item = Event>) -> String {
        let (_, state) = sample::log(events);
        shown(&state, &[])
    }

    fn shown(state: &RunState, held: &[Held]) -> String {
        let run = Standing {
            id: "0123456789ab".parse().unwrap(),
            state,
            status: state.status(),
            held,
        };
        report(&run, Paper::BARE)
    }

    #[test]
    fn what_was_changed_is_told_with_its_requests_and_what_was_let_pass_last() {
        let mut events = vec![
            sample::started(&["move", "tell"], false),
            sample::begun("move"),
        ];
        events.extend(sample::sent("move", 1, 202));
        events.extend([
            sample::done("move", true, "moved\nthe writer"),
            sample::begun("tell"),
        ]);
        events.extend([
            sample::broke("tell", true),
            sample::finished(FinalStatus::Succeeded, None, &["tell"]),
        ]);
        assert_eq!(
            reported(events),
            "Changed:\n  move  moved the writer\n        202  POST https://api.example/x\n\
             run 0123456789ab succeeded in 7.0 s; 1 failure let pass: `tell`\n"
        );
    }

    #[test]
    fn a_step_that_broke_off_after_a_change_is_among_the_changes() {
        let mut events = vec![sample::started(&["move"], false), sample::begun("move")];
        events.extend(sample::sent("move", 1, 200));
        events.extend([
            sample::broke("move", false),
            sample::finished(FinalStatus::Failed, Some("step `move`: no"), &[]),
        ]);
        let text = reported(events);
        assert!(
            text.contains("  move  before it failed\n        200  POST https://api.example/x\n"),
            "{text}"
        );
        assert!(
            text.ends_with("run 0123456789ab failed in 5.0 s: step `move`: no\n"),
            "{text}"
        );
    }

    #[test]
    fn an_interrupted_run_names_the_requests_whose_outcome_is_unknown() {
        let interrupted = |repeatable| {
            let asked = Asked {
                repeatable,
                ..sample::asked("POST")
            };
            reported([
                sample::started(&["move", "tell"], false),
                sample::begun("move"),
                Event::RequestBegun {
                    step: "move".into(),
                    attempt: 1,
                    request: 1,
                    asked,
                },
                Event::RunInterrupted {
                    cause: Signal::Interrupt.into(),
                },
            ])
        };
        let text = interrupted(false);
        assert!(
            text.ends_with(
                "goes on with it; step `move`: `POST https://api.example/x` is in doubt, it may or may not have had \
                 its effect: look before you go on\n"
            ),
            "{text}"
        );
        let text = interrupted(true);
        assert!(
            text.ends_with(
                "`POST https://api.example/x` was cut off, and what came of it is unknown\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_request_that_was_refused_is_no_change() {
        let mut events = vec![sample::started(&["move"], false), sample::begun("move")];
        events.extend(sample::sent("move", 1, 403));
        events.extend([
            sample::broke("move", false),
            sample::finished(FinalStatus::Failed, None, &[]),
        ]);
        assert!(reported(events).contains("Nothing was changed."));
    }

    #[test]
    fn a_dry_run_lists_what_it_held_back() {
        let (_, state) = sample::log([
            sample::started(&[], true),
            sample::finished(FinalStatus::Succeeded, None, &[]),
        ]);
        let body = vec!["{".to_owned(), "}".to_owned()];
        let held = [Held {
            step: "move".to_owned(),
            request: "POST https://api.example/x as azure".to_owned(),
            body,
        }];
        let text = shown(&state, &held);
        let listed =
            "It would have sent:\n  move  POST https://api.example/x as azure\n      {\n      }\n";
        assert!(text.contains(listed), "{text}");
        assert!(
            text.ends_with("dry run 0123456789ab succeeded in 1.0 s\n"),
            "{text}"
        );
    }
}
