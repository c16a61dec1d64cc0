//! The one seam between this crate and whatever carries it: the engine in a sandbox, a test's own service elsewhere.

#[cfg(target_family = "wasm")]
mod engine;
#[cfg(not(target_family = "wasm"))]
mod stand_in;

#[cfg(target_family = "wasm")]
pub(crate) use engine::*;
#[cfg(not(target_family = "wasm"))]
pub(crate) use stand_in::*;

use std::time::Duration;

/// A request as it leaves the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) repeatable: Option<bool>,
    pub(crate) timeout: Option<Duration>,
}

/// An answer as it comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A span in the contract's unit; what is too long for it is as long as can be said.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
