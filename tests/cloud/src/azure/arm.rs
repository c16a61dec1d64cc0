use jiff::Timestamp;

use super::{refuse, sql, web};
use crate::Region;
use crate::answer::Answer;
use crate::request::Request;
use crate::state::State;
use crate::world::{RESOURCE_GROUP, SUBSCRIPTION};

/// Answers what is sent to Azure Resource Manager, whose paths know no case.
pub(crate) fn answer(state: &mut State, request: &Request, now: Timestamp) -> Answer {
    let Some(version) = request.parameter("api-version") else {
        return refuse(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        );
    };
    if let Err(refusal) = state.azure.tokens.check(request, now) {
        return refusal;
    }
    let path = request.path.to_lowercase();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let ["subscriptions", subscription, rest @ ..] = segments.as_slice() else {
        return no_such_type(&request.path);
    };
    if *subscription != SUBSCRIPTION {
        let message = format!("The subscription '{subscription}' could not be found.");
        return refuse(404, "SubscriptionNotFound", message);
    }
    match rest {
        ["resourcegroups", group, ..] if *group != RESOURCE_GROUP => {
            let message = format!("Resource group '{group}' could not be found.");
            refuse(404, "ResourceGroupNotFound", message)
        }
        [
            "resourcegroups",
            _,
            "providers",
            "microsoft.web",
            "sites",
            name,
            rest @ ..,
        ] => {
            if let Err(refusal) = check_version(&version, &web::API_VERSIONS) {
                return refusal;
            }
            let Some(region) = by_name(name, Region::web_app) else {
                return not_found("Microsoft.Web/sites", name);
            };
            state.azure.web_apps.get_mut(region).answer(rest, request)
        }
        [
            "resourcegroups",
            _,
            "providers",
            "microsoft.sql",
            "servers",
            name,
            rest @ ..,
        ] => {
            if let Err(refusal) = check_version(&version, &sql::API_VERSIONS) {
                return refusal;
            }
            let Some(region) = by_name(name, Region::sql_server) else {
                return not_found("Microsoft.Sql/servers", name);
            };
            let asked = sql::Asked {
                server: region,
                version: &version,
                now,
            };
            state
                .azure
                .failover_group
                .answer(&state.regions, rest, request, &asked)
        }
        ["providers", "microsoft.sql", "locations", _, kind, id] => state
            .azure
            .failover_group
            .operation(kind, id, &version, now),
        _ => no_such_type(&request.path),
    }
}

fn by_name(name: &str, of: fn(Region) -> &'static str) -> Option<Region> {
    Region::ALL.into_iter().find(|region| of(*region) == name)
}

fn check_version(version: &str, known: &[&str]) -> Result<(), Answer> {
    if known.contains(&version) {
        return Ok(());
    }
    let message = format!(
        "The api-version '{version}' is invalid. The supported versions are '{}'.",
        known.join(",")
    );
    Err(refuse(400, "InvalidApiVersionParameter", message))
}

pub(super) fn not_found(kind: &str, name: &str) -> Answer {
    let message = format!(
        "The Resource '{kind}/{name}' under resource group '{RESOURCE_GROUP}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
    refuse(404, "ResourceNotFound", message)
}

pub(super) fn no_such_type(path: &str) -> Answer {
    let message = format!("The resource type or action of '{path}' could not be found.");
    refuse(404, "InvalidResourceType", message)
}

pub(super) fn wrong_method(method: &str) -> Answer {
    let message = format!("The requested resource does not support http method '{method}'.");
    refuse(405, "MethodNotAllowed", message)
}
