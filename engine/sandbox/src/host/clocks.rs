//! WASI's clocks, by the time that the attempt lives by: what a guest waits for with them leaps as `timer.sleep` does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::Host;
use crate::gate::Gate;
use crate::time::{LeapingTime, Time};

/// What the monotonic clock shows at first, in nanoseconds. Go's runtime takes zero for a broken clock.
const FIRST: u64 = 1_000_000_000;

/// A clock that shows a time that leaps, in steps of a nanosecond.
pub(super) struct Clock(pub(super) LeapingTime);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Time::Leaping(self.0.clone()).now()
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        shown(&self.0)
    }
}

impl monotonic_clock::Host for Host {
    fn now(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::now(&mut usual(self))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        usual(self).resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        match &self.time {
            Time::Real => usual(self).subscribe_instant(when),
            Time::Leaping(time) => {
                let time = time.clone();
                self.subscribe_leap(time, when)
            }
        }
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        match &self.time {
            Time::Real => usual(self).subscribe_duration(duration),
            Time::Leaping(time) => {
                let time = time.clone();
                let until = shown(&time).saturating_add(duration);
                self.subscribe_leap(time, until)
            }
        }
    }
}

impl Host {
    fn subscribe_leap(
        &mut self,
        time: LeapingTime,
        until: u64,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        let leap = self.table.push(Leap {
            time,
            until,
            gate: Arc::clone(&self.gate),
        })?;
        subscribe(&mut self.table, leap)
    }
}

/// A wait until a time. An answer that is on its way comes before it.
struct Leap {
    time: LeapingTime,
    until: u64,
    gate: Arc<Gate>,
}

impl Pollable for Leap {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.gate.settle().await;
            let left = self.until.saturating_sub(shown(&self.time));
            self.time.pass(Duration::from_nanos(left));
        })
    }
}

/// What WASI's own implementation works on.
fn usual(host: &mut Host) -> WasiClocksCtxView<'_> {
    let WasiCtxView { ctx, table } = host.ctx();
    WasiClocksCtxView {
        ctx: ctx.clocks(),
        table,
    }
}

/// What the monotonic clock shows, in nanoseconds.
fn shown(time: &LeapingTime) -> u64 {
    let passed = u64::try_from(time.passed().as_nanos()).unwrap_or(u64::MAX);
    passed.saturating_add(FIRST)
}
