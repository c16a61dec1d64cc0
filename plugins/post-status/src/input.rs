use std::collections::BTreeMap;

use sandbook_step::prelude::*;

/// What the status page should say.
#[derive(Deserialize)]
pub(crate) struct Input {
    pub(crate) page: String,
    pub(crate) incident: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) body: Option<String>,
    pub(crate) impact: Option<Impact>,
    #[serde(default)]
    pub(crate) components: BTreeMap<String, State>,
    pub(crate) notify: Option<bool>,
}

impl Input {
    /// Whether anything but the components' states is given.
    pub(crate) fn concerns_an_incident(&self) -> bool {
        self.incident.is_some()
            || self.title.is_some()
            || self.status.is_some()
            || self.body.is_some()
            || self.impact.is_some()
    }
}

/// How far the incident is.
#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

impl Status {
    /// The service's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Investigating => "investigating",
            Status::Identified => "identified",
            Status::Monitoring => "monitoring",
            Status::Resolved => "resolved",
        }
    }
}

/// How bad it is.
#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Impact {
    None,
    Minor,
    Major,
    Critical,
}

impl Impact {
    /// The service's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Impact::None => "none",
            Impact::Minor => "minor",
            Impact::Major => "major",
            Impact::Critical => "critical",
        }
    }
}

/// How a component is doing.
#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Operational,
    DegradedPerformance,
    PartialOutage,
    MajorOutage,
    UnderMaintenance,
}

impl State {
    /// The service's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Operational => "operational",
            State::DegradedPerformance => "degraded_performance",
            State::PartialOutage => "partial_outage",
            State::MajorOutage => "major_outage",
            State::UnderMaintenance => "under_maintenance",
        }
    }
}
