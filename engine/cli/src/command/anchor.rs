//! The ledger's head, sent to the project's anchors after something was added to it beside a run.

use sandbook_journal::StateDir;

use super::given::runtime;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{complain, safe};

/// Sends the head to the anchors of the project, where there is one. One that doesn't get it is owed it, and that is said.
pub(super) fn send_head(places: &Places, state: &StateDir) -> Result<(), Problem> {
    let Some(project) = places.project_if_any()? else {
        return Ok(());
    };
    let anchoring = project.anchoring(state);
    if anchoring.is_empty() {
        return Ok(());
    }
    let runtime = runtime()?;
    let sent = runtime.block_on(anchoring.send(None));
    // A file that hangs is not waited for beyond its deadline.
    runtime.shutdown_background();
    for anchored in sent? {
        if let Err(why) = anchored.outcome {
            complain(&format!(
                "warning: anchor `{}` did not get the ledger's head: {}; `sandbook audit anchor` sends it",
                safe(&anchored.anchor),
                safe(&why)
            ));
        }
    }
    Ok(())
}
