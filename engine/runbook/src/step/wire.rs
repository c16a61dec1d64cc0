//! A step as the document has it, and its conversion.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Check, Needs, OnFailure, Step, Use};
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::names::{CredentialName, PluginName, Slot, StepId};
use crate::path::Path;
use crate::retry::{Retry, WireRetry};

/// How long an attempt may take where the step doesn't say.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireStep {
    id: Option<String>,
    name: Option<String>,
    needs: Option<Vec<String>>,
    #[serde(rename = "if")]
    condition: Option<Value>,
    uses: Option<String>,
    with: Option<Map<String, Value>>,
    credentials: Option<BTreeMap<String, String>>,
    allow: Option<Vec<String>>,
    reveal: Option<Vec<String>>,
    wait: Option<String>,
    assert: Option<WireCheck>,
    retry: Option<WireRetry>,
    timeout: Option<String>,
    on_failure: Option<WireOnFailure>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireCheck {
    condition: Option<Value>,
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireOnFailure {
    Abort,
    Continue,
}

impl WireCheck {
    pub(crate) fn convert(self, place: &Path, reader: &mut Reader) -> Option<Check> {
        let condition = self
            .condition
            .and_then(|value| reader.condition(&value, &place.key("condition")));
        let message = self
            .message
            .and_then(|text| reader.template(&Value::String(text), &place.key("message")));
        Some(Check {
            condition: condition?,
            message: message?,
        })
    }
}

impl WireStep {
    /// The step, unless something that it can't be without is wrong.
    pub(crate) fn convert(mut self, place: &Path, reader: &mut Reader) -> Option<Step> {
        let id = self
            .id
            .take()
            .and_then(|id| reader.parsed::<StepId>(&id, &place.key("id")));
        let needs = match self.needs.take() {
            None => Needs::AllBefore,
            Some(ids) => Needs::These(needs(&ids, &place.key("needs"), reader)),
        };
        let condition = match self.condition.take() {
            None => Some(None),
            Some(value) => reader.or_told(
                |reader| reader.condition(&value, &place.key("if")).map(Some),
                || None,
            ),
        };
        let timeout = self.timeout(place, reader);
        let retry = match &self.retry {
            None => Some(Retry::default()),
            Some(retry) => reader.or_told(
                |reader| retry.convert(&place.key("retry"), &mut reader.faults),
                Retry::default,
            ),
        };
        let on_failure = match self.on_failure {
            None | Some(WireOnFailure::Abort) => OnFailure::Abort,
            Some(WireOnFailure::Continue) => OnFailure::Continue,
        };
        let name = self.name.take();
        let action = self.action(place, reader);
        Some(Step {
            id: id?,
            name,
            needs,
            condition: condition?,
            action: action?,
            retry: retry?,
            timeout: timeout.unwrap_or(TIMEOUT),
            on_failure,
        })
    }

    fn timeout(&self, place: &Path, reader: &mut Reader) -> Option<Duration> {
        let place = place.key("timeout");
        let timeout = reader.duration(self.timeout.as_deref()?, &place)?;
        if timeout.is_zero() {
            reader.fault(Fault::error(
                place,
                "an attempt with no time at all always fails",
            ));
        }
        Some(timeout)
    }

    fn action(self, place: &Path, reader: &mut Reader) -> Option<Action> {
        let of_plugin_only = [
            ("with", self.with.is_some()),
            ("credentials", self.credentials.is_some()),
            ("allow", self.allow.is_some()),
            ("reveal", self.reveal.is_some()),
            ("retry", self.retry.is_some()),
            ("timeout", self.timeout.is_some()),
        ];
        match (&self.uses, &self.wait, &self.assert) {
            (Some(_), None, None) => self.using(place, reader).map(Action::Plugin),
            (None, wait, assert) if wait.is_some() != assert.is_some() => {
                for (key, _) in of_plugin_only.iter().filter(|(_, given)| *given) {
                    let fault =
                        Fault::error(place.key(*key), format!("`{key}` goes only with `uses`"));
                    reader.fault(fault.on_key().help("remove it: this step runs no plugin"));
                }
                match (self.wait, self.assert) {
                    (Some(duration), _) => wait_for(duration, &place.key("wait"), reader),
                    (None, assert) => assert?
                        .convert(&place.key("assert"), reader)
                        .map(Action::Assert),
                }
            }
            (None, None, None) => {
                let fault = Fault::error(
                    place.clone(),
                    "a step needs one of `uses`, `wait` and `assert`",
                );
                reader.fault(fault.on_key().help("`uses: PLUGIN` runs a plugin"));
                None
            }
            _ => {
                let fault = Fault::error(
                    place.clone(),
                    "a step has only one of `uses`, `wait` and `assert`",
                );
                reader.fault(fault.on_key().help("make a step of each"));
                None
            }
        }
    }

    fn using(self, place: &Path, reader: &mut Reader) -> Option<Use> {
        let plugin = self
            .uses
            .and_then(|name| reader.parsed::<PluginName>(&name, &place.key("uses")));
        let written = Value::Object(self.with.unwrap_or_default());
        let with = reader.template(&written, &place.key("with"));
        let mut credentials = BTreeMap::new();
        for (slot, credential) in self.credentials.unwrap_or_default() {
            let place = place.key("credentials").key(&slot);
            let credential = reader.parsed::<CredentialName>(&credential, &place);
            match (Slot::new(slot), credential) {
                (Err(fault), _) => reader.fault(Fault::error(place, fault.to_string()).on_key()),
                (Ok(slot), Some(credential)) => drop(credentials.insert(slot, credential)),
                (Ok(_), None) => {}
            }
        }
        let lines = self.allow.unwrap_or_default();
        let lines = lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| reader.allow_line(line, &place.key("allow").index(index)));
        let allow = lines.collect();
        let slots = self.reveal.unwrap_or_default();
        let slots = slots.iter().enumerate();
        let reveal = slots
            .filter_map(|(index, slot)| reader.parsed(slot, &place.key("reveal").index(index)))
            .collect();
        Some(Use {
            plugin: plugin?,
            with: with?,
            written,
            credentials,
            allow,
            reveal,
        })
    }
}

fn needs(ids: &[String], place: &Path, reader: &mut Reader) -> Vec<StepId> {
    let mut needs = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let Some(id) = reader.parsed::<StepId>(id, &place.index(index)) else {
            continue;
        };
        if needs.contains(&id) {
            reader.fault(
                Fault::error(place.index(index), format!("`{id}` is named twice"))
                    .help("remove one"),
            );
        } else {
            needs.push(id);
        }
    }
    needs
}

/// A wait; what is already known of its duration is checked.
fn wait_for(duration: String, place: &Path, reader: &mut Reader) -> Option<Action> {
    if !duration.contains("${{")
        && let Err(fault) = parse_duration(&duration)
    {
        reader.fault(Fault::error(place.clone(), fault.to_string()));
        return None;
    }
    reader
        .template(&Value::String(duration), place)
        .map(Action::Wait)
}
