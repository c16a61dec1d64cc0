//! Statuspage's API: one page with its components and incidents.

mod component;
mod incident;
mod limit;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Options;
use crate::answer::Answer;
use crate::request::Request;
use crate::stamp::{rfc3339, short_id};
use crate::world::{COMPONENTS, PAGE, PAGE_NAME, SITE_HOST, STATUSPAGE_KEY};
use component::Component;
use incident::Incident;
use limit::Bucket;

/// The status page.
#[derive(Debug)]
pub(crate) struct StatusPage {
    components: Vec<Component>,
    /// The newest first.
    incidents: Vec<Incident>,
    bucket: Option<Bucket>,
    created: Timestamp,
    ids: u64,
}

impl StatusPage {
    pub(crate) fn new(options: &Options, now: Timestamp) -> StatusPage {
        StatusPage {
            components: COMPONENTS
                .iter()
                .zip(1..)
                .map(|((id, name), position)| Component::new(id, name, position, now))
                .collect(),
            incidents: Vec::new(),
            bucket: options.rate_limit.map(|limit| Bucket::new(limit, now)),
            created: now,
            ids: 0,
        }
    }

    pub(crate) fn summary(&self) -> Value {
        let components: Value = self.components.iter().map(Component::to_json).collect();
        let incidents: Value = self
            .incidents
            .iter()
            .map(|incident| incident.to_json(&self.components))
            .collect();
        json!({ "page": PAGE, "components": components, "incidents": incidents })
    }

    /// Answers what is sent to the API's host.
    pub(crate) fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        match request.authorization("oauth") {
            Some(STATUSPAGE_KEY) => {}
            _ => return refuse(401, &json!("Could not authenticate")),
        }
        if let Some(status) = self.bucket.as_mut().and_then(|bucket| bucket.take(now)) {
            return refuse(
                status,
                &json!("Your account has exceeded its API rate limit. Please try again later."),
            );
        }
        let segments = request.segments();
        let ["v1", "pages", PAGE, rest @ ..] = segments.as_slice() else {
            return not_found();
        };
        match (request.method.as_str(), rest) {
            ("GET", []) => Answer::json(200, &self.page()),
            ("GET", ["components"]) => self.list_components(),
            ("GET", ["components", id]) => match self
                .components
                .iter()
                .find(|component| component.id() == *id)
            {
                Some(component) => Answer::json(200, &component.to_json()),
                None => not_found(),
            },
            ("PATCH" | "PUT", ["components", id]) => self.change_component(id, request, now),
            ("GET", ["incidents"]) => self.list_incidents(|_| true),
            ("GET", ["incidents", "unresolved"]) => {
                self.list_incidents(|incident| !incident.is_resolved())
            }
            ("POST", ["incidents"]) => self.open_incident(request, now),
            ("GET", ["incidents", id]) => {
                match self.incidents.iter().find(|incident| incident.id() == *id) {
                    Some(incident) => Answer::json(200, &incident.to_json(&self.components)),
                    None => not_found(),
                }
            }
            ("PATCH" | "PUT", ["incidents", id]) => self.update_incident(id, request, now),
            _ => not_found(),
        }
    }

    fn page(&self) -> Value {
        json!({
            "id": PAGE, "name": PAGE_NAME, "subdomain": "example-shop", "url": format!("https://{SITE_HOST}"),
            "time_zone": "UTC", "created_at": rfc3339(self.created),
        })
    }

    fn list_components(&self) -> Answer {
        Answer::json(
            200,
            &self.components.iter().map(Component::to_json).collect(),
        )
    }

    fn list_incidents(&self, wanted: impl Fn(&Incident) -> bool) -> Answer {
        let incidents = self
            .incidents
            .iter()
            .filter(|incident| wanted(incident))
            .map(|incident| incident.to_json(&self.components))
            .collect();
        Answer::json(200, &incidents)
    }

    fn change_component(&mut self, id: &str, request: &Request, now: Timestamp) -> Answer {
        let Some(component) = self
            .components
            .iter_mut()
            .find(|component| component.id() == id)
        else {
            return not_found();
        };
        let outcome = read(request, "component").and_then(|fields| {
            component
                .change(fields, now)
                .map_err(|faults| refuse(422, &json!(faults)))
        });
        match outcome {
            Ok(changed) => Answer::json(200, &component.to_json()).having_changed(changed),
            Err(refusal) => refusal,
        }
    }

    fn open_incident(&mut self, request: &Request, now: Timestamp) -> Answer {
        let fields: incident::Fields = match read(request, "incident") {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        if let Err(faults) = fields.check(&self.components, true) {
            return refuse(422, &json!(faults));
        }
        let mut incident = Incident::new(self.new_id(), now);
        incident.update(&fields, &self.new_id(), &mut self.components, now);
        let answer = Answer::json(201, &incident.to_json(&self.components)).having_changed(true);
        self.incidents.insert(0, incident);
        answer
    }

    fn update_incident(&mut self, id: &str, request: &Request, now: Timestamp) -> Answer {
        let Some(place) = self
            .incidents
            .iter()
            .position(|incident| incident.id() == id)
        else {
            return not_found();
        };
        let fields: incident::Fields = match read(request, "incident") {
            Ok(fields) => fields,
            Err(refusal) => return refusal,
        };
        if let Err(faults) = fields.check(&self.components, false) {
            return refuse(422, &json!(faults));
        }
        let update = self.new_id();
        let incident = &mut self.incidents[place];
        incident.update(&fields, &update, &mut self.components, now);
        Answer::json(200, &incident.to_json(&self.components)).having_changed(true)
    }

    fn new_id(&mut self) -> String {
        self.ids += 1;
        short_id(self.ids)
    }
}

/// What the body has under `key`, or the refusal.
fn read<T: DeserializeOwned>(request: &Request, key: &str) -> Result<T, Answer> {
    let missing = || {
        refuse(
            400,
            &json!(format!("param is missing or the value is empty: {key}")),
        )
    };
    let mut body = request.json().ok_or_else(missing)?;
    let sent = body.get_mut(key).map(Value::take).ok_or_else(missing)?;
    serde_json::from_value(sent).map_err(|fault| refuse(422, &json!([fault.to_string()])))
}

fn not_found() -> Answer {
    refuse(404, &json!("not found"))
}

fn refuse(status: u16, error: &Value) -> Answer {
    Answer::json(status, &json!({ "error": error }))
}
