//! What a guest finds when it asks the host for something: one file for each interface.

mod clocks;
mod http;
mod lifetime;
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

use wasmtime::component::{HasSelf, Linker, ResourceTable};

use crate::{
    bindings::RevealingStep,
    call::Level,
    gate::Gate,
    limits::{Limit, Limits, Usage},
    processor::Processor,
    speech::Speech,
    time::Time,
};

use self::{
    lifetime::Lifetime,
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
    lifetime: Lifetime,
    was_called: bool,
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
            lifetime: Lifetime::begin(time, limits),
            was_called: false,
        }
    }

    /// Ends the attempt when its time is up, where only we can tell.
    pub(crate) fn in_time(&self) -> wasmtime::Result<()> {
        Ok(self.lifetime.check()?)
    }

    /// The attempt's time.
    pub(crate) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Lets the guest hand requests over by `wasi:http`: what it hands over is carried as long as the
    /// carrier is driven.
    pub(crate) fn open_outbox(&mut self) -> Carrier {
        let (outbox, carrier) = outbox(
            Arc::clone(&self.gate),
            Arc::clone(&self.speech),
            self.usage.memory().clone(),
            self.lifetime.clone(),
            *self.usage.limits(),
        );
        self.outbox = Some(outbox);
        carrier
    }

    /// The guest has returned: it hands nothing over any more, and finishes no body. Whether it was
    /// told what came of all that it had handed over.
    pub(crate) fn close_outbox(&mut self) -> bool {
        self.table = ResourceTable::new();
        self.outbox
            .take()
            .is_none_or(|outbox| outbox.has_told_all())
    }

    /// Says something to whoever mends the plugin.
    pub(crate) fn warn(&self, message: &str) {
        self.speech.log(Level::Warn, message.as_bytes());
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.usage.limits()
    }

    pub(crate) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Notes that the component is there, and its function is called.
    pub(crate) fn call(&mut self) {
        self.was_called = true;
    }

    /// Whether its function was called.
    pub(crate) fn was_called(&self) -> bool {
        self.was_called
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
