//! What every report of a rehearsal begins with.

use sandbook_journal::RunStarted;

use crate::screen::{Ink, Paper};

/// The line that a rehearsal's reports begin with; nothing for the real thing.
pub(crate) fn rehearsal(facts: &RunStarted, paper: Paper) -> Option<String> {
    let environment = facts.environment.as_ref()?;
    environment
        .rehearsal
        .then(|| rehearsal_in(&environment.name, paper))
}

/// That line for the environment of this name.
pub(super) fn rehearsal_in(environment: &str, paper: Paper) -> String {
    let word = paper.ink(Ink::Warn, "REHEARSAL");
    format!("{word}: environment `{environment}` reroutes, nothing real is reached")
}
