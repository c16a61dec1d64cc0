//! Whether a group's name can be shown.

use crate::expression::Touched;
use crate::fault::Fault;
use crate::path::Path;
use crate::runbook::Runbook;

/// Refuses sensitive inputs in the name of a group: it is on record, and shown to whoever is to wait for it.
pub(super) fn refuse_sensitive(runbook: &Runbook, faults: &mut Vec<Fault>) {
    let Some(concurrency) = &runbook.concurrency else {
        return;
    };
    for touched in concurrency.group.touches() {
        let Some(name) = sensitive_input(runbook, &touched) else {
            continue;
        };
        let place = Path::root().key("concurrency").key("group");
        let fault = Fault::error(
            place,
            format!("input `{name}` is sensitive, and a group's name is shown to everybody"),
        );
        faults.push(
            fault
                .on_part(touched.to_string())
                .help("leave it out, or make the input a plain one"),
        );
    }
}

/// The sensitive input that is touched. Who touches `inputs` as a whole touches all of them.
fn sensitive_input<'a>(runbook: &'a Runbook, touched: &Touched) -> Option<&'a str> {
    if touched.root() != "inputs" {
        return None;
    }
    let mut sensitive = runbook.inputs.iter().filter(|input| input.sensitive);
    let named = |name: &str| touched.member().is_none_or(|member| member == name);
    let found = sensitive.find(|input| named(input.name.as_str()))?;
    Some(found.name.as_str())
}
