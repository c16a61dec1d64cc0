use sandbook_step::prelude::*;

use crate::{incident::Incident, input::State};

const API: &str = "https://api.statuspage.io/v1/pages";

/// How many incidents one page of the list holds: the most that the service gives.
const LISTED: &str = "100";

/// The status page, and what can be asked of it.
///
/// Every request is patient: the service allows one a second, and says 420 or 429 above.
pub(crate) struct Page<'a> {
    context: &'a Context,
    url: String,
}

#[derive(Deserialize)]
struct Component {
    status: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(context: &'a Context, id: &str) -> Result<Self, Failure> {
        Ok(Page {
            context,
            url: http::join(API, [id])?,
        })
    }

    pub(crate) fn incident(&self, id: &str) -> Result<Incident, Failure> {
        self.send(http::get(&http::join(&self.url, ["incidents", id])?))
            .map_err(|failure| match failure.kind {
                Kind::NotFound => failure.with_code("IncidentNotFound"),
                _ => failure,
            })
    }

    pub(crate) fn unresolved(&self) -> Result<Vec<Incident>, Failure> {
        let url = http::join(&self.url, ["incidents", "unresolved"])?;
        self.send(http::get(&url).query("per_page", LISTED))
    }

    /// Opens an incident. Not repeatable: twice would be two.
    pub(crate) fn open(&self, fields: &Value) -> Result<Incident, Failure> {
        let url = http::join(&self.url, ["incidents"])?;
        self.send(http::post(&url).body_json(&json!({"incident": fields})))
    }

    /// Updates an incident. Said to be repeatable, since whoever repeats it looks first whether it was done.
    pub(crate) fn update(&self, id: &str, fields: &Value) -> Result<Incident, Failure> {
        let url = http::join(&self.url, ["incidents", id])?;
        self.send(
            http::patch(&url)
                .body_json(&json!({"incident": fields}))
                .repeatable(true),
        )
    }

    /// A component's state, in the service's word.
    pub(crate) fn component(&self, id: &str) -> Result<String, Failure> {
        let component: Component =
            self.send(http::get(&http::join(&self.url, ["components", id])?))?;
        Ok(component.status)
    }

    pub(crate) fn set_component(&self, id: &str, state: State) -> Result<(), Failure> {
        let url = http::join(&self.url, ["components", id])?;
        let body = json!({"component": {"status": state}});
        self.send::<Value>(http::patch(&url).body_json(&body).repeatable(true))
            .map(drop)
    }

    fn send<T: serde::de::DeserializeOwned>(&self, request: http::Request) -> Result<T, Failure> {
        request.credential("api")?.patient(self.context).json()
    }
}
