//! WASI's clocks, by the time that the attempt lives by: what a guest waits for with them leaps as `timer.sleep` does.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock, WasiClocksCtxView};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtxView, WasiView};

use super::Host;
use super::wasi_http::{Outbox, Watch};
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
        self.in_time()?;
        monotonic_clock::Host::now(&mut usual(self))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        usual(self).resolution()
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.in_time()?;
        match self.lifetime.time() {
            Time::Real => usual(self).subscribe_instant(when),
            Time::Leaping(time) => {
                let leap = self.leap_until(time, when.saturating_sub(FIRST));
                self.subscribe_leap(leap)
            }
        }
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.in_time()?;
        match self.leap(Duration::from_nanos(duration)) {
            None => usual(self).subscribe_duration(duration),
            Some(leap) => self.subscribe_leap(leap),
        }
    }
}

impl Host {
    /// A wait for so long, by a time that leaps; none by the machine's.
    pub(super) fn leap(&self, duration: Duration) -> Option<Leap> {
        match self.lifetime.time() {
            Time::Real => None,
            Time::Leaping(time) => {
                let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
                Some(self.leap_until(time, time.nanos().saturating_add(nanos)))
            }
        }
    }

    fn leap_until(&self, time: &LeapingTime, until: u64) -> Leap {
        Leap {
            time: time.clone(),
            until,
            gate: Arc::clone(&self.gate),
            carried: self.outbox.as_ref().map(Outbox::watch),
        }
    }

    fn subscribe_leap(&mut self, leap: Leap) -> wasmtime::Result<Resource<DynPollable>> {
        let leap = self.table.push(leap)?;
        subscribe(&mut self.table, leap)
    }
}

/// A wait until a time. What is under way comes before it: an answer takes none of the machine's time here, and by the
/// attempt's own it takes what it says.
pub(super) struct Leap {
    time: LeapingTime,
    /// In nanoseconds that have passed.
    until: u64,
    gate: Arc<Gate>,
    carried: Option<Watch>,
}

#[wasmtime_wasi::async_trait]
impl Pollable for Leap {
    async fn ready(&mut self) {
        let mut wait = None;
        while self.until > self.time.nanos() {
            let wait = wait.get_or_insert_with(|| self.time.wait(self.until));
            if let Some(carried) = &mut self.carried
                && carried.is_busy()
            {
                carried.changed().await;
                continue;
            }
            // A request that is waited for by nobody any more may be under way.
            self.gate.settle().await;
            // All that is polled beside this is asked once more: it may be ready by now.
            tokio::task::yield_now().await;
            let has_changed = self.carried.as_ref().is_some_and(Watch::has_changed);
            if !has_changed && !self.gate.is_occupied() && wait.leap() {
                return;
            }
        }
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
    time.nanos().saturating_add(FIRST)
}

#[cfg(test)]
mod tests;
