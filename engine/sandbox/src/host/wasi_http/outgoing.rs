//! `outgoing-request`, and `outgoing-handler`, to which it is handed over.

use tokio::sync::oneshot;
use wasmtime::component::Resource;

use super::{
    super::Host,
    body::{OutgoingBody, Written},
    draft::Draft,
    fields::Fields,
    incoming::FutureResponse,
    options::RequestOptions,
    outbox::Job,
};
use crate::bindings::wasi_http::{
    outgoing_handler,
    types::{self, ErrorCode, Method, Scheme},
};
use crate::limits::{Breach, Hold, Memory};

/// The longest method, scheme, authority or path that is taken down. The gate allows less.
const PART_BYTES: usize = 16 << 10;

/// A request that is being put together.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct OutgoingRequest {
    method: Part<Method>,
    scheme: Part<Option<Scheme>>,
    authority: Part<Option<String>>,
    path: Part<Option<String>>,
    fields: Fields,
    /// Who hears of its body's end, once it has one.
    body: Option<oneshot::Receiver<Written>>,
}

/// A part of a request, and what is held for it.
struct Part<T> {
    value: T,
    hold: Option<Hold>,
}

/// Whether a part was taken down.
type Taken = Result<(), ()>;

impl<T> Part<T> {
    fn new(value: T) -> Part<T> {
        Part { value, hold: None }
    }

    /// Takes down another value, which has so many bytes of the guest's in it.
    fn set(&mut self, value: T, bytes: usize, memory: &Memory) -> Result<Taken, Breach> {
        if bytes > PART_BYTES {
            return Ok(Err(()));
        }
        let hold = Some(memory.hold(bytes)?);
        *self = Part { value, hold };
        Ok(Ok(()))
    }
}

impl types::HostOutgoingRequest for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let mut fields = self.table.delete(headers)?;
        fields.fix();
        Ok(self.table.push(OutgoingRequest {
            method: Part::new(Method::Get),
            scheme: Part::new(None),
            authority: Part::new(None),
            path: Part::new(None),
            fields,
            body: None,
        })?)
    }

    fn body(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Result<Resource<OutgoingBody>, ()>> {
        let most = self.gate.limits().request_bytes;
        let request = self.table.get_mut(&request)?;
        if request.body.is_some() {
            return Ok(Err(()));
        }
        let declared = request
            .fields
            .values("content-length")
            .find_map(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let (body, listener) = OutgoingBody::new(most, declared, self.usage.memory())?;
        request.body = Some(listener);
        Ok(Ok(self.table.push(body)?))
    }

    fn method(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Method> {
        Ok(self.table.get(&request)?.method.value.clone())
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Taken> {
        let part = &mut self.table.get_mut(&request)?.method;
        let bytes = match &method {
            Method::Other(name) => name.len(),
            _ => 0,
        };
        Ok(part.set(method, bytes, self.usage.memory())?)
    }

    fn path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.path.value.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Taken> {
        let part = &mut self.table.get_mut(&request)?.path;
        let bytes = path.as_ref().map_or(0, String::len);
        Ok(part.set(path, bytes, self.usage.memory())?)
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.value.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Taken> {
        let part = &mut self.table.get_mut(&request)?.scheme;
        let bytes = match &scheme {
            Some(Scheme::Other(name)) => name.len(),
            _ => 0,
        };
        Ok(part.set(scheme, bytes, self.usage.memory())?)
    }

    fn authority(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.value.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Taken> {
        let part = &mut self.table.get_mut(&request)?.authority;
        let bytes = authority.as_ref().map_or(0, String::len);
        Ok(part.set(authority, bytes, self.usage.memory())?)
    }

    fn headers(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let fields = self.table.get(&request)?.fields.copy()?;
        Ok(self.table.push(fields)?)
    }

    fn drop(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl outgoing_handler::Host for Host {
    /// Takes the request over. All that is wrong with it, its future says.
    fn handle(
        &mut self,
        request: Resource<OutgoingRequest>,
        options: Option<Resource<RequestOptions>>,
    ) -> wasmtime::Result<Result<Resource<FutureResponse>, ErrorCode>> {
        let timeout = match options {
            Some(options) => self.table.delete(options)?.timeout(),
            None => None,
        };
        let OutgoingRequest {
            method,
            scheme,
            authority,
            path,
            fields,
            body,
        } = self.table.delete(request)?;
        let (teller, listener) = oneshot::channel();
        let holds = [method.hold, scheme.hold, authority.hold, path.hold];
        let draft = Draft::new(
            method.value,
            scheme.value,
            authority.value,
            path.value,
            fields,
        )
        .holding(holds.into_iter().flatten())
        .within(timeout);
        let job = Job {
            draft,
            body,
            teller,
        };
        self.outbox
            .as_mut()
            .expect("invariant: whoever is linked with `wasi:http` has an outbox")
            .put(job)?;
        Ok(Ok(self.table.push(FutureResponse::new(listener))?))
    }
}
