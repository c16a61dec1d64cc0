//! An event in one line.

use std::time::Duration;

use sandbook_journal::{
    Event, LogLevel, Outcome, RequestState, RunId, RunState, StepId, StepState, Stored, Waiting,
};

use super::{asks, words};
use crate::screen::{Ink, one_line, span};

/// An event as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// The step that it is about.
    pub(crate) step: Option<StepId>,
    pub(crate) sign: &'static str,
    pub(crate) ink: Ink,
    pub(crate) text: String,
    pub(crate) weight: Weight,
}

/// Who wants to read an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Whoever watches a run.
    Main,
    /// Whoever reads the log.
    Detail,
}

/// Says an event; `state` is what the log comes to with it.
pub(crate) fn sentence(stored: &Stored, state: &RunState) -> Sentence {
    match &stored.event {
        Event::RunStarted(facts) => {
            let environment = facts
                .environment
                .as_ref()
                .map(|it| format!(" in `{}`", it.name))
                .unwrap_or_default();
            let dry = if facts.dry_run { "dry run" } else { "run" };
            let who = one_line(&facts.operator.name);
            let text = format!(
                "{dry} {} of `{}`{environment} by {who}",
                stored.run, facts.runbook.name
            );
            of_run("▸", Ink::Name, text)
        }
        Event::Noted { by, text } => of_run(
            "✎",
            Ink::Plain,
            format!("{}: {}", one_line(&by.name), one_line(text)),
        ),
        Event::RunInterrupted { cause } => of_run(
            "■",
            Ink::Warn,
            format!(
                "interrupted by {}{}",
                words::interruption(*cause),
                words::open_ends(state)
            ),
        ),
        Event::RunWaiting { .. } => {
            let (ink, status) = words::status(state.status());
            Sentence {
                weight: Weight::Detail,
                ..of_run("?", ink, status.to_owned())
            }
        }
        Event::StepWaiting { step, .. } => waiting(stored.run, step, state),
        Event::Decided {
            step,
            by,
            decision,
            reason,
            ..
        } => {
            let why = reason.as_deref().map(|why| format!(": {}", one_line(why)));
            let text = format!(
                "{} said `{}`{}",
                one_line(&by.name),
                decision.as_str(),
                why.unwrap_or_default()
            );
            main(step, "☞", Ink::Plain, text)
        }
        Event::CancelRequested {
            by,
            reason,
            rollback,
        } => {
            let how = if *rollback { ", to be undone" } else { "" };
            let (who, why) = (one_line(&by.name), one_line(reason));
            of_run("■", Ink::Warn, format!("cancelled by {who}{how}: {why}"))
        }
        Event::UndoRequested { by, reason } => {
            let (who, why) = (one_line(&by.name), one_line(reason));
            of_run("↶", Ink::Warn, format!("{who} has it undone: {why}"))
        }
        Event::RollbackStarted { steps } => {
            let what = match steps.as_slice() {
                [] => "there is nothing to undo".to_owned(),
                steps => format!("undoing: {}", words::names(steps)),
            };
            of_run("↶", Ink::Warn, what)
        }
        Event::RunResumed { operator, host, .. } => of_run(
            "▸",
            Ink::Name,
            format!(
                "run {} resumed by {} on {}",
                stored.run,
                one_line(&operator.name),
                one_line(host)
            ),
        ),
        Event::RunFinished { error, .. } => {
            let (ink, status) = words::status(state.status());
            let why = error
                .as_ref()
                .map(|error| format!(": {}", one_line(error)))
                .unwrap_or_default();
            // Whoever watches reads it in the report.
            Sentence {
                weight: Weight::Detail,
                ..of_run("■", ink, format!("{status}{why}"))
            }
        }
        Event::StepStarted { step, attempt, .. } => {
            let text = if *attempt == 1 {
                "started".to_owned()
            } else {
                format!("attempt {attempt}")
            };
            detail(step, "▸", Ink::Faint, text)
        }
        Event::StepSkipped { step, reason } => main(step, "–", Ink::Faint, words::skipped(reason)),
        Event::RequestBegun {
            step,
            request,
            asked,
            ..
        } => {
            let with = asked
                .credential
                .as_ref()
                .map(|name| format!(" as {name}"))
                .unwrap_or_default();
            detail(
                step,
                "→",
                Ink::Plain,
                format!("request {request}: {}{with}", words::request(asked)),
            )
        }
        Event::RequestEnded {
            step,
            attempt,
            request,
            outcome,
            took_ms,
        } => {
            let asked = begun(state, step, *attempt, *request)
                .map(|begun| format!(" {}", words::request(&begun.asked)));
            let text = format!(
                "request {request}:{} {}",
                asked.unwrap_or_default(),
                ended(outcome, *took_ms)
            );
            detail(step, "←", words::outcome(Some(outcome)).0, text)
        }
        Event::RequestRead {
            step,
            request,
            asked,
            outcome,
            took_ms,
            ..
        } => {
            let text = format!(
                "request {request}: {} {}",
                words::request(asked),
                ended(outcome, *took_ms)
            );
            detail(step, "↔", words::outcome(Some(outcome)).0, text)
        }
        Event::RequestHeld { step, asked, .. } => main(
            step,
            "‖",
            Ink::Warn,
            format!("held back: {}", words::request(asked)),
        ),
        Event::RequestDenied {
            step, asked, why, ..
        } => {
            let (request, why) = (words::request(asked), one_line(why));
            let text = if why.contains(&request) {
                format!("denied: {why}")
            } else {
                format!("denied: {request}: {why}")
            };
            main(step, "⊘", Ink::Bad, text)
        }
        Event::AttemptFailed {
            step,
            attempt,
            failure,
            retry_at,
        } => {
            let wait = span(Duration::from_millis(retry_at.saturating_sub(stored.time)));
            let text = format!(
                "attempt {attempt} failed: {}; again in {wait}",
                words::failure(failure)
            );
            main(step, "↻", Ink::Warn, text)
        }
        Event::StepSucceeded { step, .. } => succeeded(step, state),
        Event::StepFailed { step, let_pass, .. } => failed(step, *let_pass, state),
        Event::Logged {
            step,
            level,
            message,
            ..
        } => {
            let (ink, name) = words::level(*level);
            let text = format!("{name}: {}", one_line(message));
            match level {
                LogLevel::Debug => detail(step, " ", ink, text),
                LogLevel::Info | LogLevel::Warn | LogLevel::Error => main(step, " ", ink, text),
            }
        }
    }
}

fn of_run(sign: &'static str, ink: Ink, text: String) -> Sentence {
    Sentence {
        step: None,
        sign,
        ink,
        text,
        weight: Weight::Main,
    }
}

fn main(step: &StepId, sign: &'static str, ink: Ink, text: String) -> Sentence {
    Sentence {
        step: Some(step.clone()),
        sign,
        ink,
        text,
        weight: Weight::Main,
    }
}

fn detail(step: &StepId, sign: &'static str, ink: Ink, text: String) -> Sentence {
    Sentence {
        weight: Weight::Detail,
        ..main(step, sign, ink, text)
    }
}

fn succeeded(id: &StepId, state: &RunState) -> Sentence {
    let step = state.step(id.as_str());
    let (ink, sign) = step.map_or((Ink::Good, "✓"), words::sign);
    main(id, sign, ink, step.map(done).unwrap_or_default())
}

/// What is said of a step that is done: `3 s, changed: the rule was added`.
pub(crate) fn done(step: &StepState) -> String {
    let mut text = words::took(step).unwrap_or_default();
    if step.unknown {
        text.push_str(", as far as a dry run gets");
    } else if step.changed {
        text.push_str(", changed");
    }
    if let Some(summary) = &step.summary {
        text.push_str(&format!(": {}", one_line(summary)));
    }
    text
}

/// What a step waits for, with why.
fn waiting(run: RunId, id: &StepId, state: &RunState) -> Sentence {
    let step = state.step(id.as_str());
    let Some((step, question)) = step.and_then(|step| Some((step, step.question.as_ref()?))) else {
        return main(id, "?", Ink::Warn, "waits for a person".to_owned());
    };
    let why = match &question.waiting {
        Waiting::Approval { .. } | Waiting::Manual { .. } => None,
        Waiting::InDoubt { request } => {
            let mut latest = step.latest_requests().iter();
            latest
                .find(|it| it.number == *request)
                .map(|it| format!(": {}", words::request(&it.asked)))
        }
        _ => step
            .failure
            .as_ref()
            .map(|failure| format!(": {}", words::failure(failure))),
    };
    let (why, fits) = (
        why.unwrap_or_default(),
        question.waiting.decisions().join("|"),
    );
    let text = format!(
        "waits, {}{why} (`sandbook decide {run} {id} {fits}`)",
        asks(question)
    );
    main(id, "?", Ink::Warn, text)
}

fn failed(id: &StepId, let_pass: bool, state: &RunState) -> Sentence {
    let Some(step) = state.step(id.as_str()) else {
        return main(id, "✗", Ink::Bad, "failed".to_owned());
    };
    let (ink, sign) = words::sign(step);
    main(
        id,
        sign,
        ink,
        broke(step) + if let_pass { "; let pass" } else { "" },
    )
}

/// What is said of a step that failed: how long it took, in how many attempts, why.
pub(crate) fn broke(step: &StepState) -> String {
    let mut text = words::took(step).unwrap_or_default();
    if step.attempt > 1 {
        text.push_str(&format!(", {} attempts", step.attempt));
    }
    if let Some(failure) = &step.failure {
        text.push_str(&format!(": {}", words::failure(failure)));
    }
    if let Some(number) = step.in_doubt {
        let begun = step
            .requests
            .iter()
            .rev()
            .find(|begun| begun.attempt == step.attempt && begun.number == number);
        let which = begun.map_or_else(
            || format!("request {number}"),
            |begun| format!("`{}`", words::request(&begun.asked)),
        );
        text.push_str(&format!(
            "; {which} may or may not have had its effect: look before you run it again"
        ));
    }
    text
}

fn begun<'a>(
    state: &'a RunState,
    step: &StepId,
    attempt: u32,
    number: u32,
) -> Option<&'a RequestState> {
    let requests = &state.step(step.as_str())?.requests;
    requests
        .iter()
        .rev()
        .find(|request| request.attempt == attempt && request.number == number)
}

fn ended(outcome: &Outcome, took_ms: u64) -> String {
    let (_, how) = words::outcome(Some(outcome));
    match outcome {
        Outcome::Answered { .. } => {
            format!("→ {how} in {}", span(Duration::from_millis(took_ms)))
        }
        Outcome::NotSent { .. } | Outcome::Unknown { .. } => format!("→ {how}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn last(events: impl IntoIterator<Item = Event>) -> Sentence {
        let (log, state) = sample::log(events);
        sentence(log.last().unwrap(), &state)
    }

    #[test]
    fn a_step_that_is_done_says_how_long_it_took_and_whether_it_changed_something() {
        let said = last([
            sample::started(&["a"], false),
            sample::begun("a"),
            sample::done("a", true, "two rules added"),
        ]);
        assert_eq!(
            (said.sign, said.text.as_str()),
            ("✓", "1.0 s, changed: two rules added")
        );
        let said = last([
            sample::started(&["a"], false),
            sample::begun("a"),
            sample::done("a", false, ""),
        ]);
        assert_eq!(said.text, "1.0 s");
    }

    #[test]
    fn a_failure_is_one_line_without_anything_harmful() {
        let said = last([
            sample::started(&["a"], false),
            sample::begun("a"),
            sample::broke("a", true),
        ]);
        assert_eq!(
            said.text,
            "1.0 s: the service said \\u{1b}no (conflict); let pass"
        );
        assert_eq!(said.ink, Ink::Warn);
    }

    #[test]
    fn an_interruption_names_what_is_in_doubt() {
        let [begun, ended] = sample::sent("a", 1, 202);
        let interrupted = Event::RunInterrupted {
            cause: sandbook_journal::Signal::Terminate.into(),
        };
        let before = || [sample::started(&["a"], false), sample::begun("a")];
        let said = last(
            before()
                .into_iter()
                .chain([begun.clone(), interrupted.clone()]),
        );
        assert_eq!(
            said.text,
            "interrupted by SIGTERM; step `a`: `POST https://api.example/x` is in doubt, it may or may not have had \
             its effect: look before you go on"
        );
        let said = last(before().into_iter().chain([begun, ended, interrupted]));
        assert_eq!(said.text, "interrupted by SIGTERM");
    }

    #[test]
    fn the_end_of_a_request_names_it() {
        let [begun, ended] = sample::sent("a", 1, 202);
        let said = last([
            sample::started(&["a"], false),
            sample::begun("a"),
            begun,
            ended,
        ]);
        assert_eq!(
            said.text,
            "request 1: POST https://api.example/x → 202 in 30 ms"
        );
        assert_eq!(said.weight, Weight::Detail);
    }
}
