//! On a terminal, what a run waits for is asked right there.

use sandbook_executor::{About, Choice, Engine};
use sandbook_journal::{Question, RunId, RunState, StepState, Waiting};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use crate::arguments::Word;
use crate::command::decide::read_answer;
use crate::operator::{is_delegated, operator};
use crate::problem::Problem;
use crate::prompt;
use crate::render;
use crate::screen::{Zone, complain};

/// What is said instead of a decision.
const LATER: &str = "later";

/// Asks about the steps that wait, one after the other, until one was decided. Says whether one was.
pub(super) fn ask(
    engine: &Engine,
    runtime: &Runtime,
    run: RunId,
    state: &RunState,
) -> Result<bool, Problem> {
    if !prompt::somebody_is_there() {
        return Ok(false);
    }
    let me = operator();
    for (step, question) in state.questions() {
        // Another person has to.
        if question.approvals.iter().any(|it| it.by.uid == me.uid) {
            continue;
        }
        show(state, step, question);
        let (choice, reason) = match answer(run, step, question) {
            Ok(Some(said)) => said,
            Ok(None) => continue,
            // Who turns away from a question has not decided.
            Err(problem) => {
                crate::tell(&problem);
                continue;
            }
        };
        // Somebody else may have decided while this was asked.
        let about = About {
            step: Some(step.id.as_str()),
            attempt: Some(step.attempt),
            question: Some(&question.waiting),
        };
        match runtime.block_on(engine.decide(run, about, choice, reason, operator())) {
            Ok(_) => return Ok(true),
            Err(error) => drop(crate::tell(&error.into())),
        }
    }
    Ok(false)
}

fn show(state: &RunState, step: &StepState, question: &Question) {
    complain(&format!("\nStep `{}`: {}", step.id, render::asks(question)));
    for line in render::about(step, question, &Zone::local()) {
        complain(&format!("  {line}"));
    }
    let next = render::to_come(state);
    if !next.is_empty() {
        complain(&format!("  to come: {}", next.join(", ")));
    }
}

/// What a person says, if anything.
fn answer(
    run: RunId,
    step: &StepState,
    question: &Question,
) -> Result<Option<(Choice, Option<String>)>, Problem> {
    let decisions = question.waiting.decisions();
    let choices = [decisions, &[LATER]].concat();
    let word = prompt::one_of(&format!("{}?", choices.join(", ")), &choices)?;
    let Ok(word) = <Word as clap::ValueEnum>::from_str(&word, false) else {
        return Ok(None);
    };
    let choice = match word {
        Word::Approve => Choice::Approve,
        Word::Reject => Choice::Reject,
        Word::Skip => Choice::Skip,
        Word::Abort => Choice::Abort,
        Word::Retry => Choice::Retry {
            fresh: matches!(question.waiting, Waiting::Diverged { .. })
                && prompt::confirm("Ask for everything anew, also for what was answered before?")?,
        },
        Word::Happened => {
            let Some(choice) = happened(run, step)? else {
                return Ok(None);
            };
            choice
        }
        Word::Done => Choice::Done(outputs(&question.waiting)?),
    };
    let reason = if word == Word::Approve {
        None
    } else {
        Some(prompt::text("Why? It stays on record")?)
    };
    Ok(Some((choice, reason)))
}

/// With the answer that came. Who enters another account isn't asked for a path: it would be read with its rights.
fn happened(run: RunId, step: &StepState) -> Result<Option<Choice>, Problem> {
    if is_delegated()? {
        complain(&format!(
            "With an answer: `sandbook decide {run} {} happened --answer - < FILE`",
            step.id
        ));
        let empty = prompt::confirm("Go on from an empty answer, with status 200?")?;
        return Ok(empty.then_some(Choice::Happened(None)));
    }
    let path = prompt::text("A file with its answer, or nothing for an empty one")?;
    let path = Some(path.trim()).filter(|path| !path.is_empty());
    let answer = path.map(|path| read_answer(path.as_ref())).transpose()?;
    Ok(Some(Choice::Happened(answer)))
}

fn outputs(waiting: &Waiting) -> Result<Map<String, Value>, Problem> {
    let Waiting::Manual { outputs, .. } = waiting else {
        let text = prompt::text("What it would have put out, as a JSON object, or nothing")?;
        if text.trim().is_empty() {
            return Ok(Map::new());
        }
        return serde_json::from_str(&text)
            .map_err(|error| Problem::wrong("that is not a JSON object").caused_by(&error));
    };
    let mut given = Map::new();
    for (name, hand_in) in outputs {
        let kind = &hand_in.kind;
        let question = format!("{name} ({kind})");
        let text = if hand_in.sensitive {
            prompt::hidden(&question)?
        } else {
            prompt::text(&question)?
        };
        let value = match kind.as_str() {
            _ if text.is_empty() && !hand_in.required => continue,
            "string" => Value::String(text),
            _ => serde_json::from_str(&text).map_err(|error| {
                Problem::wrong(format!("`{name}` is not a {kind}, written as JSON"))
                    .caused_by(&error)
            })?,
        };
        given.insert(name.clone(), value);
    }
    Ok(given)
}
