//! Questions to the person at the terminal. Elsewhere nothing is asked.

use std::io::IsTerminal;

use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, Password};
use sandbook_runbook as runbook;
use serde_json::Value;

use crate::problem::Problem;
use crate::screen::{Paper, complain, one_line, safe};

/// Whether there is somebody to ask: what is typed is read from a terminal, and questions go to one.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for one of the environments.
pub(crate) fn environment(names: &[String]) -> Result<String, Problem> {
    let shown: Vec<String> = names.iter().map(|name| one_line(name)).collect();
    complain(&format!("Environments: {}", shown.join(", ")));
    let known = |text: &String| match names.contains(text) {
        true => Ok(()),
        false => Err(format!("there is no environment `{}`", safe(text))),
    };
    let theme = theme();
    let question = Input::<String>::with_theme(&*theme)
        .with_prompt("In which environment?")
        .validate_with(known);
    question.interact_text().map_err(unanswered)
}

/// Asks for an input's value until it is one.
pub(crate) fn input(input: &runbook::Input) -> Result<Value, Problem> {
    complain(&about(input));
    let theme = theme();
    let default = input.default.as_ref();
    let offered = default.map(|default| (as_shown(default), default));
    let read = |text: &str| match &offered {
        // What is shown of it may be another text than what it is.
        Some((shown, default)) if text == shown => Ok(Value::clone(default)),
        _ => input
            .parse_text(text)
            .and_then(|value| input.validate(&value).map(|()| value)),
    };
    // What is wrong with an answer may quote the runbook, and what was typed.
    let fits = |text: &String| match read(text) {
        Ok(_) => Ok(()),
        Err(fault) => Err(safe(&fault.to_string()).into_owned()),
    };
    let text = if input.sensitive {
        let question = Password::with_theme(&*theme).with_prompt(input.name.to_string());
        question.validate_with(fits).interact()
    } else {
        let mut question = Input::<String>::with_theme(&*theme)
            .with_prompt(input.name.to_string())
            .allow_empty(true);
        if let Some((shown, _)) = &offered {
            question = question.default(shown.clone());
        }
        question.validate_with(fits).interact_text()
    };
    read(&text.map_err(unanswered)?)
        .map_err(|fault| Problem::wrong(format!("input `{}`: {fault}", input.name)))
}

/// Asks whether to go on; no answer is a no.
pub(crate) fn confirm(question: &str) -> Result<bool, Problem> {
    let theme = theme();
    Confirm::with_theme(&*theme)
        .with_prompt(question)
        .default(false)
        .interact()
        .map_err(unanswered)
}

/// Asks until one of these words is typed.
pub(crate) fn one_of(question: &str, words: &[&str]) -> Result<String, Problem> {
    let theme = theme();
    let known = |text: &String| match words.contains(&text.trim()) {
        true => Ok(()),
        false => Err(format!("say {}", words.join(" or "))),
    };
    let typed = Input::<String>::with_theme(&*theme)
        .with_prompt(question)
        .validate_with(known)
        .interact_text();
    Ok(typed.map_err(unanswered)?.trim().to_owned())
}

/// Asks for a text, which may be empty.
pub(crate) fn text(question: &str) -> Result<String, Problem> {
    let theme = theme();
    let typed = Input::<String>::with_theme(&*theme)
        .with_prompt(question)
        .allow_empty(true)
        .interact_text();
    typed.map_err(unanswered)
}

/// Asks for a text that isn't shown.
pub(crate) fn hidden(question: &str) -> Result<String, Problem> {
    let theme = theme();
    let typed = Password::with_theme(&*theme)
        .with_prompt(question)
        .allow_empty_password(true)
        .interact();
    typed.map_err(unanswered)
}

/// Asks for a name to be typed; says whether it was.
pub(crate) fn type_name(question: &str, name: &str) -> Result<bool, Problem> {
    Ok(text(question)?.trim() == name)
}

/// What the runbook says of an input, in one line.
fn about(input: &runbook::Input) -> String {
    let mut parts = vec![kind(input.kind).to_owned()];
    if !input.one_of.is_empty() {
        let choices: Vec<String> = input.one_of.iter().map(as_shown).collect();
        parts.push(format!("one of {}", choices.join(", ")));
    }
    let description = input
        .description
        .as_deref()
        .map(|text| one_line(text) + " ")
        .unwrap_or_default();
    format!("\n{description}({})", parts.join(", "))
}

/// What kind of value is wanted, and how one is typed.
fn kind(kind: runbook::InputKind) -> &'static str {
    match kind {
        runbook::InputKind::String => "text",
        runbook::InputKind::Integer => "a whole number",
        runbook::InputKind::Number => "a number",
        runbook::InputKind::Boolean => "true or false",
        runbook::InputKind::List => "a list, as JSON",
        runbook::InputKind::Object => "an object, as JSON",
    }
}

/// A value as it would be typed, made harmless.
fn as_shown(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text).into_owned(),
        other => safe(&other.to_string()).into_owned(),
    }
}

fn theme() -> Box<dyn Theme> {
    if Paper::standard_error().colour {
        Box::new(ColorfulTheme::default())
    } else {
        Box::new(SimpleTheme)
    }
}

fn unanswered(error: dialoguer::Error) -> Problem {
    let dialoguer::Error::IO(error) = error;
    Problem::wrong("the question was not answered, so nothing was done").caused_by(&error)
}
