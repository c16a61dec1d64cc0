//! Azure SQL failover groups.

mod group;
mod operation;

use sandbook_step::prelude::*;

use crate::{
    Output, already, moved,
    pace::{self, pause},
};
use group::{Group, Started};

const AWAITED: &str = "the failover";

/// A failover group, and the server that is to be its primary.
#[derive(Deserialize)]
pub(crate) struct Target {
    subscription: String,
    resource_group: String,
    server: String,
    failover_group: String,
    #[serde(default)]
    allow_data_loss: bool,
}

/// Makes the server the group's primary.
///
/// The request names the server that is to become primary, and a server that is primary refuses it. So the one that
/// loses no data is repeatable; the forced one is not, for between two of them the world may have changed.
pub(crate) fn fail_over(context: &Context, target: &Target) -> Result<Done<Output>, Failure> {
    let group = Group::new(context, target)?;
    let before = group.look()?;
    if before.is_primary() {
        return Ok(already(&target.server));
    }
    let previous = before.partner_in_charge();
    log::info!(
        "`{}` has the writer",
        previous.as_deref().unwrap_or("another server")
    );

    loop {
        match group.start(target.allow_data_loss)? {
            Started::Done => break,
            Started::UnderWay(operation) => {
                operation.follow(context)?;
                break;
            }
            Started::Refused(failure) => {
                // It says that it is not the secondary. That can be because all is done.
                return if group.look()?.is_primary() {
                    Ok(moved(&target.server, previous))
                } else {
                    Err(failure)
                };
            }
            Started::Busy(wait) => {
                log::info!("the group is busy with another operation");
                pause(context, wait, "the operation before this one")?;
                if group.look()?.is_primary() {
                    return Ok(moved(&target.server, previous));
                }
            }
        }
    }

    // The operation's word is good; the role is better.
    while !group.look()?.is_primary() {
        pause(context, pace::UNSAID, AWAITED)?;
    }
    Ok(moved(&target.server, previous))
}

#[cfg(test)]
mod tests;
