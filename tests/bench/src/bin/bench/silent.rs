//! What a step is given that asks for nothing and says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sandbook_sandbox::gate::{
    Asked, Before, Durability, Entry, Gate, HttpLimits, Mode, Passage, Policy, Record, Stop,
    Writing,
};
use sandbook_sandbox::network::{Network, NetworkRules};
use sandbook_sandbox::redact::Redactor;
use sandbook_sandbox::{Call, Context, Level, Limits, Lines, Time};

/// What all calls share.
pub(crate) struct Silence {
    network: Arc<Network>,
    redactor: Arc<Redactor>,
    nobody: Arc<Nobody>,
}

impl Silence {
    pub(crate) fn new() -> Silence {
        Silence {
            network: Arc::new(Network::new(NetworkRules::default())),
            redactor: Arc::new(Redactor::new([])),
            nobody: Arc::new(Nobody),
        }
    }

    /// A call with a gate of its own, as the executor makes one for each attempt.
    pub(crate) fn call(&self) -> Call {
        Call {
            context: Context {
                run: "bench".to_owned(),
                step: "step".to_owned(),
                attempt: 1,
                idempotency_key: "key".to_owned(),
                started_at: 0,
                deadline: u64::MAX,
                dry_run: false,
            },
            input: "{}".to_owned(),
            limits: Limits::default(),
            gate: Gate::new(Passage {
                policy: Arc::clone(&self.nobody) as Arc<_>,
                credentials: BTreeMap::new(),
                reveal: BTreeSet::new(),
                network: Arc::clone(&self.network),
                partition: String::new(),
                record: Arc::clone(&self.nobody) as Arc<_>,
                mode: Mode::Live,
                limits: HttpLimits::default(),
                redactor: Arc::clone(&self.redactor),
            }),
            lines: Arc::clone(&self.nobody) as Arc<_>,
            seed: [0; 32],
            time: Time::Real,
        }
    }
}

/// Permits nothing and keeps nothing.
struct Nobody;

impl Policy for Nobody {
    fn permits(&self, _: &str, _: &url::Url) -> Result<(), String> {
        Err("nothing is granted".to_owned())
    }
}

impl Record for Nobody {
    fn answered_before(&self, _: &Asked) -> Result<Before, Stop> {
        Ok(Before::No)
    }

    fn write(&self, _: Entry, _: Durability) -> Writing<'_> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Lines for Nobody {
    fn log(&self, _: Level, _: String) {}

    fn progress(&self, _: String, _: Option<f32>) {}
}
