//! Whether an input's rules fit each other.

use crate::fault::Fault;
use crate::input::InputRuleFault;
use crate::path::Path;
use crate::runbook::Runbook;

/// That each input's rules leave it values, and that its default is one of them.
pub(super) fn check(runbook: &Runbook, faults: &mut Vec<Fault>) {
    for input in &runbook.inputs {
        let place = Path::root().key("inputs").key(input.name.as_str());
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
