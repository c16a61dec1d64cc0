//! WASI 0.2 with nothing in it: clocks are real, standard output and error become log lines, random
//! numbers come from the step's seed, and there are no files, variables, arguments, sockets or names.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::{
    WasiCtx, WasiCtxView, WasiView,
    p2::bindings::random::{insecure, insecure_seed, random},
};

use super::{Host, random::Dice, stdio::Stream};
use crate::{call::Level, speech::Speech};

/// The WASI context of one attempt.
pub(super) struct Wasi {
    context: WasiCtx,
    streams: [Stream; 2],
}

impl Wasi {
    fn new(speech: &Arc<Speech>) -> Self {
        let out = Stream::new(Level::Info, Arc::clone(speech));
        let err = Stream::new(Level::Warn, Arc::clone(speech));
        let context = WasiCtx::builder()
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
        let wasi = self.wasi.get_or_insert_with(|| Wasi::new(&self.speech));
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut self.table,
        }
    }
}

/// Links WASI 0.2, and our own source of random numbers in the place of its.
pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    fn dice(host: &mut Host) -> &mut Dice {
        &mut host.dice
    }
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    random::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    insecure::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    insecure_seed::add_to_linker::<_, HasSelf<Dice>>(linker, dice)?;
    linker.allow_shadowing(false);
    Ok(())
}
