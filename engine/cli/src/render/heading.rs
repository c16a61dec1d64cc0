//! What every report of a rehearsal begins with.

use sandbook_journal::RunStarted;

use crate::screen::{Ink, Paper};

/// The first word of every report of a run that reached nothing real.
pub(super) const REHEARSAL: &str = "REHEARSAL";

/// The line that a rehearsal's reports begin with; nothing for the real thing.
pub(crate) fn rehearsal(facts: &RunStarted, paper: Paper) -> Option<String> {
    let environment = facts
        .environment
        .as_ref()
        .filter(|environment| environment.rehearsal)?;
    let rest = format!(
        ": environment `{}` reroutes, nothing real is reached",
        environment.name
    );
    Some(paper.ink(Ink::Warn, REHEARSAL) + &rest)
}
