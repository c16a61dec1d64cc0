//! What a case tells that isn't its outcome: what was said meanwhile, secrets that shouldn't have been, and why it
//! wasn't begun.

use sandbook_journal::{Event, LogLevel, Stored};
use sandbook_runbook::{Case, Colour, Slot};

use super::difference::Difference;
use super::outcome::kind_word;
use crate::refused::Refused;

/// A case that isn't even begun.
pub(super) fn not_run(refused: Refused) -> Difference {
    let message = match refused {
        Refused::Invalid(reports) => {
            let shown: Vec<String> = reports
                .iter()
                .map(|report| report.render(Colour::Never))
                .collect();
            format!("it can't be run:\n{}", shown.join("\n").trim_end())
        }
        Refused::Because(reason) => {
            let cause = reason.cause.map(|cause| format!(": {cause}"));
            let help = reason.help.map(|help| format!(" ({help})"));
            format!(
                "it can't be run: {}{}{}",
                reason.message,
                cause.unwrap_or_default(),
                help.unwrap_or_default()
            )
        }
    };
    Difference {
        message,
        exchange: None,
        diff: None,
    }
}

/// Whether the plugin has told a secret. What is on record is redacted; the mark says that there was something to
/// redact, which is a service's doing unless the plugin could see the secret.
pub(super) fn told_secrets(case: &Case, events: &[Stored]) -> Option<Difference> {
    let is_told = |slot: &Slot, secret: &String, event: &Stored| {
        event.body.contains(secret.as_str())
            || case.reveal.contains(slot)
                && is_word_of_the_plugin(&event.event)
                && event.body.contains(&format!("[secret {slot}]"))
    };
    let told = case.credentials.iter().find_map(|(slot, secret)| {
        let event = events.iter().find(|event| is_told(slot, secret, event))?;
        Some((slot, said(event).unwrap_or_else(|| event.body.clone())))
    });
    told.map(|(slot, text)| Difference {
        message: format!("it tells the secret of the slot `{slot}`: {text}"),
        exchange: None,
        diff: None,
    })
}

fn is_word_of_the_plugin(event: &Event) -> bool {
    matches!(
        event,
        Event::Logged { .. }
            | Event::StepSucceeded { .. }
            | Event::StepFailed { .. }
            | Event::AttemptFailed { .. }
    )
}

/// What helps to see what went on.
pub(super) fn said(stored: &Stored) -> Option<String> {
    match &stored.event {
        Event::Logged { level, message, .. } => {
            let level = match level {
                LogLevel::Debug => "debug",
                LogLevel::Info => "info",
                LogLevel::Warn => "warn",
                LogLevel::Error => "error",
            };
            Some(format!("{level}: {message}"))
        }
        Event::RequestDenied { asked, why, .. } => {
            Some(format!("denied: {} {}: {why}", asked.method, asked.url))
        }
        Event::AttemptFailed { failure, .. } => Some(format!(
            "the attempt failed: {}: {}",
            kind_word(failure.kind),
            failure.message
        )),
        Event::RunResumed { .. } => Some("the run was resumed".to_owned()),
        _ => None,
    }
}
