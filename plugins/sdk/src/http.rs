//! HTTP, through the engine's gate: only what the runbook grants the step, one request at a time.
//!
//! ```no_run
//! # use sandbook_step::prelude::*;
//! # fn read(name: &str) -> Result<(), Failure> {
//! #[derive(Deserialize)]
//! struct Pool {
//!     enabled: bool,
//! }
//!
//! let url = http::join("https://api.example.com/v1", ["pools", name])?;
//! let pool: Pool = http::get(&url).credential("api")?.json()?;
//! if !pool.enabled {
//!     http::patch(&url).credential("api")?.body_json(&json!({"enabled": true})).repeatable(true).checked()?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Redirects are not followed: a 3xx is an answer like any other, and asking again passes the gate anew.

mod error;
mod request;
mod response;
mod retry_after;
mod url;

pub use error::Error;
pub use request::{Request, delete, get, head, patch, post, put, request};
pub use response::Response;
pub use url::{encode, join};

/// Whether a method only reads, so that it is sent in a dry run too.
pub fn is_reading(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}
