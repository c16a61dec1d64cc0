use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stamp::rfc3339;
use crate::world::PAGE;

/// How a component is doing, from best to worst.
pub(super) const STATUSES: [&str; 5] = [
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
];

/// A part of the shop that the page shows.
#[derive(Debug)]
pub(super) struct Component {
    id: &'static str,
    name: String,
    description: Option<String>,
    status: String,
    position: u32,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    name: Option<String>,
    description: Option<String>,
    status: Option<String>,
}

impl Component {
    pub(super) fn new(id: &'static str, name: &str, position: u32, now: Timestamp) -> Component {
        Component {
            id,
            name: name.to_owned(),
            description: None,
            status: STATUSES[0].to_owned(),
            position,
            created: now,
            updated: now,
        }
    }

    pub(super) fn id(&self) -> &'static str {
        self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn status(&self) -> &str {
        &self.status
    }

    /// Sets a status that was checked; whether it is another one.
    pub(super) fn set_status(&mut self, status: &str, now: Timestamp) -> bool {
        let changed = self.status != status;
        if changed {
            status.clone_into(&mut self.status);
            self.updated = now;
        }
        changed
    }

    /// Writes the fields; whether anything is different, or what is wrong.
    pub(super) fn change(&mut self, fields: Fields, now: Timestamp) -> Result<bool, Vec<String>> {
        let mut faults = Vec::new();
        if fields.name.as_deref() == Some("") {
            faults.push("Name can't be blank".to_owned());
        }
        if fields
            .status
            .as_deref()
            .is_some_and(|status| !STATUSES.contains(&status))
        {
            faults.push("Status is not included in the list".to_owned());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut changed = false;
        if let Some(status) = fields.status {
            changed |= self.set_status(&status, now);
        }
        if let Some(name) = fields.name {
            changed |= self.name != name;
            self.name = name;
        }
        if fields.description.is_some() {
            changed |= self.description != fields.description;
            self.description = fields.description;
        }
        Ok(changed)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "page_id": PAGE,
            "group_id": null,
            "name": self.name,
            "description": self.description,
            "status": self.status,
            "position": self.position,
            "group": false,
            "showcase": true,
            "only_show_if_degraded": false,
            "created_at": rfc3339(self.created),
            "updated_at": rfc3339(self.updated),
        })
    }
}
