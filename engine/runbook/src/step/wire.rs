//! A step as the document has it, and its conversion.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::approval::WireApproval;
use super::manual::WireManual;
use super::{Action, Check, Needs, OnDoubt, OnFailure, Step};
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::leaf::Reader;
use crate::limits::{Limit, WireLimits};
use crate::names::StepId;
use crate::path::Path;
use crate::retry::{Retry, WireRetry};
use rollback::WireRollback;
use using::WireUse;

mod rollback;
mod using;

/// How long an attempt may take where the step doesn't say.
const TIMEOUT: Duration = Duration::from_millis(Limit::Timeout.usual());

/// What few steps have is boxed: there may be many steps.
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
    assert: Option<Box<WireCheck>>,
    approval: Option<Box<WireApproval>>,
    manual: Option<Box<WireManual>>,
    retry: Option<Box<WireRetry>>,
    timeout: Option<String>,
    limits: Option<WireLimits>,
    on_failure: Option<WireOnFailure>,
    on_doubt: Option<WireOnDoubt>,
    rollback: Option<Box<WireRollback>>,
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
    Pause,
    Rollback,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireOnDoubt {
    Wait,
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
        let timeout = timeout(self.timeout.as_deref(), place, reader);
        let retry = retry(self.retry.as_deref(), place, reader);
        let on_failure = match self.on_failure {
            None | Some(WireOnFailure::Abort) => OnFailure::Abort,
            Some(WireOnFailure::Continue) => OnFailure::Continue,
            Some(WireOnFailure::Pause) => OnFailure::Pause,
            Some(WireOnFailure::Rollback) => OnFailure::Rollback,
        };
        let on_doubt = match self.on_doubt {
            None | Some(WireOnDoubt::Wait) => OnDoubt::Wait,
            Some(WireOnDoubt::Continue) => OnDoubt::Continue,
        };
        self.refuse_what_only_plugins_take(place, reader);
        let rollback = match self.rollback.take() {
            None => Some(None),
            Some(rollback) => rollback
                .convert(id.as_ref(), &place.key("rollback"), reader)
                .map(|step| Some(Arc::new(step))),
        };
        let name = self.name.take();
        let action = self.action(timeout, place, reader);
        Some(Step {
            id: id?,
            name,
            needs,
            condition: condition?,
            action: action?,
            retry: retry?,
            timeout: timeout.unwrap_or(TIMEOUT),
            on_failure,
            on_doubt,
            rollback: rollback?,
        })
    }

    /// What the step does: the keys of which it has exactly one.
    fn actions(&self) -> Vec<&'static str> {
        let actions = [
            ("uses", self.uses.is_some()),
            ("wait", self.wait.is_some()),
            ("assert", self.assert.is_some()),
            ("approval", self.approval.is_some()),
            ("manual", self.manual.is_some()),
        ];
        given(actions).collect()
    }

    /// Of a step that does one thing, which isn't to run a plugin.
    fn refuse_what_only_plugins_take(&self, place: &Path, reader: &mut Reader) {
        let action = match self.actions()[..] {
            [action] if action != "uses" => action,
            _ => return,
        };
        let of_plugin_only = [
            ("with", self.with.is_some()),
            ("credentials", self.credentials.is_some()),
            ("allow", self.allow.is_some()),
            ("reveal", self.reveal.is_some()),
            ("retry", self.retry.is_some()),
            ("timeout", self.timeout.is_some()),
            ("limits", self.limits.is_some()),
            ("on_doubt", self.on_doubt.is_some()),
            ("rollback", self.rollback.is_some()),
        ];
        for key in given(of_plugin_only) {
            let fault = Fault::error(place.key(key), format!("`{key}` goes only with `uses`"));
            reader.fault(fault.on_key().help(match (action, key) {
                ("approval", "timeout") => "an approval has its own: move it into `approval`",
                _ => "remove it: this step runs no plugin",
            }));
        }
    }

    fn action(
        self,
        timeout: Option<Duration>,
        place: &Path,
        reader: &mut Reader,
    ) -> Option<Action> {
        let said = match self.actions()[..] {
            [_] => None,
            [] => Some(("a step needs one", "`uses: PLUGIN` runs a plugin")),
            _ => Some(("a step has only one", "make a step of each")),
        };
        if let Some((message, help)) = said {
            let message = format!("{message} of `uses`, `wait`, `assert`, `approval` and `manual`");
            reader.fault(Fault::error(place.clone(), message).on_key().help(help));
            return None;
        }
        if let Some(duration) = self.wait {
            wait_for(duration, &place.key("wait"), reader)
        } else if let Some(check) = self.assert {
            let check = check.convert(&place.key("assert"), reader);
            check.map(Action::Assert)
        } else if let Some(approval) = self.approval {
            let approval = approval.convert(&place.key("approval"), reader);
            approval.map(Action::Approval)
        } else if let Some(manual) = self.manual {
            let manual = manual.convert(&place.key("manual"), reader);
            manual.map(Action::Manual)
        } else {
            let using = WireUse {
                uses: self.uses,
                with: self.with,
                credentials: self.credentials,
                allow: self.allow,
                reveal: self.reveal,
                limits: self.limits,
                timeout,
            };
            using.convert(place, reader).map(Action::Plugin)
        }
    }
}

/// A duration that is longer than none at all; of one that isn't, `none` says what is wrong with it.
pub(super) fn positive(
    text: &str,
    place: Path,
    none: &str,
    reader: &mut Reader,
) -> Option<Duration> {
    let duration = reader.duration(text, &place)?;
    if duration.is_zero() {
        reader.fault(Fault::error(place, none));
    }
    Some(duration)
}

/// The keys that are there.
fn given<const N: usize>(keys: [(&'static str, bool); N]) -> impl Iterator<Item = &'static str> {
    let there = keys.into_iter().filter(|(_, is_there)| *is_there);
    there.map(|(key, _)| key)
}

/// How long an attempt may take, where that is said. `place` is where the key `timeout` is.
fn timeout(text: Option<&str>, place: &Path, reader: &mut Reader) -> Option<Duration> {
    let none = "an attempt with no time at all always fails";
    text.and_then(|text| positive(text, place.key("timeout"), none, reader))
}

/// When an attempt is made again. `place` is where the key `retry` is.
fn retry(wire: Option<&WireRetry>, place: &Path, reader: &mut Reader) -> Option<Retry> {
    match wire {
        None => Some(Retry::default()),
        Some(retry) => reader.or_told(
            |reader| retry.convert(&place.key("retry"), &mut reader.faults),
            Retry::default,
        ),
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
