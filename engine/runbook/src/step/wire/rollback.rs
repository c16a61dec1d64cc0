//! A step's rollback as the document has it, and the step that it comes to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::using::WireUse;
use super::{TIMEOUT, retry, timeout};
use crate::leaf::Reader;
use crate::limits::WireLimits;
use crate::names::StepId;
use crate::path::Path;
use crate::retry::WireRetry;
use crate::step::{Action, Needs, OnDoubt, OnFailure, Step};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WireRollback {
    uses: Option<String>,
    with: Option<Map<String, Value>>,
    credentials: Option<BTreeMap<String, String>>,
    allow: Option<Vec<String>>,
    reveal: Option<Vec<String>>,
    retry: Option<WireRetry>,
    timeout: Option<String>,
    limits: Option<WireLimits>,
}

impl WireRollback {
    /// The step that undoes the one of this id, if that has one.
    pub(super) fn convert(
        self,
        id: Option<&StepId>,
        place: &Path,
        reader: &mut Reader,
    ) -> Option<Step> {
        let timeout = timeout(self.timeout.as_deref(), place, reader);
        let retry = retry(self.retry.as_ref(), place, reader);
        let using = WireUse {
            uses: self.uses,
            with: self.with,
            credentials: self.credentials,
            allow: self.allow,
            reveal: self.reveal,
            limits: self.limits,
            timeout,
        };
        let using = using.convert(place, reader);
        Some(Step {
            id: id?.clone(),
            name: None,
            needs: Needs::These(Vec::new()),
            condition: None,
            action: Action::Plugin(using?),
            retry: retry?,
            timeout: timeout.unwrap_or(TIMEOUT),
            // One that fails stops the undoing, and a person is asked.
            on_failure: OnFailure::Pause,
            on_doubt: OnDoubt::Wait,
            rollback: None,
        })
    }
}
