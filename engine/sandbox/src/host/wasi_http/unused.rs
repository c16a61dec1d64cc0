//! What is there for components that answer requests. Clients come with it and never use it: a plugin
//! is called as a step, and gets no request.

use wasmtime::{bail, component::Resource};

use super::{super::Host, body::OutgoingBody, fields::Fields, incoming::IncomingBody};
use crate::bindings::wasi_http::types::{self, ErrorCode, Method, Scheme};

/// Something that no guest is ever given.
#[derive(Debug, Clone, Copy)]
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub enum Never {}

impl Host {
    /// A handle that the guest can't have.
    fn never<T>(&self, handle: &Resource<Never>) -> wasmtime::Result<T> {
        match *self.table.get(handle)? {}
    }
}

impl types::HostIncomingRequest for Host {
    fn method(&mut self, request: Resource<Never>) -> wasmtime::Result<Method> {
        self.never(&request)
    }

    fn path_with_query(&mut self, request: Resource<Never>) -> wasmtime::Result<Option<String>> {
        self.never(&request)
    }

    fn scheme(&mut self, request: Resource<Never>) -> wasmtime::Result<Option<Scheme>> {
        self.never(&request)
    }

    fn authority(&mut self, request: Resource<Never>) -> wasmtime::Result<Option<String>> {
        self.never(&request)
    }

    fn headers(&mut self, request: Resource<Never>) -> wasmtime::Result<Resource<Fields>> {
        self.never(&request)
    }

    fn consume(
        &mut self,
        request: Resource<Never>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        self.never(&request)
    }

    fn drop(&mut self, request: Resource<Never>) -> wasmtime::Result<()> {
        self.never(&request)
    }
}

impl types::HostOutgoingResponse for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<Never>> {
        self.table.delete(headers)?;
        bail!("a plugin sends requests by `wasi:http`, and answers none")
    }

    fn status_code(&mut self, response: Resource<Never>) -> wasmtime::Result<u16> {
        self.never(&response)
    }

    fn set_status_code(
        &mut self,
        response: Resource<Never>,
        _: u16,
    ) -> wasmtime::Result<Result<(), ()>> {
        self.never(&response)
    }

    fn headers(&mut self, response: Resource<Never>) -> wasmtime::Result<Resource<Fields>> {
        self.never(&response)
    }

    fn body(
        &mut self,
        response: Resource<Never>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        self.never(&response)
    }

    fn drop(&mut self, response: Resource<Never>) -> wasmtime::Result<()> {
        self.never(&response)
    }
}

impl types::HostResponseOutparam for Host {
    fn set(
        &mut self,
        param: Resource<Never>,
        _: Result<Resource<Never>, ErrorCode>,
    ) -> wasmtime::Result<()> {
        self.never(&param)
    }

    fn drop(&mut self, param: Resource<Never>) -> wasmtime::Result<()> {
        self.never(&param)
    }
}
