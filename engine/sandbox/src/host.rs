//! What a guest finds when it asks the host for something: one file for each interface.

mod clocks;
mod http;
mod log;
mod progress;
mod random;
mod reveal;
mod secrets;
mod stdio;
mod timer;
mod wasi;
pub(crate) mod wasi_http;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker, ResourceTable};

use crate::{
    bindings::RevealingStep,
    gate::Gate,
    limits::{Limit, Limits, Usage},
    processor::Processor,
    speech::Speech,
    time::Time,
};

use self::{
    random::Dice,
    wasi::Wasi,
    wasi_http::{Carrier, Outbox, outbox},
};

#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub use self::secrets::Credential;

/// The host's side of one attempt.
pub(crate) struct Host {
    gate: Arc<Gate>,
    speech: Arc<Speech>,
    usage: Usage,
    table: ResourceTable,
    dice: Dice,
    /// Built when the guest first touches WASI: many never do.
    wasi: Option<Wasi>,
    /// Where requests by `wasi:http` wait; none where the plugin has no such thing.
    outbox: Option<Outbox>,
    processor: Arc<Processor>,
    time: Time,
    /// When the attempt began, by that time.
    begun: Duration,
}

impl Host {
    pub(crate) fn new(
        gate: Arc<Gate>,
        speech: Arc<Speech>,
        limits: Limits,
        seed: [u8; 32],
        time: Time,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Host {
            gate,
            speech,
            usage: Usage::new(limits),
            table,
            dice: Dice::new(seed),
            wasi: None,
            outbox: None,
            processor: Arc::default(),
            begun: time.now(),
            time,
        }
    }

    /// Ends the attempt when its time is up by a time that leaps: no timer of the machine's tells.
    fn in_time(&self) -> wasmtime::Result<()> {
        let limits = self.usage.limits();
        match &self.time {
            Time::Leaping(_) if self.time.now().saturating_sub(self.begun) >= limits.wall => {
                Err(limits.breach(Limit::Wall).into())
            }
            _ => Ok(()),
        }
    }

    /// Lets the guest hand requests over by `wasi:http`: what it hands over is carried as long as the
    /// carrier is driven.
    pub(crate) fn open_outbox(&mut self) -> Carrier {
        let (outbox, carrier) = outbox(
            Arc::clone(&self.gate),
            Arc::clone(&self.speech),
            self.usage.memory().clone(),
            *self.usage.limits(),
        );
        self.outbox = Some(outbox);
        carrier
    }

    /// The guest has returned: it hands nothing over any more, and finishes no body.
    pub(crate) fn close_outbox(&mut self) {
        self.outbox = None;
        self.table = ResourceTable::new();
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.usage.limits()
    }

    pub(crate) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Counts what the attempt takes of a processor.
    pub(crate) fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// Looks at the attempt's processor time, at a tick of the engine's clock while the guest runs.
    pub(crate) fn tick(&self) -> wasmtime::Result<()> {
        let limits = self.usage.limits();
        if self.processor.used() > limits.cpu {
            return Err(limits.breach(Limit::Cpu).into());
        }
        Ok(())
    }

    /// Says what the guest has written and not yet ended by a line feed.
    pub(crate) fn flush(&mut self) {
        if let Some(wasi) = &self.wasi {
            wasi.flush();
        }
    }
}

/// The types alone: there is nothing to do.
impl crate::bindings::sandbook::step::types::Host for Host {}

/// Links everything that a plugin may import, but for `wasi:http`.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    RevealingStep::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// Links `wasi:http` as well.
pub(crate) fn with_wasi_http(linker: &Linker<Host>) -> wasmtime::Result<Linker<Host>> {
    let mut linker = linker.clone();
    wasi_http::add_to_linker(&mut linker)?;
    Ok(linker)
}
