//! The contract of `wit/` as Rust: for this crate and for `step!`, not for plugins.
wit_bindgen::generate!({
    path: "../../wit",
    // The wider of the two worlds. What a plugin doesn't call is not among its imports, so that only one that
    // asks for a secret's plaintext imports `reveal`.
    world: "revealing-step",
    pub_export_macro: true,
    default_bindings_module: "sandbook_step::bindings",
});

pub use sandbook::step::types::{Context, Failure, FailureKind, Output};
