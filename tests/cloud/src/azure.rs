//! Microsoft's part: tokens, and the resources behind Azure Resource Manager.

mod arm;
mod restriction;
mod sql;
mod token;
mod web;

pub(crate) use arm::answer;
pub(crate) use sql::FailoverGroup;
pub(crate) use token::Tokens;
pub(crate) use web::WebApp;

use serde_json::json;

use crate::answer::Answer;
use crate::region::Both;
use crate::{Options, Region};

/// Everything that Azure keeps.
#[derive(Debug)]
pub(crate) struct Azure {
    pub(crate) tokens: Tokens,
    pub(crate) web_apps: Both<WebApp>,
    pub(crate) failover_group: FailoverGroup,
}

impl Azure {
    pub(crate) fn new(options: &Options) -> Azure {
        Azure {
            tokens: Tokens::new(options.token_lifetime),
            web_apps: Both::new(|region| WebApp::new(region, region == Region::East)),
            failover_group: FailoverGroup::new(options),
        }
    }
}

/// A refusal in the shape of Azure Resource Manager.
fn refuse(status: u16, code: &str, message: impl Into<String>) -> Answer {
    Answer::json(
        status,
        &json!({ "error": { "code": code, "message": message.into() } }),
    )
}
