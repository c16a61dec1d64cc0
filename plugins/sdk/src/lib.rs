//! What a Sandbook plugin in Rust is written with.
//!
//! A plugin is one function: it takes a [`Context`] and its typed input, and comes to a [`Done`] or a
//! [`Failure`]. [`step!`] makes the component's export of it. This is a whole plugin:
//!
//! ```
//! use sandbook_step::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Input {
//!     url: String,
//! }
//!
//! #[derive(Deserialize)]
//! struct Page {
//!     title: String,
//! }
//!
//! #[derive(Serialize)]
//! struct Output {
//!     title: String,
//! }
//!
//! fn run(_: &Context, input: Input) -> Result<Done<Output>, Failure> {
//!     let page: Page = http::get(&input.url).credential("api")?.json()?;
//!     Ok(Done::unchanged(Output { title: page.title }).summary("read the title"))
//! }
//!
//! sandbook_step::step!(run);
//! ```
//!
//! Nothing here reaches the world by itself: every request, line and wait is a call of the engine, and a
//! request passes only where the runbook grants it. Built for another target than wasm, the same plugin runs
//! against a service of the test's own; see `testing`.

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
mod context;
mod done;
#[doc(hidden)]
pub mod entry;
mod failure;
mod host;
pub mod http;
pub mod log;
pub mod progress;
pub mod secrets;
mod span;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod timer;

pub use context::Context;
pub use done::Done;
pub use failure::{Failure, Kind};
pub use span::Span;

/// What nearly every plugin uses.
pub mod prelude {
    pub use serde::{Deserialize, Serialize};
    pub use serde_json::{Value, json};

    pub use crate::{Context, Done, Failure, Kind, Span, http, log, progress, timer};
}

/// Makes a function the component's step. Once in a crate, of the type `cdylib`.
///
/// The function is `fn(&Context, I) -> Result<Done<O>, Failure>`, where `I` is any type that serde reads, and `O`
/// one that it writes as a JSON object.
#[macro_export]
macro_rules! step {
    ($run:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Step;

            impl $crate::bindings::exports::step::Guest for Step {
                fn run(
                    context: $crate::bindings::Context,
                    input: ::std::string::String,
                ) -> ::std::result::Result<$crate::bindings::Output, $crate::bindings::Failure>
                {
                    $crate::entry::enter($run, context, &input)
                }
            }

    $crate::bindings::export!(Step with_types_in $crate::bindings);
        };
        // Elsewhere nothing calls the step but its tests; its type is checked all the same.
        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || $crate::entry::is_a_step($run);
    };
}
