//! `sandbook audit`: the record as evidence.

mod export;
mod import;
mod verify;

use serde_json::json;

use super::given::runtime;
use crate::arguments::{self, AuditCommand};
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{Ink, Output, Table};

pub(crate) fn audit(
    command: &AuditCommand,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    match command {
        AuditCommand::Verify(arguments) => verify::verify(arguments, places, output),
        AuditCommand::Export(arguments) => export::export(arguments, places, output),
        AuditCommand::Import(arguments) => import::import(arguments, places, output),
        AuditCommand::Anchor(format) => anchor(*format, places, output),
        AuditCommand::Key(format) => key(*format, places, output),
    }
}

fn key(format: arguments::Output, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    // Where nothing is on record there is nothing to check, and no key is made for it.
    places.record()?;
    let key = places.state()?.signing_key()?.public();
    if format.is_json() {
        let whole = json!({ "key": key, "fingerprint": key.fingerprint() });
        output.line(&whole.to_string());
    } else {
        let mut table = Table::default();
        let mut row =
            |name: &str, value| table.row([(Ink::Faint, name.to_owned()), (Ink::Plain, value)]);
        row("public key", key.to_string());
        row("fingerprint", key.fingerprint());
        output.text(&table.render(output.paper.uncut()));
    }
    Ok(Exit::Succeeded)
}

/// Sends what is owed. Anchors that don't get it make the command fail; a run they don't.
fn anchor(
    format: arguments::Output,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let anchoring = project.anchoring(&places.state()?);
    if anchoring.is_empty() {
        return Err(Problem::wrong("the project has no anchors")
            .help("name some in sandbook.yaml: `anchors: [{ file: /mnt/far/heads.jsonl }]`"));
    }
    let runtime = runtime()?;
    let sent = runtime.block_on(anchoring.send(None));
    // A file that hangs is not waited for beyond its deadline.
    runtime.shutdown_background();
    let sent = sent?;
    for anchored in &sent {
        let anchor = &anchored.anchor;
        if format.is_json() {
            let entry = anchored.outcome.as_ref().ok();
            let error = anchored.outcome.as_ref().err();
            let whole = json!({ "anchor": anchor, "entry": entry, "error": error });
            output.line(&whole.to_string());
            continue;
        }
        output.line(&match &anchored.outcome {
            Ok(entry) => format!("{anchor} has the ledger up to entry {entry}."),
            Err(why) => format!("{anchor} did not get the ledger's head: {why}"),
        });
    }
    if sent.is_empty() && !format.is_json() {
        output.line("Nothing is on record yet.");
    }
    let all_well = sent.iter().all(|anchored| anchored.outcome.is_ok());
    Ok(if all_well {
        Exit::Succeeded
    } else {
        Exit::Failed
    })
}
