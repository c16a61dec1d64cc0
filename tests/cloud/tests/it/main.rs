//! The simulated cloud over real HTTP: each service's work and its strictness, and each kind of fault.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod azure;
mod binary;
mod caller;
mod cloudflare;
mod edge;
mod faults;
mod odd;
mod patroni;
mod restore;
mod statuspage;
mod switchboard;
