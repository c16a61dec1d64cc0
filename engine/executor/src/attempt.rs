//! One attempt of a step that runs a plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sandbook_journal as journal;
use sandbook_journal::Clock;
use sandbook_runbook::{Bound, Bounds, CredentialName, Limit, Permission, PluginName, Slot};
use sandbook_sandbox::credential::Credential;
use sandbook_sandbox::gate::{Gate, Mode, Passage, Policy, Stop};
use sandbook_sandbox::network::Network;
use sandbook_sandbox::redact::Redactor;
use sandbook_sandbox::{Call, Context, Ended, Plugin, Quota, Time};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::component::Schemas;
use crate::conductor::{cancelled, interrupted};
use crate::facts::millis;
use crate::limits;
use crate::recorder::{Desk, Recorder, Seen};
use crate::replay::Replay;

/// How long a plugin has, after the last request of an interrupted run, to return what it came to.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What all attempts of a run share.
pub(crate) struct Bench {
    pub(crate) plugins: BTreeMap<PluginName, Ready>,
    pub(crate) credentials: BTreeMap<CredentialName, Arc<Credential>>,
    pub(crate) network: Arc<Network>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The time that the plugins live by.
    pub(crate) time: Time,
    /// What the steps' random numbers and idempotency keys are drawn from.
    pub(crate) seed: [u8; 32],
}

/// A plugin that can be called.
pub(crate) struct Ready {
    pub(crate) plugin: Plugin,
    pub(crate) schemas: Schemas,
}

/// An attempt that is about to be made.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) index: usize,
    pub(crate) attempt: u32,
    pub(crate) step: journal::StepId,
    pub(crate) plugin: PluginName,
    pub(crate) input: Value,
    pub(crate) limits: Bounds,
    pub(crate) permission: Arc<Permission>,
    pub(crate) credentials: Vec<Bound>,
    pub(crate) reveal: Vec<Slot>,
    /// Steps with the same grants and credentials share connections.
    pub(crate) partition: String,
    pub(crate) dry_run: bool,
    pub(crate) replay: Arc<Mutex<Replay>>,
}

/// An attempt that has ended.
pub(crate) struct Attempted {
    pub(crate) index: usize,
    pub(crate) attempt: u32,
    pub(crate) ended: Ended,
    pub(crate) seen: Seen,
}

impl Attempt {
    /// Makes the attempt. It ends when the plugin returns, when its time is up, or when the run is
    /// interrupted; then not before the request that is in the gate is through.
    pub(crate) async fn make(self, bench: &Bench, desk: Desk, first_start: u64) -> Attempted {
        let Attempt { index, attempt, .. } = self;
        let (mut stop, mut cut) = (desk.stop.clone(), desk.cut.clone());
        let run = desk.run;
        let recorder = Arc::new(Recorder::new(
            desk,
            self.step.clone(),
            attempt,
            Arc::clone(&self.replay),
        ));
        let gate = Gate::new(self.passage(bench, Arc::clone(&recorder)));
        let now = bench.clock.now();
        let call = Call {
            context: Context {
                run: run.to_string(),
                step: self.step.to_string(),
                attempt,
                idempotency_key: hex::encode(&bench.draw("idempotency key", &self.step)[..16]),
                started_at: first_start,
                deadline: now.saturating_add(millis(self.limits.time(Limit::Timeout))),
                dry_run: self.dry_run,
            },
            input: self.input.to_string(),
            limits: limits::of_attempt(&self.limits),
            gate: Arc::clone(&gate),
            lines: Arc::clone(&recorder) as Arc<_>,
            seed: bench.draw("random numbers", &self.step),
            time: bench.time.clone(),
        };
        let plugin = &bench.plugins[&self.plugin].plugin;
        let mut call = pin!(plugin.call(call));
        let ended = tokio::select! {
            biased;
            ended = &mut call => ended,
            _ = interrupted(&mut stop) => wind_up(call, &gate).await,
            () = cancelled(&mut cut) => wind_up(call, &gate).await,
        };
        Attempted {
            index,
            attempt,
            ended,
            seen: recorder.seen(),
        }
    }

    fn passage(&self, bench: &Bench, recorder: Arc<Recorder>) -> Passage {
        let bound = |bound: &Bound| {
            (
                bound.slot.to_string(),
                Arc::clone(&bench.credentials[&bound.credential]),
            )
        };
        Passage {
            policy: Arc::new(Granted {
                permission: Arc::clone(&self.permission),
                limits: self.limits.clone(),
            }),
            credentials: self.credentials.iter().map(bound).collect(),
            reveal: self
                .reveal
                .iter()
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>(),
            network: Arc::clone(&bench.network),
            partition: self.partition.clone(),
            record: recorder,
            mode: if self.dry_run {
                Mode::DryRun
            } else {
                Mode::Live
            },
            limits: limits::of_requests(&self.limits),
            redactor: Arc::clone(&bench.redactor),
        }
    }
}

/// Ends the attempt of a run that is interrupted or cancelled: at once, or when the request that is in its gate has its
/// outcome on record and the plugin, if that was its last, has returned. The recorder lets no other one in.
async fn wind_up(mut call: Pin<&mut impl Future<Output = Ended>>, gate: &Gate) -> Ended {
    if gate.is_occupied() {
        tokio::select! {
            ended = &mut call => return ended,
            () = gate.settle() => {}
        }
        if let Ok(ended) = tokio::time::timeout(LAST_WORDS, call).await {
            return ended;
        }
    }
    Ended::Stopped(Stop::Interrupted)
}

impl Bench {
    /// Bytes of a step's own: the same for all of its attempts, and for no other step, run or purpose.
    fn draw(&self, purpose: &str, step: &journal::StepId) -> [u8; 32] {
        let hash = Sha256::new()
            .chain_update(self.seed)
            .chain_update(purpose)
            .chain_update([0]);
        hash.chain_update(step.as_str()).finalize().into()
    }
}

/// The language's permission and limits, as the gate asks for them.
struct Granted {
    permission: Arc<Permission>,
    limits: Bounds,
}

impl Policy for Granted {
    fn permits(&self, method: &str, url: &Url) -> Result<(), String> {
        self.permission
            .permits(method, url)
            .map_err(|denial| denial.to_string())
    }

    fn advice(&self, quota: Quota) -> Option<String> {
        Some(limits::advice_on(quota, &self.limits))
    }
}
