//! The requests of an attempt that were handed over and are not answered yet.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{
    mpsc,
    oneshot::{self, error::TryRecvError},
    watch,
};
use tokio::task::unconstrained;

use super::{super::lifetime::Lifetime, body::Written, draft::Draft, incoming::Given};
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

/// What waits.
#[derive(Default)]
struct Waiting {
    /// How many requests aren't answered yet.
    requests: usize,
    /// Method and URL of the one whose turn it is, while the guest hasn't finished its body.
    unfinished: Option<String>,
}

/// Where a guest's requests wait for their turn. When it is dropped nothing more comes.
pub(crate) struct Outbox {
    jobs: mpsc::UnboundedSender<Job>,
    waiting: Arc<watch::Sender<Waiting>>,
    /// Of how many requests the guest hasn't been told what came of them.
    untold: usize,
    limits: Limits,
}

/// Sees what waits.
pub(crate) struct Watch(watch::Receiver<Waiting>);

/// Who brings them through the gate.
pub(crate) struct Carrier {
    jobs: mpsc::UnboundedReceiver<Job>,
    waiting: Arc<watch::Sender<Waiting>>,
    gate: Arc<Gate>,
    speech: Arc<Speech>,
    memory: Memory,
    lifetime: Lifetime,
}

/// An outbox that is empty, and its carrier.
pub(crate) fn outbox(
    gate: Arc<Gate>,
    speech: Arc<Speech>,
    memory: Memory,
    lifetime: Lifetime,
    limits: Limits,
) -> (Outbox, Carrier) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(watch::Sender::default());
    let outbox = Outbox {
        jobs: sender,
        waiting: Arc::clone(&waiting),
        untold: 0,
        limits,
    };
    let carrier = Carrier {
        jobs: receiver,
        waiting,
        gate,
        speech,
        memory,
        lifetime,
    };
    (outbox, carrier)
}

impl Outbox {
    /// Adds a request. It counts as a handle until it is answered, whatever becomes of its future.
    pub(super) fn put(&mut self, job: Job) -> Result<(), Breach> {
        if self.waiting.borrow().requests >= self.limits.handles {
            return Err(self.limits.breach(Limit::Handles));
        }
        self.waiting.send_modify(|waiting| waiting.requests += 1);
        self.untold += 1;
        // The carrier is gone only when the attempt is.
        let _ = self.jobs.send(job);
        Ok(())
    }

    /// The guest is told what came of a request.
    pub(super) fn tell(&mut self) {
        self.untold -= 1;
    }

    /// Whether the guest was told what came of all that it had handed over.
    pub(crate) fn has_told_all(&self) -> bool {
        self.untold == 0
    }

    /// Waits until all that was handed over so far is answered.
    ///
    /// # Errors
    ///
    /// It will not be, since the guest hasn't finished a body; gives that request's method and URL.
    pub(crate) async fn emptied(&self) -> Result<(), String> {
        let mut watch = self.watch();
        loop {
            if watch.is_busy() {
                watch.changed().await;
                continue;
            }
            let Some(unfinished) = self.waiting.borrow().unfinished.clone() else {
                return Ok(());
            };
            // The carrier may not have seen yet that it is finished.
            tokio::task::yield_now().await;
            if !watch.has_changed() {
                return Err(unfinished);
            }
        }
    }

    /// Sees what waits from now on.
    pub(crate) fn watch(&self) -> Watch {
        Watch(self.waiting.subscribe())
    }
}

impl Watch {
    /// Whether a request is under way, or will be without the guest's doing.
    pub(crate) fn is_busy(&mut self) -> bool {
        let waiting = self.0.borrow_and_update();
        waiting.requests > 0 && waiting.unfinished.is_none()
    }

    /// Whether anything is otherwise than when it was last asked whether it is busy.
    pub(crate) fn has_changed(&self) -> bool {
        // Where nothing can change any more, nothing has.
        self.0.has_changed().unwrap_or(false)
    }

    /// Waits until it is.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The attempt is being ended.
            std::future::pending::<()>().await;
        }
    }
}

impl Carrier {
    /// Brings one request after the other through the gate, in the order in which they were handed
    /// over, until the outbox is dropped and empty. It waits for the body of the first before it
    /// looks at the second: in what order things happen doesn't depend on how long they take.
    ///
    /// # Errors
    ///
    /// The attempt is to be ended: a [`Stop`], or its time is up.
    pub(crate) async fn carry(mut self) -> wasmtime::Result<()> {
        while let Some(job) = self.jobs.recv().await {
            self.deliver(job).await?;
            self.waiting.send_modify(|waiting| waiting.requests -= 1);
            self.lifetime.check()?;
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
        let sent = match self.body(body, &method, &url).await {
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
                // As the gate shows them, so that what it has named isn't named twice.
                let (method, url) = self.gate.shown(&method, &url);
                let said = match error {
                    HttpError::HeldBack => {
                        format!("held back: `{method} {url}`: {}", error.reason())
                    }
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

    /// What became of a body, once it is finished; nothing where it was dropped before. As long as it is neither, that is
    /// known.
    async fn written(
        &self,
        mut body: oneshot::Receiver<Written>,
        method: &str,
        url: &str,
    ) -> Option<Written> {
        match body.try_recv() {
            Ok(written) => return Some(written),
            Err(TryRecvError::Closed) => return None,
            Err(TryRecvError::Empty) => {}
        }
        let (method, url) = self.gate.shown(method, url);
        let unfinished = format!("{method} {url}");
        self.waiting
            .send_modify(|waiting| waiting.unfinished = Some(unfinished));
        // It must be seen at once when it is finished.
        let written = unconstrained(body).await;
        self.waiting
            .send_modify(|waiting| waiting.unfinished = None);
        written.ok()
    }

    /// The body, whole, once it is finished.
    async fn body(
        &self,
        body: Option<oneshot::Receiver<Written>>,
        method: &str,
        url: &str,
    ) -> Result<(Bytes, Option<Hold>), HttpError> {
        let Some(body) = body else {
            return Ok((Bytes::new(), None));
        };
        match self.written(body, method, url).await {
            Some(Written::Whole(bytes, hold)) => Ok((bytes, Some(hold))),
            Some(Written::TooLarge) => Err(self.gate.body_too_large()),
            Some(Written::Trailed) => Err(HttpError::Denied(
                "trailers are not sent: what they say belongs into header fields".to_owned(),
            )),
            None => Err(HttpError::Malformed(
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
