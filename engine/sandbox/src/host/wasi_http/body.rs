//! `outgoing-body`: what a guest writes is collected, up to what a request may carry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::{super::Host, fields::Fields};
use crate::{
    bindings::wasi_http::types::{self, ErrorCode},
    limits::{Hold, Memory},
};

/// How much a guest may write at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A body that is being written.
#[expect(
    unreachable_pub,
    reason = "the generated bindings re-export it as `pub`"
)]
pub struct OutgoingBody {
    collected: Arc<Mutex<Collected>>,
    /// What the request's `content-length` says, where it says something.
    declared: Option<u64>,
    has_stream: bool,
}

/// What became of a body. One that is dropped before it is finished says nothing.
pub(super) enum Written {
    Whole(Bytes, Hold),
    TooLarge,
    /// It was finished with trailers.
    Trailed,
}

struct Collected {
    bytes: Vec<u8>,
    most: usize,
    hold: Hold,
    /// Gone when nothing more is to be said.
    teller: Option<oneshot::Sender<Written>>,
}

impl OutgoingBody {
    /// A body of at most so many bytes, and who hears of its end.
    pub(super) fn new(
        most: usize,
        declared: Option<u64>,
        memory: &Memory,
    ) -> wasmtime::Result<(OutgoingBody, oneshot::Receiver<Written>)> {
        let (teller, listener) = oneshot::channel();
        let collected = Collected {
            bytes: Vec::new(),
            most,
            hold: memory.hold(0)?,
            teller: Some(teller),
        };
        let body = OutgoingBody {
            collected: Arc::new(Mutex::new(collected)),
            declared,
            has_stream: false,
        };
        Ok((body, listener))
    }
}

impl Collected {
    /// Whether anybody still wants more of it.
    fn is_open(&self) -> bool {
        self.teller
            .as_ref()
            .is_some_and(|teller| !teller.is_closed())
    }

    fn write(&mut self, bytes: &[u8]) -> StreamResult<()> {
        if !self.is_open() {
            return Err(StreamError::Closed);
        }
        if bytes.len() > self.most - self.bytes.len() {
            self.bytes = Vec::new();
            drop(self.hold.hand_over());
            self.tell(Written::TooLarge);
            let code = ErrorCode::HttpRequestBodySize(None);
            return Err(StreamError::LastOperationFailed(code.into()));
        }
        self.hold
            .grow(bytes.len())
            .map_err(|breach| StreamError::Trap(breach.into()))?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn tell(&mut self, written: Written) {
        if let Some(teller) = self.teller.take() {
            // Nobody listens where the request was dropped.
            let _ = teller.send(written);
        }
    }
}

impl types::HostOutgoingBody for Host {
    fn write(
        &mut self,
        body: Resource<OutgoingBody>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ()>> {
        let writing = self.table.get_mut(&body)?;
        if std::mem::replace(&mut writing.has_stream, true) {
            return Ok(Err(()));
        }
        let stream: DynOutputStream = Box::new(Stream(Arc::clone(&writing.collected)));
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<OutgoingBody>,
        trailers: Option<Resource<Fields>>,
    ) -> wasmtime::Result<Result<(), ErrorCode>> {
        let body = self.table.delete(body)?;
        let trailers = match trailers {
            Some(trailers) => !self.table.delete(trailers)?.is_empty(),
            None => false,
        };
        let mut collected = lock(&body.collected);
        if collected.teller.is_none() {
            return Ok(Err(ErrorCode::HttpRequestBodySize(None)));
        }
        if trailers {
            collected.tell(Written::Trailed);
            return Ok(Err(ErrorCode::HttpRequestDenied));
        }
        let bytes = Bytes::from(std::mem::take(&mut collected.bytes));
        let length = bytes.len() as u64;
        let hold = collected.hold.hand_over();
        collected.tell(Written::Whole(bytes, hold));
        Ok(
            if body.declared.is_some_and(|declared| declared != length) {
                Err(ErrorCode::HttpRequestBodySize(Some(length)))
            } else {
                Ok(())
            },
        )
    }

    fn drop(&mut self, body: Resource<OutgoingBody>) -> wasmtime::Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

/// The `output-stream` of a body.
struct Stream(Arc<Mutex<Collected>>);

#[wasmtime_wasi::async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        lock(&self.0).write(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if lock(&self.0).is_open() {
            Ok(CHUNK_BYTES)
        } else {
            Err(StreamError::Closed)
        }
    }
}

fn lock(collected: &Mutex<Collected>) -> MutexGuard<'_, Collected> {
    collected.lock().unwrap_or_else(PoisonError::into_inner)
}
