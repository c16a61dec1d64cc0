//! One component, one call: loading plugins, running an attempt of a step inside its limits, and the
//! gate through which all its effects pass.
//!
//! A component's bytes are read by [`Packed::read`], which runs none of its code. [`Sandbox::load`]
//! makes a [`Plugin`] of them, from the [`Cache`] where that is possible, and [`Plugin::call`] runs
//! one attempt in a store of its own. Whatever the plugin wants of the world it asks of the
//! [`gate`], which is the only way out.
//!
//! This crate knows nothing of runbooks, of YAML, or of how a record is stored.

mod bindings;
mod cache;
mod call;
mod compiler;
pub mod credential;
mod digest;
mod engine;
mod failpoint;
pub mod gate;
mod host;
mod limits;
mod line;
pub mod network;
mod pack;
mod packed;
mod percent;
mod plugin;
mod processor;
pub mod redact;
mod sandbox;
pub mod secret;
mod speech;
mod time;

pub use cache::{Cache, CacheError};
pub use call::{Breakage, Call, Context, Ended, Failure, FailureKind, Level, Lines, Output};
pub use compiler::{ChildCompiler, CompileError, CompileLimits, Compiler, compile_for_parent};
pub use digest::{Digest, DigestError};
pub use limits::{Limit, Limits, Quota};
pub use pack::pack;
pub use packed::{MANIFEST_SECTION, MAX_COMPONENT_BYTES, MAX_MANIFEST_BYTES, Packed, PackedError};
pub use plugin::Plugin;
pub use sandbox::{LoadError, Sandbox, SandboxError, Settings};
pub use time::{LeapingTime, Time};
