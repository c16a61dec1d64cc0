//! Whether the rules of inputs, and of what people put out by hand, fit each other.

use crate::fault::Fault;
use crate::input::{Input, InputRuleFault};
use crate::path::Path;
use crate::runbook::{Placed, Runbook};
use crate::step::Action;

/// That each one's rules leave it values, and that its default is one of them.
pub(super) fn check(runbook: &Runbook, placed: &[Placed<'_>], faults: &mut Vec<Fault>) {
    check_all(&runbook.inputs, &Path::root().key("inputs"), faults);
    for (_, place, step) in placed {
        if let Action::Manual(manual) = &step.action {
            let place = place.key("manual").key("outputs");
            check_all(&manual.outputs, &place, faults);
        }
    }
}

fn check_all(inputs: &[Input], place: &Path, faults: &mut Vec<Fault>) {
    for input in inputs {
        let place = place.key(input.name.as_str());
        faults.extend(input.rule_faults().into_iter().map(|fault| {
            let place = place.key(fault.key());
            match &fault {
                InputRuleFault::Choice { position, fault } => Fault::error(
                    place.index(*position),
                    format!("this choice can't be given: {fault}"),
                ),
                fault => Fault::error(place, fault.to_string()),
            }
        }));
    }
}
