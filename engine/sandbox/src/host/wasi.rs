//! WASI 0.2 with nothing in it: clocks show the time that the attempt lives by, standard output and error become log lines, random
//! numbers come from the step's seed, and there are no files, variables, arguments, sockets or names.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::bindings::clocks::monotonic_clock,
    p2::bindings::random::{insecure, insecure_seed, random},
};

use super::{Host, clocks::Clock, random::Dice, stdio::Stream};
use crate::{call::Level, speech::Speech, time::Time};

/// The WASI context of one attempt.
pub(super) struct Wasi {
    context: WasiCtx,
    streams: [Stream; 2],
}

impl Wasi {
    fn new(speech: &Arc<Speech>, time: &Time) -> Self {
        let out = Stream::new(Level::Info, Arc::clone(speech));
        let err = Stream::new(Level::Warn, Arc::clone(speech));
        let mut builder = WasiCtx::builder();
        if let Time::Leaping(time) = time {
            builder
                .wall_clock(Clock(time.clone()))
                .monotonic_clock(Clock(time.clone()));
        }
        let context = builder
            .stdout(out.clone())
            .stderr(err.clone())
            // Addresses are denied as it is; so a guest can't even make a socket.
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Wasi {
            context,
            streams: [out, err],
        }
    }

    pub(super) fn flush(&self) {
        self.streams.iter().for_each(Stream::finish);
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self
            .wasi
            .get_or_insert_with(|| Wasi::new(&self.speech, self.lifetime.time()));
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut self.table,
        }
    }
}

/// Links WASI 0.2, and our own clock and source of random numbers in the place of its.
pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    fn dice(host: &mut Host) -> &mut Dice {
        &mut host.dice
    }
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    random::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    insecure::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    insecure_seed::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    monotonic_clock::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)?;
    linker.allow_shadowing(false);
    Ok(())
}
