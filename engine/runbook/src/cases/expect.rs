//! What should come of a case.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::request::{self, CaseRequest, Matching};
use super::wire::refuse_both;
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::misfit::listed;
use crate::path::Path;

/// What should come of a case; what isn't said is not looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Expect {
    /// The step succeeds.
    Success {
        /// Its outputs.
        output: Option<Outputs>,
        /// Whether it changed anything.
        changed: Option<bool>,
        /// What it says that it did.
        summary: Option<String>,
    },
    /// The step fails.
    Failure {
        /// In the contract's words, such as `not-found`.
        kind: Option<String>,
        /// The plugin's or the service's own word.
        code: Option<String>,
        /// What the message has in it.
        message: Option<String>,
    },
    /// A dry run holds these requests back.
    HeldBack(Vec<Held>),
    /// The step waits for a person, since nobody knows what came of this request.
    InDoubt(CaseRequest),
    /// The step waits for a person, since it asked for something else than before.
    Diverged,
}

/// The outputs that a success should have.
#[derive(Debug, Clone, PartialEq)]
pub enum Outputs {
    /// These and no others.
    All(Map<String, Value>),
    /// These, among others.
    Among(Map<String, Value>),
}

/// A request that is held back.
pub type Held = Matching;

/// The kinds of failure, as the contract has them.
const KINDS: [&str; 8] = [
    "invalid-input",
    "unauthorized",
    "not-found",
    "conflict",
    "rate-limited",
    "unavailable",
    "timed-out",
    "failed",
];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireExpect {
    output: Option<Map<String, Value>>,
    output_includes: Option<Map<String, Value>>,
    changed: Option<bool>,
    summary: Option<String>,
    failure: Option<WireFailure>,
    held_back: Option<Vec<WireHeld>>,
    in_doubt: Option<String>,
    diverged: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireFailure {
    kind: Option<String>,
    code: Option<String>,
    message: Option<String>,
}

/// A request alone, or with its body.
#[derive(Debug, Default)]
struct WireHeld {
    request: Option<String>,
    body: Option<Value>,
    body_includes: Option<Value>,
}

impl<'de> Deserialize<'de> for WireHeld {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WireHeld, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct Whole {
            request: Option<String>,
            body: Option<Value>,
            body_includes: Option<Value>,
        }
        match Value::deserialize(deserializer)? {
            Value::String(request) => Ok(WireHeld {
                request: Some(request),
                ..WireHeld::default()
            }),
            whole => {
                let Whole {
                    request,
                    body,
                    body_includes,
                } = Whole::deserialize(whole).map_err(D::Error::custom)?;
                Ok(WireHeld {
                    request,
                    body,
                    body_includes,
                })
            }
        }
    }
}

impl WireExpect {
    pub(super) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Expect> {
        self.refuse_mixes(place, reader)?;
        refuse_both(
            ("output", self.output.is_some()),
            ("output_includes", self.output_includes.is_some()),
            place,
            reader,
        );
        if let Some(failure) = self.failure {
            return failure.convert(&place.key("failure"), reader);
        }
        if let Some(held) = self.held_back {
            let place = place.key("held_back");
            let read = |(index, held): (usize, WireHeld)| held.convert(&place.index(index), reader);
            let held: Vec<Option<Held>> = held.into_iter().enumerate().map(read).collect();
            return held
                .into_iter()
                .collect::<Option<_>>()
                .map(Expect::HeldBack);
        }
        if let Some(text) = self.in_doubt {
            return request::read(&text, &place.key("in_doubt"), reader).map(Expect::InDoubt);
        }
        if let Some(diverged) = self.diverged {
            return diverged.then_some(Expect::Diverged);
        }
        let whole = self.output.map(Outputs::All);
        let part = self.output_includes.map(Outputs::Among);
        Some(Expect::Success {
            output: whole.or(part),
            changed: self.changed,
            summary: self.summary,
        })
    }

    /// A case has one end.
    fn refuse_mixes(&self, place: &Path, reader: &mut Reader) -> Option<()> {
        let ends = [
            ("output", self.output.is_some()),
            ("output_includes", self.output_includes.is_some()),
            ("changed", self.changed.is_some()),
            ("summary", self.summary.is_some()),
            ("failure", self.failure.is_some()),
            ("held_back", self.held_back.is_some()),
            ("in_doubt", self.in_doubt.is_some()),
            ("diverged", self.diverged.is_some()),
        ];
        let said: Vec<&str> = ends
            .iter()
            .filter(|(_, said)| *said)
            .map(|(key, _)| *key)
            .collect();
        let others: Vec<&str> = ends[4..]
            .iter()
            .filter(|(_, said)| *said)
            .map(|(key, _)| *key)
            .collect();
        let Some(other) = others.first().filter(|_| said.len() > 1) else {
            return Some(());
        };
        let fault = Fault::error(
            place.key(*other),
            format!("a case ends in one way, and this says {}", listed(&said)),
        )
        .on_key();
        reader.fault(fault.help(
            "`output`, `changed` and `summary` are of a success; `failure`, `held_back`, `in_doubt` and `diverged` stand alone",
        ));
        None
    }
}

impl WireFailure {
    fn convert(self, place: &Path, reader: &mut Reader) -> Option<Expect> {
        if let Some(kind) = &self.kind
            && !KINDS.contains(&kind.as_str())
        {
            // The shape's faults say which there are.
            let fault = Fault::error(
                place.key("kind"),
                format!("`{kind}` is not a kind of failure"),
            );
            reader.fault(fault.help(format!("the kinds are {}", listed(KINDS))));
            return None;
        }
        Some(Expect::Failure {
            kind: self.kind,
            code: self.code,
            message: self.message,
        })
    }
}

impl WireHeld {
    fn convert(self, place: &Path, reader: &mut Reader) -> Option<Held> {
        refuse_both(
            ("body", self.body.is_some()),
            ("body_includes", self.body_includes.is_some()),
            place,
            reader,
        );
        let at = if self.body.is_some() || self.body_includes.is_some() {
            place.key("request")
        } else {
            place.clone()
        };
        let request = request::read(&self.request?, &at, reader)?;
        if request.is_reading() {
            let fault = Fault::error(at, format!("`{request}` only reads, so a dry run sends it"));
            reader.fault(fault.help("put it among the exchanges"));
            return None;
        }
        Some(Matching {
            request,
            credential: None,
            headers: Vec::new(),
            body: self.body,
            body_includes: self.body_includes,
        })
    }
}
