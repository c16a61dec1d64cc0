//! Connections. HTTP/1.1 by hyper and not by a framework, since a fault may close a connection without an answer, or in the
//! middle of one.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, http};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};

use crate::answer::{Answer, Manner};
use crate::request::Request;
use crate::switchboard::Switchboard;

/// The switchboard, as connections and tests share it.
pub(crate) type Shared = Arc<Mutex<Switchboard>>;

/// Serves connections until the other end of `stop` is gone; then closes them all.
pub(crate) async fn serve(listener: TcpListener, board: Shared, stop: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return,
            // A connection that couldn't be accepted is its client's trouble.
            Ok((stream, _)) = listener.accept() => { connections.spawn(converse(stream, Arc::clone(&board))); }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Whether a lock was poisoned doesn't matter: no request leaves the world half changed but by a bug, whose panic is told.
pub(crate) fn lock(board: &Shared) -> std::sync::MutexGuard<'_, Switchboard> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(stream: TcpStream, board: Shared) {
    let service = service_fn(|request| respond(request, &board));
    // Without Nagle's algorithm half a body leaves at once. An error is a client that went away, or a fault's own doing.
    let _ = stream.set_nodelay(true);
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: http::Request<Incoming>,
    board: &Shared,
) -> io::Result<Response<Outgoing>> {
    let (head, body) = request.into_parts();
    let body = collect(body).await?;
    let answer = lock(board).exchange(&Request::new(&head, body), Timestamp::now());
    if !answer.delay.is_zero() {
        sleep(answer.delay).await;
    }
    write(answer)
}

async fn collect(mut body: Incoming) -> io::Result<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(frame) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}

/// The response; an error closes the connection without one.
fn write(answer: Answer) -> io::Result<Response<Outgoing>> {
    let length = answer.body.len();
    let (first, second) = (
        answer.body.slice(..length / 2),
        answer.body.slice(length / 2..),
    );
    // A body that is cut must have been announced, even where there is none.
    let (parts, announced) = match answer.manner {
        Manner::Dropped => return Err(closed()),
        Manner::Whole => (vec![Part::Data(answer.body)], Some(length)),
        Manner::Chunked => (vec![Part::Data(answer.body)], None),
        Manner::Paused(pause) => (
            vec![Part::Data(first), Part::pause(pause), Part::Data(second)],
            Some(length),
        ),
        // The pause lets what was written leave before the connection is closed.
        Manner::Cut => (
            vec![
                Part::Data(first),
                Part::pause(Duration::from_millis(5)),
                Part::Close,
            ],
            Some(length.max(2)),
        ),
    };
    let mut response = Response::new(Outgoing(parts.into()));
    *response.status_mut() = answer.status;
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    if let Some(length) = announced {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(response)
}

fn closed() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}

/// A body in parts.
struct Outgoing(VecDeque<Part>);

enum Part {
    Data(Bytes),
    Pause(Pin<Box<Sleep>>),
    Close,
}

impl Part {
    fn pause(lapse: Duration) -> Part {
        Part::Pause(Box::pin(sleep(lapse)))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            if let Some(Part::Pause(pause)) = self.0.front_mut() {
                if pause.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.0.pop_front();
                continue;
            }
            return Poll::Ready(match self.0.pop_front() {
                Some(Part::Data(data)) if !data.has_remaining() => continue,
                Some(Part::Data(data)) => Some(Ok(Frame::data(data))),
                Some(Part::Close) => Some(Err(closed())),
                Some(Part::Pause(_)) => continue,
                None => None,
            });
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .iter()
            .all(|part| matches!(part, Part::Data(data) if !data.has_remaining()))
    }
}
