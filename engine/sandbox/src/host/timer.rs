//! `timer`: waiting. The attempt's time ends every wait.

use std::time::Duration;

use wasmtime_wasi::p2::Pollable as _;

use super::Host;
use crate::bindings::sandbook::step::timer;

impl timer::Host for Host {
    async fn sleep(&mut self, duration: u64) -> wasmtime::Result<()> {
        let duration = Duration::from_millis(duration);
        match self.leap(duration) {
            Some(mut leap) => leap.ready().await,
            None => tokio::time::sleep(duration).await,
        }
        self.in_time()
    }
}
