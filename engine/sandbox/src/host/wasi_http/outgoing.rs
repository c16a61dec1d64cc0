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

/// The longest method, scheme, authority or path that is taken down. The gate allows less.
const PART_BYTES: usize = 16 << 10;

/// A request that is being put together.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct OutgoingRequest {
    method: Method,
    scheme: Option<Scheme>,
    authority: Option<String>,
    path: Option<String>,
    fields: Fields,
    /// Who hears of its body's end, once it has one.
    body: Option<oneshot::Receiver<Written>>,
}

/// Whether a part was taken down.
type Taken = Result<(), ()>;

fn fits(text: Option<&str>) -> Taken {
    match text {
        Some(text) if text.len() > PART_BYTES => Err(()),
        _ => Ok(()),
    }
}

impl types::HostOutgoingRequest for Host {
    fn new(&mut self, headers: Resource<Fields>) -> wasmtime::Result<Resource<OutgoingRequest>> {
        let mut fields = self.table.delete(headers)?;
        fields.fix();
        Ok(self.table.push(OutgoingRequest {
            method: Method::Get,
            scheme: None,
            authority: None,
            path: None,
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
        Ok(self.table.get(&request)?.method.clone())
    }

    fn set_method(
        &mut self,
        request: Resource<OutgoingRequest>,
        method: Method,
    ) -> wasmtime::Result<Taken> {
        let request = self.table.get_mut(&request)?;
        let other = match &method {
            Method::Other(text) => Some(text.as_str()),
            _ => None,
        };
        let fits = fits(other);
        if fits.is_ok() {
            request.method = method;
        }
        Ok(fits)
    }

    fn path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.path.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Resource<OutgoingRequest>,
        path: Option<String>,
    ) -> wasmtime::Result<Taken> {
        let request = self.table.get_mut(&request)?;
        let fits = fits(path.as_deref());
        if fits.is_ok() {
            request.path = path;
        }
        Ok(fits)
    }

    fn scheme(&mut self, request: Resource<OutgoingRequest>) -> wasmtime::Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Resource<OutgoingRequest>,
        scheme: Option<Scheme>,
    ) -> wasmtime::Result<Taken> {
        let request = self.table.get_mut(&request)?;
        let other = match &scheme {
            Some(Scheme::Other(text)) => Some(text.as_str()),
            _ => None,
        };
        let fits = fits(other);
        if fits.is_ok() {
            request.scheme = scheme;
        }
        Ok(fits)
    }

    fn authority(
        &mut self,
        request: Resource<OutgoingRequest>,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Resource<OutgoingRequest>,
        authority: Option<String>,
    ) -> wasmtime::Result<Taken> {
        let request = self.table.get_mut(&request)?;
        let fits = fits(authority.as_deref());
        if fits.is_ok() {
            request.authority = authority;
        }
        Ok(fits)
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
        let draft = Draft::new(method, scheme, authority, path, fields).within(timeout);
        let job = Job {
            draft,
            body,
            teller,
        };
        self.outbox
            .as_ref()
            .expect("invariant: whoever is linked with `wasi:http` has an outbox")
            .put(job)?;
        Ok(Ok(self.table.push(FutureResponse::new(listener))?))
    }
}
