//! `log`: lines for the person who watches, and for the record.

use super::Host;
use crate::{bindings::sandbook::step::log, call::Level};

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.speech.log(level, message.as_bytes());
        Ok(())
    }
}
