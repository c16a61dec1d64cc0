//! What a guest is given for its request: a future, then an answer whose body is there, whole.

use bytes::Bytes;
use tokio::sync::oneshot;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{
    DynInputStream, DynPollable, InputStream, Pollable, StreamError, StreamResult, subscribe,
};

use super::{super::Host, fields::Fields};
use crate::{
    bindings::wasi_http::types::{self, ErrorCode},
    limits::{Breach, Hold, Memory},
};

/// What came of a request.
pub(super) enum Given {
    Answer(IncomingResponse),
    Error(ErrorCode),
    /// An answer for which there is no room.
    Breach(Breach),
}

/// `future-incoming-response`.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct FutureResponse(State);

enum State {
    /// The request waits for its turn, or is under way.
    Waiting(oneshot::Receiver<Given>),
    /// It is over.
    Ready(Given),
    /// What came of it was asked for.
    Taken,
}

/// `incoming-response`.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct IncomingResponse {
    status: u16,
    fields: Fields,
    body: Option<IncomingBody>,
}

/// `incoming-body`.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct IncomingBody(Option<Content>);

/// `future-trailers`: there are none.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
#[derive(Default)]
pub struct FutureTrailers {
    is_taken: bool,
}

/// The `input-stream` of a body.
struct Content {
    bytes: Bytes,
    _hold: Hold,
}

impl Given {
    /// An answer, where there is room for it.
    pub(super) fn answer(
        status: u16,
        fields: Vec<(String, Vec<u8>)>,
        bytes: Bytes,
        memory: &Memory,
    ) -> Given {
        let answer = || {
            let content = Content {
                _hold: memory.hold(bytes.len())?,
                bytes,
            };
            Ok(IncomingResponse {
                status,
                fields: Fields::received(fields, memory)?,
                body: Some(IncomingBody(Some(content))),
            })
        };
        answer().map_or_else(Given::Breach, Given::Answer)
    }
}

impl FutureResponse {
    pub(super) fn new(listener: oneshot::Receiver<Given>) -> FutureResponse {
        FutureResponse(State::Waiting(listener))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for FutureResponse {
    async fn ready(&mut self) {
        if let State::Waiting(listener) = &mut self.0 {
            match listener.await {
                Ok(given) => self.0 = State::Ready(given),
                // The attempt is being ended.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

/// What `get` of a future gives: nothing yet, nothing any more, or what came of it.
type Got<T> = Option<Result<Result<T, ErrorCode>, ()>>;

impl types::HostFutureIncomingResponse for Host {
    fn subscribe(
        &mut self,
        future: Resource<FutureResponse>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, future)
    }

    fn get(
        &mut self,
        future: Resource<FutureResponse>,
    ) -> wasmtime::Result<Got<Resource<IncomingResponse>>> {
        let FutureResponse(state) = self.table.get_mut(&future)?;
        if let State::Waiting(listener) = state {
            match listener.try_recv() {
                Ok(given) => *state = State::Ready(given),
                Err(_) => return Ok(None),
            }
        }
        let given = std::mem::replace(state, State::Taken);
        self.in_time()?;
        if let (State::Ready(_), Some(outbox)) = (&given, &mut self.outbox) {
            outbox.tell();
        }
        match given {
            State::Ready(Given::Answer(answer)) => Ok(Some(Ok(Ok(self.table.push(answer)?)))),
            State::Ready(Given::Error(code)) => Ok(Some(Ok(Err(code)))),
            State::Ready(Given::Breach(breach)) => Err(breach.into()),
            State::Waiting(_) | State::Taken => Ok(Some(Err(()))),
        }
    }

    fn drop(&mut self, future: Resource<FutureResponse>) -> wasmtime::Result<()> {
        self.table.delete(future)?;
        Ok(())
    }
}

impl types::HostIncomingResponse for Host {
    fn status(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn headers(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Resource<Fields>> {
        let fields = self.table.get(&response)?.fields.copy()?;
        Ok(self.table.push(fields)?)
    }

    fn consume(
        &mut self,
        response: Resource<IncomingResponse>,
    ) -> wasmtime::Result<Result<Resource<IncomingBody>, ()>> {
        match self.table.get_mut(&response)?.body.take() {
            Some(body) => Ok(Ok(self.table.push(body)?)),
            None => Ok(Err(())),
        }
    }

    fn drop(&mut self, response: Resource<IncomingResponse>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl types::HostIncomingBody for Host {
    fn stream(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ()>> {
        let Some(content) = self.table.get_mut(&body)?.0.take() else {
            return Ok(Err(()));
        };
        let stream: DynInputStream = Box::new(content);
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<IncomingBody>,
    ) -> wasmtime::Result<Resource<FutureTrailers>> {
        self.table.delete(body)?;
        Ok(self.table.push(FutureTrailers::default())?)
    }

    fn drop(&mut self, body: Resource<IncomingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Content {
    async fn ready(&mut self) {}
}

impl InputStream for Content {
    fn read(&mut self, most: usize) -> StreamResult<Bytes> {
        if self.bytes.is_empty() {
            return Err(StreamError::Closed);
        }
        Ok(self.bytes.split_to(most.min(self.bytes.len())))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for FutureTrailers {
    async fn ready(&mut self) {}
}

impl types::HostFutureTrailers for Host {
    fn subscribe(
        &mut self,
        trailers: Resource<FutureTrailers>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, trailers)
    }

    fn get(
        &mut self,
        trailers: Resource<FutureTrailers>,
    ) -> wasmtime::Result<Got<Option<Resource<Fields>>>> {
        let trailers = self.table.get_mut(&trailers)?;
        let was_taken = std::mem::replace(&mut trailers.is_taken, true);
        Ok(Some(if was_taken { Err(()) } else { Ok(Ok(None)) }))
    }

    fn drop(&mut self, trailers: Resource<FutureTrailers>) -> wasmtime::Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}
