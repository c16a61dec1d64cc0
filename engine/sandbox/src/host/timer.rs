//! `timer`: waiting. The attempt's time ends every wait.

use std::time::Duration;

use super::Host;
use crate::bindings::sandbook::step::timer;

impl timer::Host for Host {
    async fn sleep(&mut self, duration: u64) -> wasmtime::Result<()> {
        self.time.sleep(Duration::from_millis(duration)).await;
        self.in_time()
    }
}
