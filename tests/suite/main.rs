//! What crosses a boundary: the binary, real components, real HTTP, real SQLite, real signals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod cases;
mod cli;
mod docs;
mod flagship;
mod plugins;
mod promises;
mod support;
