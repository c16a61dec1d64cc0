use std::collections::BTreeSet;

use sandbook_step::prelude::*;
use serde_json::Map;

use crate::{
    incident::{Incident, OURS},
    input::{Input, Status},
};

/// The fields of an incident that is to be opened. All in one request, the components' states too, so that no second
/// one can go missing.
pub(crate) fn opening(context: &Context, input: &Input, title: &str) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(title));
    fields.insert(
        "status".to_owned(),
        json!(input.status.unwrap_or(Status::Investigating)),
    );
    if let Some(body) = &input.body {
        fields.insert("body".to_owned(), json!(body));
    }
    if let Some(impact) = input.impact {
        fields.insert("impact_override".to_owned(), json!(impact));
    }
    if !input.components.is_empty() {
        fields.insert(
            "component_ids".to_owned(),
            input.components.keys().cloned().collect(),
        );
        fields.insert("components".to_owned(), json!(input.components));
    }
    if let Some(notify) = input.notify {
        fields.insert("deliver_notifications".to_owned(), json!(notify));
    }
    let ours = json!({"run": context.run, "step": context.step, "key": context.idempotency_key});
    fields.insert("metadata".to_owned(), json!({OURS: ours}));
    Value::Object(fields)
}

/// The fields by which an incident differs from what is wanted; `None` when it doesn't.
pub(crate) fn difference(incident: &Incident, input: &Input) -> Option<Value> {
    let mut fields = Map::new();
    if let Some(title) = input
        .title
        .as_ref()
        .filter(|title| **title != incident.name)
    {
        fields.insert("name".to_owned(), json!(title));
    }
    let status = input
        .status
        .filter(|status| status.word() != incident.status);
    if let Some(status) = status {
        fields.insert("status".to_owned(), json!(status));
    }
    let said = incident
        .incident_updates
        .first()
        .and_then(|update| update.body.as_deref());
    // With a new status the body is said again, even when it is the same.
    if let Some(body) = input
        .body
        .as_ref()
        .filter(|body| status.is_some() || said != Some(body.as_str()))
    {
        fields.insert("body".to_owned(), json!(body));
    }
    let impact = input
        .impact
        .filter(|impact| incident.impact_override.as_deref() != Some(impact.word()));
    if let Some(impact) = impact {
        fields.insert("impact_override".to_owned(), json!(impact));
    }
    let states: Map<String, Value> = input
        .components
        .iter()
        .filter(|(id, state)| {
            !incident
                .components
                .iter()
                .any(|known| known.id == **id && known.status == state.word())
        })
        .map(|(id, state)| (id.clone(), json!(state)))
        .collect();
    if !states.is_empty() {
        // The list is replaced whole: who was in it stays in it.
        let ids: BTreeSet<&str> = incident
            .components
            .iter()
            .map(|known| known.id.as_str())
            .chain(states.keys().map(String::as_str))
            .collect();
        fields.insert("component_ids".to_owned(), json!(ids));
        fields.insert("components".to_owned(), Value::Object(states));
    }
    if fields.is_empty() {
        return None;
    }
    if let Some(notify) = input.notify {
        fields.insert("deliver_notifications".to_owned(), json!(notify));
    }
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference_to(wanted: Value) -> Option<Value> {
        let incident = serde_json::from_value(json!({
            "id": "i1", "name": "Shop is down", "status": "investigating", "impact_override": null,
            "components": [{"id": "web", "status": "major_outage"}, {"id": "cart", "status": "operational"}],
            "incident_updates": [{"body": "We look into it."}, {"body": "older"}],
        }))
        .unwrap();
        let mut input = json!({"page": "p"});
        input
            .as_object_mut()
            .unwrap()
            .extend(wanted.as_object().unwrap().clone());
        difference(&incident, &serde_json::from_value(input).unwrap())
    }

    #[test]
    fn what_is_so_already_is_not_sent() {
        let wanted = json!({
            "title": "Shop is down", "status": "investigating", "body": "We look into it.",
            "components": {"web": "major_outage"}, "notify": false,
        });
        assert_eq!(difference_to(wanted), None);
    }

    #[test]
    fn only_what_differs_is_sent() {
        let wanted = json!({"title": "Shop is down", "status": "investigating", "impact": "major"});
        assert_eq!(
            difference_to(wanted),
            Some(json!({"impact_override": "major"}))
        );
    }

    #[test]
    fn a_new_status_says_its_body_again() {
        let wanted = json!({"status": "resolved", "body": "We look into it.", "notify": true});
        let sent = json!({"status": "resolved", "body": "We look into it.", "deliver_notifications": true});
        assert_eq!(difference_to(wanted), Some(sent));
    }

    #[test]
    fn components_that_the_incident_has_stay_in_it() {
        let sent = difference_to(
            json!({"components": {"web": "operational", "search": "partial_outage"}}),
        )
        .unwrap();
        assert_eq!(sent["component_ids"], json!(["cart", "search", "web"]));
        assert_eq!(
            sent["components"],
            json!({"web": "operational", "search": "partial_outage"})
        );
    }
}
