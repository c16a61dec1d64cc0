//! What a guest finds when it asks the host for something: one file for each interface.

mod http;
mod log;
mod progress;
mod random;
mod reveal;
mod secrets;
mod stdio;
mod timer;
mod wasi;

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker, ResourceTable};

use crate::{
    bindings::RevealingStep,
    gate::Gate,
    limits::{Limits, Usage},
    speech::Speech,
};

use self::{random::Dice, wasi::Wasi};

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
    /// The guest has waited since the last tick, so that the next one isn't its own.
    waited: bool,
    ticks: u64,
}

impl Host {
    pub(crate) fn new(
        gate: Arc<Gate>,
        speech: Arc<Speech>,
        limits: Limits,
        seed: [u8; 32],
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
            waited: false,
            ticks: 0,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.usage.limits()
    }

    pub(crate) fn usage(&mut self) -> &mut Usage {
        &mut self.usage
    }

    /// Counts a tick of the engine's clock that came while the guest ran.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<()> {
        if std::mem::take(&mut self.waited) {
            return Ok(());
        }
        self.ticks += 1;
        let limits = self.usage.limits();
        if crate::engine::TICK.as_nanos() * u128::from(self.ticks) > limits.cpu.as_nanos() {
            return Err(limits.breach(crate::limits::Limit::Cpu).into());
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

/// Links everything that a plugin may import.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    RevealingStep::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
    wasi::add_to_linker(&mut linker)?;
    Ok(linker)
}
