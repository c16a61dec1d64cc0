//! A plugin that is loaded, and a call of it.

mod broke;
#[cfg(test)]
pub(crate) mod sample;

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use wasmtime::{Store, UpdateDeadline};

use crate::{
    bindings::{RevealingStepPre, sandbook::step::types},
    call::{Breakage, Call, Context, Ended, Failure, FailureKind, Output},
    failpoint::failpoint,
    host::{Host, wasi_http::Carrier},
    limits::{Limit, Limits},
    speech::{MESSAGE_BYTES, SUMMARY_BYTES, Speech},
};

use self::broke::broke;

/// The longest `code` of a failure, in bytes.
const CODE_BYTES: usize = 200;

/// A plugin that is ready to be called. Clones share it.
#[derive(Clone)]
pub struct Plugin {
    pre: RevealingStepPre<Host>,
    /// Whether it is linked with `wasi:http`.
    has_wasi_http: bool,
    slots: Option<Arc<Semaphore>>,
}

/// What the guest's `run` returns, or the trap that ended it.
type Answer = wasmtime::Result<Result<types::Output, types::Failure>>;

impl Plugin {
    pub(crate) fn new(
        pre: RevealingStepPre<Host>,
        has_wasi_http: bool,
        slots: Option<Arc<Semaphore>>,
    ) -> Self {
        Plugin {
            pre,
            has_wasi_http,
            slots,
        }
    }

    /// Runs one attempt in a store of its own, and waits until no request of it is under way any
    /// more: one that can't be repeated outlives an attempt that was cut, so this may take longer
    /// than [`Limits::wall`].
    ///
    /// Needs a tokio runtime with its timer. When the future is dropped, the attempt ends at once, and
    /// such a request goes on by itself.
    pub async fn call(&self, call: Call) -> Ended {
        let gate = Arc::clone(&call.gate);
        let ended = self.attempt(call).await;
        gate.settle().await;
        failpoint("call/ended");
        ended
    }

    async fn attempt(&self, call: Call) -> Ended {
        let _slot = match &self.slots {
            Some(slots) => Some(
                slots
                    .acquire()
                    .await
                    .expect("invariant: the semaphore is never closed"),
            ),
            None => None,
        };
        let Call {
            context,
            input,
            limits,
            gate,
            lines,
            seed,
            time,
        } = call;
        let speech = Arc::new(Speech::new(Arc::clone(&gate), lines, &limits));
        let mut store = self.store(Host::new(gate, Arc::clone(&speech), limits, seed, time));

        let processor = Arc::clone(store.data().processor());
        let carrier = self.has_wasi_http.then(|| store.data_mut().open_outbox());
        let (longest, breach) = store.data().lifetime().by_the_machine();
        let run = run(&self.pre, &mut store, carrier, context.into(), &input);
        let run = processor.count(run);
        let answer = match tokio::time::timeout(longest, run).await {
            Ok(answer) => answer,
            Err(_) => Err(breach.into()),
        };
        store.data_mut().flush();
        match answer {
            Ok(Ok(output)) => succeeded(&output, &speech, &limits),
            Ok(Err(failure)) => Ended::Failed(failed(failure, &speech)),
            Err(error) => broke(&error, store.data().was_called(), &speech, &limits),
        }
    }

    fn store(&self, host: Host) -> Store<Host> {
        let fuel = host.limits().hostcall_bytes;
        let mut store = Store::new(self.pre.engine(), host);
        store.limiter(|host| host.usage());
        store.set_hostcall_fuel(fuel);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            store.data().tick()?;
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

/// Calls the guest, and carries what it hands over by `wasi:http` beside it. What waits there when it
/// returns is sent all the same, so that what is sent doesn't depend on how long an answer takes; when
/// it is cut off, nothing more is.
///
/// A guest that wasn't told what came of all of it can't know that what was sent had no effect.
async fn run(
    pre: &RevealingStepPre<Host>,
    store: &mut Store<Host>,
    carrier: Option<Carrier>,
    context: types::Context,
    input: &String,
) -> Answer {
    let Some(carrier) = carrier else {
        let answer = guest(pre, store, context, input).await?;
        store.data().in_time()?;
        return Ok(answer);
    };
    let mut carried = pin!(carrier.carry());
    let mut answer = {
        let mut guest = pin!(guest(pre, store, context, input));
        tokio::select! {
            biased;
            // While the guest has its outbox, the carrier ends only to end the attempt.
            Err(stop) = &mut carried => return Err(stop),
            answer = &mut guest => answer?,
        }
    };
    store.data().in_time()?;
    let knows_all = store.data_mut().close_outbox();
    carried.await?;
    match &mut answer {
        Err(failure) if failure.start_over && !knows_all => {
            failure.start_over = false;
            store.data().warn(
                "`start_over` isn't heeded: the step didn't wait for the answers to all that it had handed over by `wasi:http`",
            );
        }
        _ => {}
    }
    Ok(answer)
}

async fn guest(
    pre: &RevealingStepPre<Host>,
    store: &mut Store<Host>,
    context: types::Context,
    input: &String,
) -> Answer {
    let instance = pre.instantiate_async(&mut *store).await?;
    store.data_mut().call();
    instance.step().call_run(store, &context, input).await
}

fn succeeded(output: &types::Output, speech: &Speech, limits: &Limits) -> Ended {
    if output.data.len() > limits.output_bytes {
        return Ended::Broke(limits.breach(Limit::Output).into());
    }
    match serde_json::from_str(&output.data) {
        Ok(data) => Ended::Succeeded(Output {
            data: speech.object(data).into(),
            changed: output.changed,
            summary: speech.line(output.summary.as_bytes(), SUMMARY_BYTES),
        }),
        Err(error) => {
            let why = format!("`data` is not a JSON object: {error}");
            Ended::Broke(Breakage::Contract(
                speech.line(why.as_bytes(), MESSAGE_BYTES),
            ))
        }
    }
}

fn failed(failure: types::Failure, speech: &Speech) -> Failure {
    Failure {
        kind: failure.kind.into(),
        code: failure
            .code
            .map(|code| speech.line(code.as_bytes(), CODE_BYTES)),
        message: speech.line(failure.message.as_bytes(), MESSAGE_BYTES),
        retry_after: failure.retry_after.map(Duration::from_millis),
        start_over: failure.start_over,
    }
}

impl From<types::FailureKind> for FailureKind {
    fn from(kind: types::FailureKind) -> Self {
        match kind {
            types::FailureKind::InvalidInput => FailureKind::InvalidInput,
            types::FailureKind::Unauthorized => FailureKind::Unauthorized,
            types::FailureKind::NotFound => FailureKind::NotFound,
            types::FailureKind::Conflict => FailureKind::Conflict,
            types::FailureKind::RateLimited => FailureKind::RateLimited,
            types::FailureKind::Unavailable => FailureKind::Unavailable,
            types::FailureKind::TimedOut => FailureKind::TimedOut,
            types::FailureKind::Failed => FailureKind::Failed,
        }
    }
}

impl From<Context> for types::Context {
    fn from(context: Context) -> Self {
        types::Context {
            run: context.run,
            step: context.step,
            attempt: context.attempt,
            idempotency_key: context.idempotency_key,
            started_at: context.started_at,
            deadline: context.deadline,
            dry_run: context.dry_run,
        }
    }
}

#[cfg(test)]
#[path = "plugin/tests.rs"]
pub(crate) mod tests;
