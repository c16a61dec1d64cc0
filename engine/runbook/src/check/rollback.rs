//! Whether there is something to undo where a step wants it undone.

use crate::fault::Fault;
use crate::runbook::Placed;
use crate::step::OnFailure;

/// Warns once, at the first step that says `on_failure: rollback`, where no step has a rollback.
pub(super) fn check(placed: &[Placed<'_>], faults: &mut Vec<Fault>) {
    if placed.iter().any(|(.., step)| step.rollback.is_some()) {
        return;
    }
    let wanted = placed
        .iter()
        .find(|(.., step)| step.on_failure == OnFailure::Rollback);
    faults.extend(wanted.map(|(_, place, _)| {
        let fault = Fault::warning(
            place.key("on_failure"),
            "no step has a `rollback`: nothing would be undone",
        );
        fault.help("give a `rollback` to the steps that can be undone, or write `abort`")
    }));
}
