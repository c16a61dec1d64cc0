//! What a run waits for a person to say, and how it is said.

use sandbook_journal::{
    Question, RequestState, RunId, RunState, Section, StepState, StepStatus, Waiting,
};

use super::words;
use crate::screen::{Ink, Paper, Zone, one_line, safe};

/// All that a run waits for, with what each decision would do; empty where it waits for nobody.
pub(crate) fn questions(run: RunId, state: &RunState, zone: &Zone, paper: Paper) -> String {
    let told: Vec<String> = state
        .questions()
        .map(|(step, question)| {
            let cancelled = state.cancelling().is_some()
                && matches!(step.section, Section::Steps | Section::OnFailure);
            told(run, step, question, cancelled, zone, paper)
        })
        .collect();
    if told.is_empty() {
        return String::new();
    }
    let heading = paper.ink(Ink::Strong, "Waiting for a person:");
    format!("{heading}\n{}", told.concat())
}

/// A step's question in one line.
pub(crate) fn asks(question: &Question) -> String {
    let text = match &question.waiting {
        Waiting::Approval { message, min, .. } => {
            let so_far = match (min, question.approvals.len()) {
                (1, _) => String::new(),
                (min, given) => format!(" ({given} of {min} have approved)"),
            };
            format!("approval: {}{so_far}", one_line(message))
        }
        Waiting::Manual { instructions, .. } => format!("by hand: {}", one_line(instructions)),
        Waiting::Paused => "it failed, and is paused".to_owned(),
        Waiting::InDoubt { .. } => "in doubt: a request may or may not have had its effect".into(),
        Waiting::Diverged { .. } => "diverged: it asks for something else than before".into(),
    };
    let let_go = if question.let_go {
        "; what needs it goes on"
    } else {
        ""
    };
    text + let_go
}

/// A question with what it is about, and the decisions that fit.
fn told(
    run: RunId,
    step: &StepState,
    question: &Question,
    cancelled: bool,
    zone: &Zone,
    paper: Paper,
) -> String {
    let mut text = format!(
        "  {}  {}\n",
        paper.ink(Ink::Name, step.id.as_str()),
        asks(question)
    );
    for line in about(step, question, zone) {
        text.push_str(&format!("      {line}\n"));
    }
    for decision in question.waiting.decisions() {
        let what = if cancelled {
            consequence_of_cancelled(decision)
        } else {
            consequence(&question.waiting, decision)
        };
        text.push_str(&paper.ink(Ink::Faint, &format!("      {decision:9} {what}")));
        text.push('\n');
    }
    let first = question.waiting.decisions().join("|");
    let attempt = match question.waiting {
        Waiting::Approval { .. } | Waiting::Manual { .. } => String::new(),
        _ => format!(" --attempt {}", step.attempt),
    };
    text.push_str(&format!(
        "      say so with `sandbook decide {run} {} {first}{attempt}`\n",
        step.id
    ));
    text
}

/// What a person has to know to decide.
pub(crate) fn about(step: &StepState, question: &Question, zone: &Zone) -> Vec<String> {
    let mut lines = Vec::new();
    match &question.waiting {
        Waiting::Approval {
            approvers,
            allow_self,
            expires_at,
            ..
        } => {
            for approval in &question.approvals {
                lines.push(format!(
                    "approved by {} at {}",
                    one_line(&approval.by.name),
                    zone.stamp(approval.at)
                ));
            }
            if !approvers.is_empty() {
                lines.push(format!(
                    "may be approved by {}",
                    safe(&approvers.join(", "))
                ));
            }
            if !allow_self {
                lines.push("not by who started the run".to_owned());
            }
            if let Some(at) = expires_at {
                lines.push(format!("counts as rejected from {} on", zone.stamp(*at)));
            }
        }
        Waiting::Manual { outputs, .. } => {
            for (name, hand_in) in outputs {
                let may = if hand_in.required {
                    ""
                } else {
                    ", or left out"
                };
                let kind = safe(&hand_in.kind);
                lines.push(format!("to be handed in: `{}` ({kind}{may})", safe(name)));
            }
        }
        Waiting::Paused => lines.extend(failure(step)),
        Waiting::InDoubt { request } => {
            let mut latest = step.latest_requests().iter();
            lines.extend(
                latest
                    .find(|it| it.number == *request)
                    .map(|it| sent(it, zone)),
            );
            lines.extend(failure(step));
        }
        Waiting::Diverged { recorded, asked } => {
            lines.push(format!("answered before: {}", one_line(recorded)));
            lines.push(format!("asked for now:   {}", one_line(asked)));
        }
    }
    lines
}

/// The steps that would come next, for who approves.
pub(crate) fn to_come(state: &RunState) -> Vec<String> {
    let pending = |step: &&StepState| {
        step.status == StepStatus::Pending && matches!(step.section, Section::Steps)
    };
    let pending = state.steps().filter(pending);
    pending.map(|step| step.id.to_string()).collect()
}

fn failure(step: &StepState) -> Option<String> {
    let failure = step.failure.as_ref()?;
    Some(format!("it said: {}", words::failure(failure)))
}

fn sent(request: &RequestState, zone: &Zone) -> String {
    let (_, outcome) = words::outcome(request.outcome.as_ref());
    let body = request.asked.body.as_ref();
    let body = body.map_or_else(String::new, |kept| format!(", sent {}", words::body(kept)));
    format!(
        "{} at {}{body}: {outcome}",
        words::request(&request.asked),
        zone.stamp(request.begun_at)
    )
}

/// What a decision would do.
fn consequence(waiting: &Waiting, decision: &str) -> &'static str {
    match (waiting, decision) {
        (_, "approve") => "the run goes on once enough people have",
        (_, "reject") => "the step fails",
        (_, "happened") => {
            "it was done: the step goes on from its answer (--answer FILE; without, an empty 200)"
        }
        (Waiting::InDoubt { .. }, "retry") => {
            "it was not done: the step is tried again, and sends it"
        }
        (Waiting::Diverged { .. }, "retry") => {
            "the step is tried again; with --fresh, what was answered before is asked for anew"
        }
        (_, "retry") => "the step is tried again, with all of its attempts",
        (_, "skip") => "the step is left out, and what needs it goes on",
        (Waiting::Manual { .. }, "done") => "it was done, and this came of it (--outputs JSON)",
        (_, "done") => "the step was done by hand (--outputs JSON), and what needs it goes on",
        (_, "abort") => "the step has failed, and nothing that follows starts",
        _ => "",
    }
}

/// What a decision about a doubt would do in a run that is being cancelled.
fn consequence_of_cancelled(decision: &str) -> &'static str {
    match decision {
        "happened" => "it was done: the step ends there, since the run is cancelled",
        "retry" => "it was not done, and is not sent any more, since the run is cancelled",
        "done" => "the step was done by hand (--outputs JSON)",
        _ => "the step has failed, and the doubt stays on record",
    }
}
