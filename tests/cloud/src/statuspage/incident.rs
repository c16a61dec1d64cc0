use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::component::{Component, STATUSES};
use crate::stamp::rfc3339;
use crate::world::PAGE;

const PHASES: [&str; 4] = ["investigating", "identified", "monitoring", "resolved"];
const IMPACTS: [&str; 5] = ["none", "maintenance", "minor", "major", "critical"];
const LONGEST_NAME: usize = 255;
const LONGEST_BODY: usize = 25_000;

/// An incident with its updates.
#[derive(Debug)]
pub(super) struct Incident {
    id: String,
    name: String,
    status: String,
    impact_override: Option<String>,
    component_ids: Vec<String>,
    metadata: Map<String, Value>,
    /// The newest first.
    updates: Vec<Value>,
    created: Timestamp,
    updated: Timestamp,
    monitoring: Option<Timestamp>,
    resolved: Option<Timestamp>,
}

/// What may be said of an incident. The real service passes over what it doesn't know; this one refuses it, so that a slip is
/// seen in the rehearsal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    name: Option<String>,
    status: Option<String>,
    impact_override: Option<String>,
    body: Option<String>,
    component_ids: Option<Vec<String>>,
    components: Option<BTreeMap<String, String>>,
    deliver_notifications: Option<bool>,
    metadata: Option<Map<String, Value>>,
}

impl Fields {
    /// All that is wrong with them.
    pub(super) fn check(&self, known: &[Component], new: bool) -> Result<(), Vec<String>> {
        let mut faults = Vec::new();
        let mut expect = |right: bool, fault: &str| {
            if !right {
                faults.push(fault.to_owned());
            }
        };
        let exists = |id: &String| known.iter().any(|component| component.id() == id);
        let one_of = |value: &Option<String>, list: &[&str]| {
            value.as_deref().is_none_or(|value| list.contains(&value))
        };
        let length =
            |value: &Option<String>| value.as_deref().map_or(0, |value| value.chars().count());
        match &self.name {
            Some(name) => expect(!name.trim().is_empty(), "Name can't be blank"),
            None => expect(!new, "Name can't be blank"),
        }
        expect(
            length(&self.name) <= LONGEST_NAME,
            "Name is too long (maximum is 255 characters)",
        );
        expect(
            length(&self.body) <= LONGEST_BODY,
            "Body is too long (maximum is 25000 characters)",
        );
        expect(
            one_of(&self.status, &PHASES),
            "Status is not included in the list",
        );
        expect(
            one_of(&self.impact_override, &IMPACTS),
            "Impact override is not included in the list",
        );
        let components = self.components.iter().flatten();
        let named = self
            .component_ids
            .iter()
            .flatten()
            .chain(components.clone().map(|(id, _)| id));
        expect(named.into_iter().all(exists), "Component ids are invalid");
        expect(
            components
                .into_iter()
                .all(|(_, status)| STATUSES.contains(&status.as_str())),
            "Component status is not included in the list",
        );
        expect(
            self.metadata
                .iter()
                .flatten()
                .all(|(_, value)| value.is_object()),
            "Metadata values must be objects",
        );
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }
}

impl Incident {
    pub(super) fn new(id: String, now: Timestamp) -> Incident {
        Incident {
            id,
            name: String::new(),
            status: PHASES[0].to_owned(),
            impact_override: None,
            component_ids: Vec::new(),
            metadata: Map::new(),
            updates: Vec::new(),
            created: now,
            updated: now,
            monitoring: None,
            resolved: None,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn is_resolved(&self) -> bool {
        self.resolved.is_some()
    }

    /// Writes fields that were checked, as one more update.
    pub(super) fn update(
        &mut self,
        fields: &Fields,
        update: &str,
        components: &mut [Component],
        now: Timestamp,
    ) {
        let phase_was = self.status.clone();
        self.name = fields.name.clone().unwrap_or_else(|| self.name.clone());
        self.status = fields.status.clone().unwrap_or_else(|| self.status.clone());
        self.impact_override = fields
            .impact_override
            .clone()
            .or(self.impact_override.take());
        if let Some(ids) = &fields.component_ids {
            self.component_ids.clone_from(ids);
        }
        if let Some(metadata) = &fields.metadata {
            self.metadata.clone_from(metadata);
        }
        self.updated = now;
        match self.status.as_str() {
            "monitoring" => self.monitoring = self.monitoring.or(Some(now)),
            "resolved" => self.resolved = self.resolved.or(Some(now)),
            _ => self.resolved = None,
        }
        let affected: Vec<Value> = fields
            .components
            .iter()
            .flatten()
            .filter_map(|(id, status)| self.affect(id, status, components, now))
            .collect();
        // As with the real one, a change of names or metadata alone is no news.
        if self.updates.is_empty()
            || fields.body.is_some()
            || self.status != phase_was
            || !affected.is_empty()
        {
            let news = json!({
                "id": update,
                "incident_id": self.id,
                "status": self.status,
                "body": fields.body.clone().unwrap_or_default(),
                "affected_components": affected,
                "deliver_notifications": fields.deliver_notifications.unwrap_or(true),
                "created_at": rfc3339(now),
                "updated_at": rfc3339(now),
                "display_at": rfc3339(now),
            });
            self.updates.insert(0, news);
        }
    }

    fn affect(
        &mut self,
        id: &str,
        status: &str,
        components: &mut [Component],
        now: Timestamp,
    ) -> Option<Value> {
        if !self.component_ids.iter().any(|known| known == id) {
            self.component_ids.push(id.to_owned());
        }
        let component = components
            .iter_mut()
            .find(|component| component.id() == id)?;
        let was = component.status().to_owned();
        component.set_status(status, now);
        Some(
            json!({ "code": id, "name": component.name(), "old_status": was, "new_status": status }),
        )
    }

    pub(super) fn to_json(&self, components: &[Component]) -> Value {
        let affected: Vec<&Component> = components
            .iter()
            .filter(|component| self.component_ids.iter().any(|id| id == component.id()))
            .collect();
        let impact = self
            .impact_override
            .as_deref()
            .unwrap_or_else(|| impact(&affected));
        json!({
            "id": self.id,
            "page_id": PAGE,
            "name": self.name,
            "status": self.status,
            "impact": impact,
            "impact_override": self.impact_override,
            "components": affected.iter().map(|component| component.to_json()).collect::<Value>(),
            "incident_updates": self.updates,
            "metadata": self.metadata,
            "shortlink": format!("https://stspg.io/{}", self.id),
            "created_at": rfc3339(self.created),
            "started_at": rfc3339(self.created),
            "updated_at": rfc3339(self.updated),
            "monitoring_at": self.monitoring.map(rfc3339),
            "resolved_at": self.resolved.map(rfc3339),
            "scheduled_for": null,
            "scheduled_until": null,
        })
    }
}

/// The impact that the worst of the components makes.
fn impact(components: &[&Component]) -> &'static str {
    let worst = components
        .iter()
        .filter_map(|component| {
            STATUSES
                .iter()
                .position(|status| *status == component.status())
        })
        .max();
    match worst {
        Some(4) => "critical",
        Some(3) => "major",
        Some(2) => "minor",
        _ => "none",
    }
}
