//! `show`: a run as it is on record.

use std::time::Duration;

use sandbook_journal::{Event, RunState, RunStatus, Section, StepState, StepStatus, Stored};
use serde_json::{Value, json};

use super::effects::{Effect, Fate, effects};
use super::event::{broke, done};
use super::report::{Standing, report};
use super::{asks, rehearsal, words};
use crate::screen::{Ink, Paper, Table, Zone, one_line, span};

/// A run for people: what it was, its steps, every effect, notes, and the report of its end.
pub(crate) fn run(run: &Standing<'_>, events: &[Stored], zone: &Zone, paper: Paper) -> String {
    let parts = [
        header(run, events, zone, paper),
        steps(run, paper),
        effects_table(&effects(events), zone, paper),
        decisions(events, zone, paper),
        notes(events, zone, paper),
        report(run, paper),
    ];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn header(run: &Standing<'_>, events: &[Stored], zone: &Zone, paper: Paper) -> String {
    let state = run.state;
    let Some(facts) = state.facts() else {
        return String::new();
    };
    let mut table = Table::default();
    let mut fact =
        |name: &str, value: String| table.row([(Ink::Faint, name.to_owned()), (Ink::Plain, value)]);
    let dry = if facts.dry_run { " (dry run)" } else { "" };
    fact(
        "run",
        format!("{}{dry}", paper.ink(Ink::Strong, run.id.as_str())),
    );
    let (ink, word) = words::status(run.status);
    fact("status", paper.ink(ink, word));
    fact(
        "runbook",
        format!(
            "{} ({}, {})",
            facts.runbook.name,
            facts.runbook.file,
            short(&facts.runbook.digest.hex())
        ),
    );
    if let Some(git) = &facts.runbook.git {
        let dirty = if git.dirty {
            ", with changes that are not committed"
        } else {
            ""
        };
        let commit = git.commit.get(..12).unwrap_or(&git.commit);
        fact("git", format!("{}{dirty}", one_line(commit)));
    }
    if let Some(environment) = &facts.environment {
        fact(
            "environment",
            format!(
                "{} ({})",
                environment.name,
                short(&environment.digest.hex())
            ),
        );
    }
    if let Some(group) = &facts.group {
        fact("group", one_line(group));
    }
    let started = state.started_at().unwrap_or_default();
    fact(
        "started",
        format!(
            "{} by {} on {}",
            zone.stamp(started),
            one_line(&facts.operator.name),
            one_line(&facts.host)
        ),
    );
    for stored in events {
        let at = zone.stamp(stored.time);
        match &stored.event {
            Event::RunInterrupted { cause } => {
                let cause = words::interruption(*cause);
                fact("interrupted", format!("{at} by {cause}"));
            }
            Event::RunResumed {
                operator,
                host,
                environment,
                ..
            } => {
                let (name, host) = (one_line(&operator.name), one_line(host));
                let accepted = environment.as_ref().map(|accepted| {
                    format!(
                        "; its environment is {} from here on: {}",
                        short(&accepted.facts.digest.hex()),
                        one_line(&accepted.reason)
                    )
                });
                let accepted = accepted.unwrap_or_default();
                fact("resumed", format!("{at} by {name} on {host}{accepted}"));
            }
            _ => {}
        }
    }
    if let Some(finish) = state.finish() {
        let took = span(Duration::from_millis(finish.at.saturating_sub(started)));
        fact(
            "finished",
            format!("{} after {took}", zone.stamp(finish.at)),
        );
    }
    for (name, value) in &facts.inputs {
        fact("input", format!("{name} = {}", words::value(value)));
    }
    let top = rehearsal(facts, paper)
        .map(|line| line + "\n")
        .unwrap_or_default();
    top + &table.render(paper)
}

fn steps(run: &Standing<'_>, paper: Paper) -> String {
    let mut table = Table::indented(2);
    let mut section = Section::Steps;
    for step in run.state.steps().filter(|step| is_worth_a_line(step)) {
        if step.section != section {
            section = step.section;
            let name = match section {
                Section::Finally => "finally",
                Section::Rollback => "undoing",
                _ => "on failure",
            };
            table.row([(Ink::Faint, name.to_owned())]);
        }
        let is_cut_off = step.status == StepStatus::Running && run.status == RunStatus::Interrupted;
        let ((ink, sign), said) = if is_cut_off {
            ((Ink::Warn, "■"), "interrupted".to_owned())
        } else {
            (words::sign(step), standing(step))
        };
        let name = format!("{} {}", paper.ink(ink, sign), step.id);
        table.row([(Ink::Plain, name), (Ink::Plain, said)]);
    }
    format!(
        "{}\n{}",
        paper.ink(Ink::Strong, "Steps:"),
        table.render(paper)
    )
}

/// Steps for a failure that did not come are no news, nor is what would have undone what stays.
fn is_worth_a_line(step: &StepState) -> bool {
    let is_planned = matches!(step.section, Section::Steps | Section::Finally);
    is_planned || step.attempt > 0
}

fn standing(step: &StepState) -> String {
    match step.status {
        StepStatus::Succeeded => done(step),
        StepStatus::Failed => broke(step) + if step.let_pass { "; let pass" } else { "" },
        StepStatus::Waiting => step.question.as_ref().map_or_else(
            || step.status.to_string(),
            |it| format!("waits, {}", asks(it)),
        ),
        StepStatus::Skipped => step
            .skipped
            .as_ref()
            .map(words::skipped)
            .unwrap_or_default(),
        other => other.to_string(),
    }
}

fn effects_table(effects: &[Effect<'_>], zone: &Zone, paper: Paper) -> String {
    if effects.is_empty() {
        return String::new();
    }
    let mut table = Table::indented(2);
    for effect in effects {
        let (ink, fate) = match &effect.fate {
            Fate::Sent(outcome) => words::outcome(*outcome),
            Fate::Held => (Ink::Warn, "held back".to_owned()),
            Fate::Denied(why) => (Ink::Bad, format!("denied: {}", one_line(why))),
        };
        // The reason stands behind, where it doesn't widen the column.
        let (fate, why) = match fate.split_once(": ") {
            Some((word, why)) => (word.to_owned(), Some(why.to_owned())),
            None => (fate, None),
        };
        let took = effect
            .took_ms
            .map(|millis| span(Duration::from_millis(millis)))
            .unwrap_or_default();
        let method = if effect.is_changing() {
            Ink::Warn
        } else {
            Ink::Faint
        };
        let url = crate::screen::safe(&effect.asked.url).into_owned();
        let credential = effect
            .asked
            .credential
            .as_ref()
            .map(|name| format!("as {name}"));
        let sent = effect
            .asked
            .body
            .as_ref()
            .map(|kept| format!("sent {}", words::body(kept)));
        let got = effect
            .answer()
            .map(|kept| format!("got {}", words::body(kept)));
        let rest = why
            .into_iter()
            .chain(credential)
            .chain(sent)
            .chain(got)
            .collect::<Vec<_>>()
            .join(", ");
        let rest = if rest.is_empty() {
            String::new()
        } else {
            paper.ink(Ink::Faint, &format!("  ({rest})"))
        };
        table.row([
            (Ink::Faint, zone.clock(effect.time)),
            (Ink::Plain, effect.step.to_string()),
            (
                method,
                crate::screen::safe(&effect.asked.method).into_owned(),
            ),
            (ink, fate),
            (Ink::Faint, took),
            (Ink::Plain, url + &rest),
        ]);
    }
    // The record is not cut.
    format!(
        "{}\n{}",
        paper.ink(Ink::Strong, "Requests:"),
        table.render(paper.uncut())
    )
}

/// What people have decided, when, and why.
fn decisions(events: &[Stored], zone: &Zone, paper: Paper) -> String {
    let mut table = Table::indented(2);
    for stored in events {
        let (by, what, reason) = match &stored.event {
            Event::Decided {
                step,
                by,
                decision,
                reason,
                ..
            } => {
                let what = format!("`{}` for `{step}`", decision.as_str());
                (by, what, reason.as_deref())
            }
            Event::CancelRequested { by, reason, .. } => (by, "cancel".to_owned(), Some(&**reason)),
            Event::UndoRequested { by, reason } => (by, "undo".to_owned(), Some(&**reason)),
            _ => continue,
        };
        table.row([
            (Ink::Faint, zone.stamp(stored.time)),
            (Ink::Name, one_line(&by.name)),
            (Ink::Plain, what),
            (Ink::Plain, reason.map(one_line).unwrap_or_default()),
        ]);
    }
    let rendered = table.render(paper.uncut());
    if rendered.is_empty() {
        rendered
    } else {
        format!("{}\n{rendered}", paper.ink(Ink::Strong, "Decisions:"))
    }
}

fn notes(events: &[Stored], zone: &Zone, paper: Paper) -> String {
    let mut table = Table::indented(2);
    for stored in events {
        if let Event::Noted { by, text } = &stored.event {
            let (when, who) = (
                (Ink::Faint, zone.stamp(stored.time)),
                (Ink::Name, one_line(&by.name)),
            );
            table.row([when, who, (Ink::Plain, one_line(text))]);
        }
    }
    let rendered = table.render(paper.uncut());
    if rendered.is_empty() {
        rendered
    } else {
        format!("{}\n{rendered}", paper.ink(Ink::Strong, "Notes:"))
    }
}

/// The same for programs.
pub(crate) fn run_json(events: &[Stored], state: &RunState, status: RunStatus) -> Value {
    let finish = state.finish();
    let steps = state.steps().map(|step| {
        json!({
            "id": step.id, "section": step.section, "status": step.status, "attempts": step.attempt,
            "started_at": step.first_started_at, "ended_at": step.ended_at, "changed": step.changed,
            "summary": step.summary, "outputs": step.outputs, "unknown": step.unknown,
            "waiting": step.question.as_ref().map(|question| &question.waiting),
            "skipped": step.skipped, "failure": step.failure, "in_doubt": step.in_doubt, "let_pass": step.let_pass,
        })
    });
    let notes = events.iter().filter_map(|stored| match &stored.event {
        Event::Noted { by, text } => Some(json!({ "time": stored.time, "by": by, "text": text })),
        _ => None,
    });
    json!({
        "run": events.first().map(|stored| stored.run),
        "status": status,
        "started": state.facts(),
        "started_at": state.started_at(),
        "finished_at": finish.map(|finish| finish.at),
        "failed_step": finish.and_then(|finish| finish.failed_step.as_ref()),
        "error": finish.and_then(|finish| finish.error.as_ref()),
        "outputs": finish.map(|finish| &finish.outputs),
        "passed_failures": finish.map(|finish| &finish.passed_failures),
        "steps": steps.collect::<Vec<_>>(),
        "effects": effects(events).iter().map(Effect::json).collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
    })
}

fn short(hex: &str) -> &str {
    &hex[..12]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_step_that_was_cut_off_does_not_seem_to_run() {
        let (events, state) = sample::log([sample::started(&["a"], false), sample::begun("a")]);
        let shown = |status| {
            let standing = Standing {
                id: events[0].run,
                state: &state,
                status,
                held: &[],
            };
            run(&standing, &events, &Zone::local(), Paper::BARE)
        };
        assert!(shown(RunStatus::Running).contains("  ▸ a  running\n"));
        assert!(shown(RunStatus::Interrupted).contains("  ■ a  interrupted\n"));
    }
}
