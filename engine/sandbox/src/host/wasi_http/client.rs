//! A client of `wasi:http` that is no guest, so that the gate's tests can go this way too.

use std::{sync::Arc, time::Duration};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynOutputStream, Pollable as _};

use super::{super::Host, FutureResponse};
use crate::{
    bindings::wasi_http::{
        outgoing_handler::Host as _,
        types::{self, HostOutgoingRequest as _, HostRequestOptions as _, Method, Scheme},
    },
    call::{Level, Lines},
    gate::{Gate, Request, Response, Stop},
    limits::Limits,
    speech::Speech,
    time::Time,
};

struct Mute;

impl Lines for Mute {
    fn log(&self, _: Level, _: String) {}

    fn progress(&self, _: String, _: Option<f32>) {}
}

/// Sends a request as a guest would: piece by piece, its body after it was handed over. Where there is no answer it gives
/// the code that a guest is told, or why its attempt ends, as a text.
pub(crate) async fn send(
    gate: &Arc<Gate>,
    request: Request,
    slot: Option<&str>,
) -> Result<Response, String> {
    let mut host = host(gate, Limits::default(), Time::Real);
    let carrier = host.open_outbox();
    let future = hand_over(&mut host, request, slot).unwrap();
    let waited = async {
        let future = Resource::<FutureResponse>::new_borrow(future.rep());
        host.table.get_mut(&future).unwrap().ready().await;
    };
    tokio::select! {
        biased;
        Err(stop) = carrier.carry() => return Err(format!("{:?}", stop.downcast::<Stop>())),
        () = waited => {}
    }
    let got = types::HostFutureIncomingResponse::get(&mut host, future)
        .unwrap()
        .unwrap()
        .unwrap();
    match got {
        Ok(response) => Ok(taken(&mut host, &response).unwrap()),
        Err(code) => Err(format!("{code:?}")),
    }
}

/// The host's side of an attempt that says nothing.
pub(crate) fn host(gate: &Arc<Gate>, limits: Limits, time: Time) -> Host {
    let speech = Arc::new(Speech::new(Arc::clone(gate), Arc::new(Mute), &limits));
    Host::new(Arc::clone(gate), speech, limits, [0; 32], time)
}

/// Makes so many requests with a path of so many bytes, and hands none over; whether each could be made.
pub(crate) fn prepare(host: &mut Host, count: usize, bytes: usize) -> wasmtime::Result<()> {
    for _ in 0..count {
        let fields = types::HostFields::new(host)?;
        let request = types::HostOutgoingRequest::new(host, fields)?;
        host.set_path_with_query(request, Some("x".repeat(bytes)))?
            .unwrap();
    }
    Ok(())
}

/// Hands a request over whose body isn't finished.
pub(crate) fn begin(
    host: &mut Host,
    request: &Request,
) -> wasmtime::Result<Resource<super::OutgoingBody>> {
    let asked = parts(host, request, Vec::new())?;
    let body = types::HostOutgoingRequest::body(host, Resource::new_borrow(asked.rep()))?.unwrap();
    host.handle(asked, None)?.unwrap();
    Ok(body)
}

/// Hands a request over, with its body.
pub(crate) fn hand_over(
    host: &mut Host,
    request: Request,
    slot: Option<&str>,
) -> wasmtime::Result<Resource<FutureResponse>> {
    let mut entries: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .cloned()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    let mut own = |name: &str, value: String| entries.push((name.to_owned(), value.into_bytes()));
    if let Some(slot) = slot {
        own("sandbook-credential", slot.to_owned());
    }
    if let Some(repeatable) = request.repeatable {
        own("sandbook-repeatable", repeatable.to_string());
    }
    let asked = parts(host, &request, entries)?;
    let options = match request.timeout {
        Some(timeout) => Some(options(host, timeout)?),
        None => None,
    };
    let writing = match request.body {
        Some(bytes) => Some((
            types::HostOutgoingRequest::body(host, Resource::new_borrow(asked.rep()))?.unwrap(),
            bytes,
        )),
        None => None,
    };
    let future = host.handle(asked, options)?.unwrap();
    if let Some((body, bytes)) = writing {
        let stream =
            types::HostOutgoingBody::write(host, Resource::new_borrow(body.rep()))?.unwrap();
        let stream = Resource::<DynOutputStream>::new_own(stream.rep());
        // A body that is too long says so here too.
        let _ = host.table.get_mut(&stream)?.write(bytes);
        host.table.delete(stream)?;
        let _ = types::HostOutgoingBody::finish(host, body, None)?;
    }
    Ok(future)
}

/// A request less its body, put together of its parts.
fn parts(
    host: &mut Host,
    request: &Request,
    entries: Vec<(String, Vec<u8>)>,
) -> wasmtime::Result<Resource<super::OutgoingRequest>> {
    let fields = types::HostFields::from_list(host, entries)?.unwrap();
    let asked = types::HostOutgoingRequest::new(host, fields)?;
    let borrowed = || Resource::new_borrow(asked.rep());
    let (scheme, rest) = request.url.split_once("://").unwrap();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    host.set_method(borrowed(), Method::Other(request.method.clone()))?
        .unwrap();
    host.set_scheme(borrowed(), Some(scheme))?.unwrap();
    host.set_authority(borrowed(), Some(rest[..end].to_owned()))?
        .unwrap();
    host.set_path_with_query(borrowed(), Some(rest[end..].to_owned()))?
        .unwrap();
    Ok(asked)
}

/// A time for the answer, and one for the connection that is too short for anything.
fn options(
    host: &mut Host,
    timeout: Duration,
) -> wasmtime::Result<Resource<super::RequestOptions>> {
    let options = types::HostRequestOptions::new(host)?;
    let borrowed = || Resource::new_borrow(options.rep());
    let nanoseconds = timeout.as_nanos() as u64;
    host.set_connect_timeout(borrowed(), Some(1))?.unwrap();
    host.set_first_byte_timeout(borrowed(), Some(nanoseconds))?
        .unwrap();
    Ok(options)
}

/// An answer, taken out of its pieces.
fn taken(
    host: &mut Host,
    response: &Resource<super::IncomingResponse>,
) -> wasmtime::Result<Response> {
    let borrowed = || Resource::new_borrow(response.rep());
    let status = types::HostIncomingResponse::status(host, borrowed())?;
    let fields = types::HostIncomingResponse::headers(host, borrowed())?;
    let headers = types::HostFields::entries(host, fields)?
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8(value).unwrap()))
        .collect();
    let body = types::HostIncomingResponse::consume(host, borrowed())?.unwrap();
    let stream = types::HostIncomingBody::stream(host, body)?.unwrap();
    let stream = host.table.get_mut(&stream)?;
    let mut bytes = Vec::new();
    while let Ok(more) = stream.read(7) {
        bytes.extend(more);
    }
    Ok(Response {
        status,
        headers,
        body: bytes.into(),
    })
}
