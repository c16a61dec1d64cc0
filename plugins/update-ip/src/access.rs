//! A web app's access restrictions.

use sandbook_step::prelude::*;

use crate::{
    address,
    cloudflare::published_ranges,
    input::{Action, App, Input},
    rules::{Merged, Ours, Wanted, explicit, merge, overruled},
};

const API: &str = "https://management.azure.com";
const API_VERSION: &str = "2024-11-01";

/// The restrictions before and after, and the difference.
#[derive(Serialize, Debug)]
pub(crate) struct Report {
    before: Vec<Shown>,
    after: Vec<Shown>,
    added: Vec<Shown>,
    removed: Vec<Shown>,
    default_action: Option<String>,
    changed: bool,
}

/// A rule, as the runbook's reader sees it.
#[derive(Serialize, Debug)]
struct Shown {
    name: Value,
    address: Value,
    action: Value,
    priority: Value,
}

#[derive(Deserialize)]
struct Config {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    ip_security_restrictions: Option<Vec<Value>>,
    ip_security_restrictions_default_action: Option<String>,
}

impl Report {
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }
}

/// Brings an app's restrictions to what is wanted. The array of rules is always written whole and the service knows no
/// condition, so it is read just before, written only when something differs, and read again after.
pub(crate) fn bring(context: &Context, app: &App, input: &Input) -> Result<Report, Failure> {
    let wanted = wanted(context, input)?;
    let ours = Ours {
        owner: &input.owner,
        first_priority: input.priority,
    };
    let service = Service::new(context, app)?;

    let (before, default_before) = service.read()?;
    let merged = merge(&before, &wanted, &ours);
    let new_default = input
        .default_action
        .filter(|action| default_before.as_deref() != Some(word(*action)));
    let changed = merged.differs() || new_default.is_some();
    let (after, default_action) = if changed {
        log::info!(
            "{}: {} rules to add, {} to remove",
            app.name,
            merged.added.len(),
            merged.removed.len()
        );
        service.write(&merged, new_default)?;
        let (after, default_after) = service.read()?;
        let applied = !merge(&after, &wanted, &ours).differs()
            && new_default.is_none_or(|action| default_after.as_deref() == Some(word(action)));
        if !applied {
            return Err(Failure::failed("the access restrictions are not what was written: someone else may be changing them")
                .with_code("NotApplied"));
        }
        (after, default_after)
    } else {
        (before.clone(), default_before)
    };
    for name in overruled(&after, &ours) {
        log::warn!("the rule `{name}` denies before ours let in");
    }
    Ok(Report {
        before: shown(&before),
        after: shown(&after),
        added: shown(&merged.added),
        removed: shown(&merged.removed),
        default_action,
        changed,
    })
}

/// Who is to be let in.
fn wanted(context: &Context, input: &Input) -> Result<Vec<Wanted>, Failure> {
    let mut wanted = Vec::new();
    for named in &input.addresses {
        let block = address::block(&named.address).ok_or_else(|| {
            Failure::invalid_input(format!(
                "`{}` is not an address or a block of addresses",
                named.address
            ))
            .with_code("BadAddress")
        })?;
        wanted.push(Wanted {
            name: named.name.clone(),
            block,
            description: "let in by a runbook".to_owned(),
        });
    }
    if input.cloudflare_ranges {
        wanted.extend(published_ranges(context)?.into_iter().map(|block| Wanted {
            name: block.clone(),
            block,
            description: "a range that Cloudflare publishes".to_owned(),
        }));
    }
    Ok(wanted)
}

/// The web app's configuration, by its API.
struct Service<'a> {
    context: &'a Context,
    url: String,
}

impl<'a> Service<'a> {
    fn new(context: &'a Context, app: &App) -> Result<Self, Failure> {
        let url = http::join(
            API,
            [
                "subscriptions",
                &app.subscription,
                "resourceGroups",
                &app.resource_group,
                "providers",
                "Microsoft.Web",
                "sites",
                &app.name,
                "config",
                "web",
            ],
        )?;
        Ok(Service { context, url })
    }

    fn read(&self) -> Result<(Vec<Value>, Option<String>), Failure> {
        let config: Config = self.prepared(http::get(&self.url))?.json()?;
        let rules = config
            .properties
            .ip_security_restrictions
            .unwrap_or_default();
        Ok((
            explicit(rules),
            config.properties.ip_security_restrictions_default_action,
        ))
    }

    /// Repeatable: it says how everything should be.
    fn write(&self, merged: &Merged, default_action: Option<Action>) -> Result<(), Failure> {
        let mut properties = json!({"ipSecurityRestrictions": merged.rules});
        if let Some(action) = default_action {
            properties["ipSecurityRestrictionsDefaultAction"] = json!(action);
        }
        let body = json!({"properties": properties});
        self.prepared(http::patch(&self.url))?
            .body_json(&body)
            .repeatable(true)
            .checked()
            .map(drop)
    }

    fn prepared(&self, request: http::Request) -> Result<http::Request, Failure> {
        Ok(request
            .query("api-version", API_VERSION)
            .credential("azure")?
            .patient(self.context))
    }
}

fn shown(rules: &[Value]) -> Vec<Shown> {
    let part = |rule: &Value, name: &str| rule.get(name).cloned().unwrap_or_default();
    rules
        .iter()
        .map(|rule| Shown {
            name: part(rule, "name"),
            address: part(rule, "ipAddress"),
            action: part(rule, "action"),
            priority: part(rule, "priority"),
        })
        .collect()
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Allow => "Allow",
        Action::Deny => "Deny",
    }
}
