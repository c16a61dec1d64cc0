//! The contract of `wit/`, as Rust, and `wasi:http` beside it.

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

/// `wasi:http`, the part of it that a plugin may import.
pub(crate) mod wasi_http {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "sandbox:outgoing/outgoing",
        imports: { default: trappable },
        require_store_data_send: true,
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http/types.fields": crate::host::wasi_http::Fields,
            "wasi:http/types.outgoing-request": crate::host::wasi_http::OutgoingRequest,
            "wasi:http/types.outgoing-body": crate::host::wasi_http::OutgoingBody,
            "wasi:http/types.request-options": crate::host::wasi_http::RequestOptions,
            "wasi:http/types.future-incoming-response": crate::host::wasi_http::FutureResponse,
            "wasi:http/types.incoming-response": crate::host::wasi_http::IncomingResponse,
            "wasi:http/types.incoming-body": crate::host::wasi_http::IncomingBody,
            "wasi:http/types.future-trailers": crate::host::wasi_http::FutureTrailers,
            "wasi:http/types.incoming-request": crate::host::wasi_http::Never,
            "wasi:http/types.outgoing-response": crate::host::wasi_http::Never,
            "wasi:http/types.response-outparam": crate::host::wasi_http::Never,
        },
    });

    pub(crate) use wasi::http::{outgoing_handler, types};
}
