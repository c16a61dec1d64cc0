use std::time::Duration;

use sandbook_step::{http::Response, prelude::*};

use super::{Target, operation::Operation};
use crate::pace;

const API: &str = "https://management.azure.com";
const API_VERSION: &str = "2023-08-01";

/// A failover group, by way of the server that is to be primary: only that one can be asked to take over.
pub(super) struct Group<'a> {
    context: &'a Context,
    url: String,
}

/// What the group says of itself.
#[derive(Deserialize)]
pub(super) struct View {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    replication_role: String,
    #[serde(default)]
    partner_servers: Vec<Partner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Partner {
    id: String,
    replication_role: Option<String>,
}

/// What became of the request to fail over.
pub(super) enum Started {
    /// It was done at once.
    Done,
    /// It was begun.
    UnderWay(Operation),
    /// The server says that it can't take over, being no secondary.
    Refused(Failure),
    /// Another operation is under way: ask again after this time.
    Busy(Duration),
}

impl View {
    pub(super) fn is_primary(&self) -> bool {
        self.properties
            .replication_role
            .eq_ignore_ascii_case("primary")
    }

    /// The name of the partner that is primary.
    pub(super) fn partner_in_charge(&self) -> Option<String> {
        let in_charge = |partner: &&Partner| {
            partner
                .replication_role
                .as_deref()
                .is_some_and(|role| role.eq_ignore_ascii_case("primary"))
        };
        let partner = self.properties.partner_servers.iter().find(in_charge)?;
        partner.id.rsplit('/').next().map(str::to_owned)
    }
}

impl<'a> Group<'a> {
    pub(super) fn new(context: &'a Context, target: &Target) -> Result<Self, Failure> {
        let url = http::join(
            API,
            [
                "subscriptions",
                &target.subscription,
                "resourceGroups",
                &target.resource_group,
                "providers",
                "Microsoft.Sql",
                "servers",
                &target.server,
                "failoverGroups",
                &target.failover_group,
            ],
        )?;
        Ok(Group { context, url })
    }

    /// How things stand, as the server sees it.
    pub(super) fn look(&self) -> Result<View, Failure> {
        self.prepared(http::get(&self.url))?.json()
    }

    /// Asks the server to take over.
    pub(super) fn start(&self, allow_data_loss: bool) -> Result<Started, Failure> {
        let how = if allow_data_loss {
            "forceFailoverAllowDataLoss"
        } else {
            "failover"
        };
        let url = http::join(&self.url, [how])?;
        let response = self
            .prepared(http::post(&url))?
            .repeatable(!allow_data_loss)
            .send()?;
        match response.status() {
            200 => Ok(Started::Done),
            202 => Ok(Operation::of(&response).map_or(Started::Done, Started::UnderWay)),
            400 if says(
                &response,
                &[
                    "FailoverGroupFailoverRequestOnPrimary",
                    "FailoverGroupNotSecondary",
                ],
            ) =>
            {
                Ok(Started::Refused(Failure {
                    kind: Kind::Conflict,
                    ..response.failure()
                }))
            }
            409 if says(&response, &["FailoverGroupBusy"]) => Ok(Started::Busy(
                response.retry_after().unwrap_or(pace::UNSAID),
            )),
            _ => Err(response.failure()),
        }
    }

    fn prepared(&self, request: http::Request) -> Result<http::Request, Failure> {
        Ok(request
            .query("api-version", API_VERSION)
            .credential("azure")?
            .patient(self.context))
    }
}

fn says(response: &Response, codes: &[&str]) -> bool {
    response
        .code()
        .is_some_and(|code| codes.contains(&code.as_str()))
}
