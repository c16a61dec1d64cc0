//! The requests of an attempt that were handed over and are not answered yet.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::{body::Written, draft::Draft, incoming::Given};
use crate::{
    bindings::wasi_http::types::ErrorCode,
    call::Level,
    gate::{Gate, HttpError, Refusal, Response, Stop},
    limits::{Breach, Hold, Limit, Limits, Memory},
    speech::Speech,
};

/// A request that was handed over.
pub(super) struct Job {
    pub(super) draft: Draft,
    /// Who hears of its body's end; none where it has none.
    pub(super) body: Option<oneshot::Receiver<Written>>,
    pub(super) teller: oneshot::Sender<Given>,
}

/// Where a guest's requests wait for their turn. When it is dropped nothing more comes.
pub(crate) struct Outbox {
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Arc<watch::Sender<usize>>,
    limits: Limits,
}

/// Who brings them through the gate.
pub(crate) struct Carrier {
    jobs: mpsc::UnboundedReceiver<Job>,
    waiting: Arc<watch::Sender<usize>>,
    gate: Arc<Gate>,
    speech: Arc<Speech>,
    memory: Memory,
}

/// An outbox that is empty, and its carrier.
pub(crate) fn outbox(
    gate: Arc<Gate>,
    speech: Arc<Speech>,
    memory: Memory,
    limits: Limits,
) -> (Outbox, Carrier) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(watch::Sender::new(0));
    let outbox = Outbox {
        jobs: sender,
        waiting: Arc::clone(&waiting),
        limits,
    };
    let carrier = Carrier {
        jobs: receiver,
        waiting,
        gate,
        speech,
        memory,
    };
    (outbox, carrier)
}

impl Outbox {
    /// Adds a request. It counts as a handle until it is answered, whatever becomes of its future.
    pub(super) fn put(&self, job: Job) -> Result<(), Breach> {
        if *self.waiting.borrow() >= self.limits.handles {
            return Err(self.limits.breach(Limit::Handles));
        }
        self.waiting.send_modify(|waiting| *waiting += 1);
        // The carrier is gone only when the attempt is.
        let _ = self.jobs.send(job);
        Ok(())
    }

    /// Waits until all that was handed over so far is answered.
    pub(crate) async fn emptied(&self) {
        let mut waiting = self.waiting.subscribe();
        // It can't be closed: this outbox holds its other end.
        let _ = waiting.wait_for(|waiting| *waiting == 0).await;
    }
}

impl Carrier {
    /// Brings one request after the other through the gate, in the order in which they were handed
    /// over, until the outbox is dropped and empty. It waits for the body of the first before it
    /// looks at the second: in what order things happen doesn't depend on how long they take.
    ///
    /// # Errors
    ///
    /// The attempt is to be ended.
    pub(crate) async fn carry(mut self) -> Result<(), Stop> {
        while let Some(job) = self.jobs.recv().await {
            self.deliver(job).await?;
            self.waiting.send_modify(|waiting| *waiting -= 1);
        }
        Ok(())
    }

    async fn deliver(&self, job: Job) -> Result<(), Stop> {
        let Job {
            draft,
            body,
            teller,
        } = job;
        let (method, url) = draft.line();
        let sent = match self.body(body).await {
            Ok((body, _hold)) => match draft.asking(body) {
                Ok(asking) => {
                    let slot = asking.slot.as_deref();
                    self.gate.send(asking.request, slot).await
                }
                Err(wrong) => Err(self.gate.turn_away(&method, &url, &wrong).await),
            },
            Err(wrong) => Err(self.gate.turn_away(&method, &url, &wrong).await),
        };
        let given = match sent {
            Ok(response) => self.given(&method, response),
            Err(Refusal::Stop(stop)) => return Err(stop),
            Err(Refusal::Guest(error)) => {
                let code = ErrorCode::from(&error);
                let said = match error {
                    HttpError::HeldBack => {
                        format!("held back: `{method} {url}`: {}", error.reason())
                    }
                    // What the gate turned away it calls by its name.
                    other if other.reason().starts_with('`') => other.to_string(),
                    other => other.about(&method, &url).to_string(),
                };
                self.speech
                    .log(Level::Warn, format!("wasi:http: {said}").as_bytes());
                Given::Error(code)
            }
        };
        // Nobody listens where the future was dropped; what was done is on record.
        let _ = teller.send(given);
        Ok(())
    }

    /// The body, whole, once it is finished.
    async fn body(
        &self,
        body: Option<oneshot::Receiver<Written>>,
    ) -> Result<(Bytes, Option<Hold>), HttpError> {
        let Some(body) = body else {
            return Ok((Bytes::new(), None));
        };
        match body.await {
            Ok(Written::Whole(bytes, hold)) => Ok((bytes, Some(hold))),
            Ok(Written::TooLarge) => Err(self.gate.body_too_large()),
            Ok(Written::Trailed) => Err(HttpError::Denied(
                "trailers are not sent: what they say belongs into header fields".to_owned(),
            )),
            Err(_) => Err(HttpError::Malformed(
                "the request's body was not finished".to_owned(),
            )),
        }
    }

    fn given(&self, method: &str, response: Response) -> Given {
        let Response {
            status,
            headers,
            body,
        } = response;
        let length = body.len().to_string();
        let is_shortened = method == "HEAD";
        let fields = headers
            .into_iter()
            .filter(|(name, _)| !is_hop_by_hop(name))
            .map(|(name, value)| {
                // What was redacted has another length than what was sent.
                let value = if name == "content-length" && !is_shortened {
                    length.clone()
                } else {
                    value
                };
                (name, value.into_bytes())
            })
            .collect();
        Given::answer(status, fields, body, &self.memory)
    }
}

/// Fields about a connection that a guest has no part in. The body that it is given is whole.
fn is_hop_by_hop(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name) || name.starts_with("proxy-")
}
