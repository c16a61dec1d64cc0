//! Limits as a document has them.

use std::time::Duration;

use serde::Deserialize;

use super::{Limit, Limits, Measure};
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::path::Path;
use crate::size::parse_size;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WireLimits {
    timeout: Option<String>,
    cpu: Option<String>,
    memory: Option<String>,
    requests: Option<u64>,
    request_body: Option<String>,
    response_body: Option<String>,
    traffic: Option<String>,
    output: Option<String>,
    log_lines: Option<u64>,
    log_size: Option<String>,
    host_call: Option<String>,
    handles: Option<u64>,
    instances: Option<u64>,
    table_elements: Option<u64>,
}

impl WireLimits {
    /// What an environment allows at most. `place` is where the keys are.
    pub(crate) fn convert(self, place: &Path, faults: &mut Vec<Fault>) -> Limits {
        let texts = [
            (Limit::Timeout, self.timeout),
            (Limit::Cpu, self.cpu),
            (Limit::Memory, self.memory),
            (Limit::RequestBody, self.request_body),
            (Limit::ResponseBody, self.response_body),
            (Limit::Traffic, self.traffic),
            (Limit::Output, self.output),
            (Limit::LogSize, self.log_size),
            (Limit::HostCall, self.host_call),
        ];
        let numbers = [
            (Limit::Requests, self.requests),
            (Limit::LogLines, self.log_lines),
            (Limit::Handles, self.handles),
            (Limit::Instances, self.instances),
            (Limit::TableElements, self.table_elements),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(limit, text)| Some((limit, limit.parse(&text?))));
        let numbers = numbers
            .into_iter()
            .filter_map(|(limit, number)| Some((limit, Ok(number?))));
        let mut limits = Limits::default();
        for (limit, value) in texts.chain(numbers) {
            match value.and_then(|value| limit.check(value)) {
                Ok(value) => limits.set(limit, value),
                Err(fault) => faults.push(Fault::error(place.key(limit.key()), fault)),
            }
        }
        limits
    }

    /// What a step asks for. Its time is its `timeout`, which is given where it says one.
    pub(crate) fn of_step(
        self,
        timeout: Option<Duration>,
        place: &Path,
        faults: &mut Vec<Fault>,
    ) -> Limits {
        if self.timeout.is_some() {
            let fault = Fault::error(
                place.key("timeout"),
                "a step has its `timeout` beside `limits`",
            );
            faults.push(fault.on_key().help("move it out of `limits`"));
        }
        let mut limits = self.convert(place, faults);
        limits.0.remove(&Limit::Timeout);
        let millis = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        if let Some(millis) = millis {
            limits.set(Limit::Timeout, millis);
        }
        limits
    }
}

impl Limit {
    fn parse(self, text: &str) -> Result<u64, String> {
        if self.measure() == Measure::Time {
            let duration = parse_duration(text).map_err(|fault| fault.to_string())?;
            Ok(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
        } else {
            parse_size(text).map_err(|fault| fault.to_string())
        }
    }

    fn check(self, value: u64) -> Result<u64, String> {
        let key = self.key();
        if value > self.most() {
            Err(format!("`{key}` can be at most {}", self.show(self.most())))
        } else if value < self.least() {
            Err(format!(
                "`{key}` has to be at least {}",
                self.show(self.least())
            ))
        } else {
            Ok(value)
        }
    }
}
