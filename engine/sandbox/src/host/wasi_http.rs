//! `wasi:http/outgoing-handler`: for plugins that bring their own HTTP client. It is another way to the
//! same gate: a guest puts a request together piece by piece, hands it over, and goes on; the
//! [`Carrier`] brings what was handed over through the gate, one after the other and in that order.
//!
//! Nothing is judged here that the gate can judge, so that every refusal is on record, whichever way
//! the request came.

mod body;
#[cfg(test)]
pub(crate) mod client;
mod code;
mod draft;
mod fields;
mod incoming;
mod options;
mod outbox;
mod outgoing;
mod unused;

use wasmtime::component::{HasSelf, Linker, Resource};

use super::Host;
use crate::bindings::wasi_http::{
    outgoing_handler,
    types::{self, ErrorCode, IoError},
};

pub(crate) use outbox::{Carrier, Outbox, Watch, outbox};

#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export them as `pub`"
)]
pub use self::{
    body::OutgoingBody,
    fields::Fields,
    incoming::{FutureResponse, FutureTrailers, IncomingBody, IncomingResponse},
    options::RequestOptions,
    outgoing::OutgoingRequest,
    unused::Never,
};

/// Links `wasi:http`, beside all the rest.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)?;
    outgoing_handler::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)
}

impl types::Host for Host {
    fn http_error_code(&mut self, error: Resource<IoError>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref().cloned())
    }
}
