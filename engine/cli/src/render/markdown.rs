//! `show --markdown`: the first draft of a post-mortem.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbook_journal::{Event, Operator, RunState, StepState, StepStatus, Stored};

use super::effects::{Effect, Fate, effects};
use super::event::sentence;
use super::report::Standing;
use super::{Weight, asks, words};
use crate::screen::{Zone, one_line, safe, span};

/// A run as Markdown: what it was, who had part in it, what happened when, what was changed, what was said.
pub(crate) fn markdown(run: &Standing<'_>, events: &[Stored], zone: &Zone) -> String {
    let parts = [
        summary(run, zone),
        people(events),
        timeline(events, zone),
        changes(&effects(events), zone),
        steps(run.state),
        decisions(events, zone),
        notes(events, zone),
        open_questions(run.state),
        "## Causes and consequences\n\n_To be written: what caused this, what went well, what didn't, and who does what about it._\n".to_owned(),
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

fn summary(run: &Standing<'_>, zone: &Zone) -> String {
    let state = run.state;
    let Some(facts) = state.facts() else {
        return String::new();
    };
    let (_, status) = words::status(run.status);
    let mut text = format!(
        "# {} {status}: run {}\n\n",
        plain(&facts.runbook.name),
        run.id
    );
    let mut fact = |name: &str, value: String| text.push_str(&format!("- **{name}:** {value}\n"));
    let digest = &facts.runbook.digest.hex()[..12];
    fact(
        "Runbook",
        format!(
            "{} ({}, {digest})",
            plain(&facts.runbook.name),
            plain(&facts.runbook.file)
        ),
    );
    if let Some(git) = &facts.runbook.git {
        let dirty = if git.dirty {
            ", with changes that aren't committed"
        } else {
            ""
        };
        fact("Commit", format!("{}{dirty}", plain(&git.commit)));
    }
    if let Some(environment) = state.environment() {
        let rehearsal = if environment.rehearsal {
            " (a rehearsal: nothing real was reached)"
        } else {
            ""
        };
        fact(
            "Environment",
            format!("{}{rehearsal}", plain(&environment.name)),
        );
    }
    let started = state.started_at().unwrap_or_default();
    fact(
        "Started",
        format!(
            "{} by {} on {}",
            zone.stamp(started),
            plain(&facts.operator.name),
            plain(&facts.host)
        ),
    );
    if let Some(finish) = state.finish() {
        let took = span(Duration::from_millis(finish.at.saturating_sub(started)));
        fact("Ended", format!("{} after {took}", zone.stamp(finish.at)));
        if let Some(error) = &finish.error {
            fact("Because", plain(error));
        }
    }
    for (name, value) in &facts.inputs {
        fact(
            "Input",
            format!("{} = {}", plain(name), plain(&words::value(value))),
        );
    }
    if let Some(finish) = state.finish() {
        for (name, value) in &finish.outputs {
            fact(
                "Output",
                format!("{} = {}", plain(name), plain(&words::value(value))),
            );
        }
    }
    text
}

/// Everybody who had part in it, with what they did.
fn people(events: &[Stored]) -> String {
    let mut parts: BTreeMap<(String, u32), Vec<&'static str>> = BTreeMap::new();
    let mut had_part = |by: &Operator, what| {
        let did = parts.entry((by.name.clone(), by.uid)).or_default();
        if !did.contains(&what) {
            did.push(what);
        }
    };
    for stored in events {
        match &stored.event {
            Event::RunStarted(facts) => had_part(&facts.operator, "started it"),
            Event::RunResumed { operator, .. } => had_part(operator, "resumed it"),
            Event::Decided { by, .. } => had_part(by, "decided"),
            Event::CancelRequested { by, .. } => had_part(by, "cancelled it"),
            Event::UndoRequested { by, .. } => had_part(by, "had it undone"),
            Event::Noted { by, .. } => had_part(by, "noted"),
            _ => {}
        }
    }
    let mut text = "## People\n\n".to_owned();
    for ((name, uid), did) in parts {
        text.push_str(&format!(
            "- {} (user {uid}): {}\n",
            plain(&name),
            did.join(", ")
        ));
    }
    text
}

fn timeline(events: &[Stored], zone: &Zone) -> String {
    let mut text = "## Timeline\n\n| when | step | what |\n| --- | --- | --- |\n".to_owned();
    let mut state = RunState::default();
    for stored in events {
        // What is on record has been folded before.
        let _ = state.apply(&stored.event, stored.time);
        let said = sentence(stored, &state);
        let ends = matches!(stored.event, Event::RunFinished { .. });
        if said.weight == Weight::Main || ends {
            let step = said.step.map(|step| step.to_string()).unwrap_or_default();
            let what = format!("{} {}", said.sign, said.text);
            text.push_str(&row([&zone.stamp(stored.time), &step, what.trim()]));
        }
    }
    text
}

/// The requests that could change something, whatever came of them.
fn changes(effects: &[Effect<'_>], zone: &Zone) -> String {
    let sent: Vec<&Effect<'_>> = effects
        .iter()
        .filter(|effect| effect.is_changing())
        .collect();
    if sent.is_empty() {
        return "## Changes\n\nNo request was sent that could change something.\n".to_owned();
    }
    let mut text =
        "## Changes\n\n| when | step | request | answer |\n| --- | --- | --- | --- |\n".to_owned();
    for effect in sent {
        let fate = match &effect.fate {
            Fate::Sent(outcome) => words::outcome(*outcome).1,
            Fate::Held => "held back".to_owned(),
            Fate::Denied(why) => format!("denied: {why}"),
        };
        let request = words::request(effect.asked);
        let step = effect.step.to_string();
        text.push_str(&row([&zone.stamp(effect.time), &step, &request, &fate]));
    }
    text
}

fn steps(state: &RunState) -> String {
    let mut text =
        "## Steps\n\n| step | status | took | what |\n| --- | --- | --- | --- |\n".to_owned();
    for step in state
        .steps()
        .filter(|step| step.status != StepStatus::Pending)
    {
        let took = words::took(step).unwrap_or_default();
        let (id, status) = (step.id.to_string(), step.status.to_string());
        text.push_str(&row([&id, &status, &took, &came_to(step)]));
    }
    text
}

fn came_to(step: &StepState) -> String {
    if let Some(question) = &step.question {
        return asks(question);
    }
    match (&step.failure, &step.skipped, &step.summary) {
        (Some(failure), ..) if step.status == StepStatus::Failed => words::failure(failure),
        (_, Some(reason), _) => words::skipped(reason),
        (.., Some(summary)) => one_line(summary),
        _ => String::new(),
    }
}

fn decisions(events: &[Stored], zone: &Zone) -> String {
    let mut rows = String::new();
    for stored in events {
        let (by, what, why) = match &stored.event {
            Event::Decided {
                step,
                by,
                decision,
                reason,
                ..
            } => {
                let what = format!("{} for {step}", decision.as_str());
                (by, what, reason.as_deref().unwrap_or_default())
            }
            Event::CancelRequested { by, reason, .. } => (by, "cancel".to_owned(), &**reason),
            Event::UndoRequested { by, reason } => (by, "undo".to_owned(), &**reason),
            Event::RunResumed {
                operator,
                environment: Some(accepted),
                ..
            } => {
                let what = "accept the changed environment".to_owned();
                (operator, what, &*accepted.reason)
            }
            _ => continue,
        };
        rows.push_str(&row([&zone.stamp(stored.time), &by.name, &what, why]));
    }
    if rows.is_empty() {
        return rows;
    }
    format!("## Decisions\n\n| when | who | what | why |\n| --- | --- | --- | --- |\n{rows}")
}

fn notes(events: &[Stored], zone: &Zone) -> String {
    let noted = events.iter().filter_map(|stored| match &stored.event {
        Event::Noted { by, text } => Some(format!(
            "- {} {}: {}\n",
            zone.stamp(stored.time),
            plain(&by.name),
            plain(text)
        )),
        _ => None,
    });
    let noted: String = noted.collect();
    if noted.is_empty() {
        noted
    } else {
        format!("## Notes\n\n{noted}")
    }
}

/// Requests of which nobody has said what came of them.
fn open_questions(state: &RunState) -> String {
    let doubts = state.steps().flat_map(|step| {
        let requests = step.requests.iter().filter(|request| request.is_in_doubt());
        requests.map(move |request| {
            format!(
                "- step {}: {}\n",
                step.id,
                plain(&words::request(&request.asked))
            )
        })
    });
    let doubts: String = doubts.collect();
    if doubts.is_empty() {
        doubts
    } else {
        format!("## In doubt\n\nNobody has said what came of these requests:\n\n{doubts}")
    }
}

fn row<const N: usize>(cells: [&str; N]) -> String {
    let cells = cells.map(plain);
    format!("| {} |\n", cells.join(" | "))
}

/// A text that Markdown shows as it is: in one line, and nothing in it means anything.
fn plain(text: &str) -> String {
    let line = one_line(&safe(text));
    let mut plain = String::with_capacity(line.len());
    for (at, character) in line.char_indices() {
        // What some renderers make a link of by itself is written so that they don't.
        let makes_a_link = match character {
            ':' => line[at..].starts_with("://"),
            '.' => line[..at].to_ascii_lowercase().ends_with("www"),
            '@' => true,
            _ => false,
        };
        if makes_a_link || "\\`*_{}[]<>#|~!&".contains(character) {
            plain.push('\\');
        }
        plain.push(character);
    }
    plain
}

#[cfg(test)]
mod tests {
    use sandbook_journal::FinalStatus;

    use super::super::sample;
    use super::*;

    #[test]
    fn a_draft_tells_what_happened_and_forges_nothing() {
        let mut events = vec![
            sample::started(&["move", "tell"], false),
            sample::begun("move"),
        ];
        events.extend(sample::sent("move", 1, 202));
        events.extend([
            sample::done("move", true, "moved | <b>the\nwriter</b>"),
            Event::Noted {
                by: Operator {
                    uid: 7,
                    name: "ben".to_owned(),
                },
                text: "# not a heading".to_owned(),
            },
            sample::begun("tell"),
            sample::broke("tell", true),
            sample::finished(FinalStatus::Succeeded, None, &["tell"]),
        ]);
        let (log, state) = sample::log(events);
        let run = Standing {
            id: log[0].run,
            state: &state,
            status: state.status(),
            held: &[],
        };
        let text = markdown(&run, &log, &Zone::local());
        for part in [
            "# restore succeeded: run 0123456789ab\n",
            "- ana (user 1000): started it\n- ben (user 7): noted\n",
            r"| POST https\://api.example/x | 202 |",
            r"| move | succeeded | 3.0 s | moved \| \<b\>the writer\</b\> |",
            r"ben: \# not a heading",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("## In doubt") && !text.contains("## Decisions"));
    }

    #[test]
    fn no_text_forges_a_heading_a_row_or_a_link() {
        for (text, shown) in [
            ("x\n## Decisions", r"x\\n\#\# Decisions"),
            ("a |\n| b", r"a \|\\n\| b"),
            (
                "[ok](https://evil.example)",
                r"\[ok\](https\://evil.example)",
            ),
            (
                "http://evil.example www.evil.example",
                r"http\://evil.example www\.evil.example",
            ),
            ("ops@evil.example", r"ops\@evil.example"),
            (
                "<img src=x> &lt;b&gt; `code`",
                r"\<img src=x\> \&lt;b\&gt; \`code\`",
            ),
            ("\u{1b}[31m\u{202e}", r"\\u\{1b\}\[31m\\u\{202e\}"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn what_is_in_doubt_is_listed() {
        let [begun, _] = sample::sent("move", 1, 202);
        let (log, state) = sample::log([
            sample::started(&["move"], false),
            sample::begun("move"),
            begun,
        ]);
        let run = Standing {
            id: log[0].run,
            state: &state,
            status: state.status(),
            held: &[],
        };
        let text = markdown(&run, &log, &Zone::local());
        assert!(
            text.contains("- step move: POST https\\://api.example/x\n"),
            "{text}"
        );
    }
}
