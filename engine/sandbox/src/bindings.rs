//! The contract of `wit/`, as Rust.

wasmtime::component::bindgen!({
    path: "../../wit",
    // The wider of the two worlds: a plugin that doesn't import `reveal` just doesn't have it.
    world: "revealing-step",
    imports: {
        "sandbook:step/http.send": async | trappable,
        "sandbook:step/timer.sleep": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
    with: { "sandbook:step/secrets.credential": crate::host::Credential },
});
