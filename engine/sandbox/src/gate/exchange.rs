//! From the intent on record to the outcome on record.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, header};
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::{
    Admitted, Asked, Durability, Entry, Gate, Headers, HttpError, Outcome, Refusal, Response, Stop,
};
use crate::{
    credential::{Credential, Outgoing},
    failpoint::failpoint,
    limits::Quota,
    network::{Dispatch, Exchanged, Failure, Lane, Patience},
    redact::Redactor,
};

/// A request that will be sent, and the turn that it holds in its gate.
pub(super) struct Exchange {
    gate: Arc<Gate>,
    admitted: Admitted,
    asked: Asked,
    /// How long the guest waits for a request that goes on without it.
    patience: Option<Arc<Patience>>,
    _turn: OwnedMutexGuard<()>,
}

/// Whoever waits for a request that goes on without them; nobody, where it doesn't.
type Attempt<'a> = Option<&'a mut oneshot::Sender<Result<Response, Refusal>>>;

/// What came of sending: what goes on record, and what the guest is told.
struct Sent {
    outcome: Outcome,
    answer: Result<Response, HttpError>,
}

impl Exchange {
    pub(super) fn new(
        gate: Arc<Gate>,
        admitted: Admitted,
        asked: Asked,
        turn: OwnedMutexGuard<()>,
    ) -> Exchange {
        Exchange {
            gate,
            admitted,
            asked,
            patience: None,
            _turn: turn,
        }
    }

    pub(super) async fn run(self) -> Result<Response, Refusal> {
        match (self.asked.changing, self.asked.repeatable) {
            (false, _) => self.read().await,
            (true, true) => self.change(None).await,
            (true, false) => self.change_apart().await,
        }
    }

    /// A reading request: sent, then noted.
    async fn read(self) -> Result<Response, Refusal> {
        let started = Instant::now();
        let Sent { outcome, answer } = self.send(None).await;
        let entry = Entry::Read {
            asked: self.asked.clone(),
            outcome,
            took: started.elapsed(),
        };
        self.write(entry, Durability::Ride).await?;
        self.gate.passage.network.recorded().await;
        Ok(answer?)
    }

    /// A changing request: no record, no effect. Its outcome has to be on disk before the guest sees
    /// it only where the request can't be sent again.
    async fn change(self, attempt: Attempt<'_>) -> Result<Response, Refusal> {
        let started = Instant::now();
        self.write(Entry::Begun(self.asked.clone()), Durability::Commit)
            .await?;
        let Sent { outcome, answer } = self.send(attempt).await;
        let durability = if self.asked.repeatable {
            Durability::Ride
        } else {
            Durability::Commit
        };
        let entry = Entry::Ended {
            number: self.asked.number,
            outcome,
            took: started.elapsed(),
        };
        failpoint("gate/answered");
        self.write(entry, durability).await?;
        failpoint("gate/told");
        self.gate.passage.network.recorded().await;
        Ok(answer?)
    }

    /// A changing request in a task of its own, so that its outcome is learnt and written down even
    /// when nobody waits for it any more.
    async fn change_apart(mut self) -> Result<Response, Refusal> {
        let timeout = self.admitted.normal.timeout;
        let patience = timeout.map(|timeout| Arc::new(Patience::new(timeout)));
        self.patience = patience.clone();
        let (mut teller, listener) = oneshot::channel();
        let task = async move {
            let result = self.change(Some(&mut teller)).await;
            // Nobody listens when the attempt was cut; the record has it.
            let _ = teller.send(result);
        };
        tokio::spawn(task);
        let heard = match patience {
            None => listener.await,
            Some(patience) => match tokio::time::timeout(patience.most, listener).await {
                Ok(heard) if !patience.is_over() => heard,
                _ => {
                    let most = patience.most;
                    return Err(
                        HttpError::TimedOut(format!("no complete answer within {most:?}")).into(),
                    );
                }
            },
        };
        heard.unwrap_or_else(|_| {
            Err(Stop::Engine("the task of a request was lost".to_owned()).into())
        })
    }

    async fn write(&self, entry: Entry, durability: Durability) -> Result<(), Stop> {
        self.gate.passage.record.write(entry, durability).await
    }

    /// Resolve and pin, apply the credential, send, bound, redact. What isn't on its way yet when the attempt ends is not
    /// sent: a token may have taken its time.
    async fn send(&self, mut attempt: Attempt<'_>) -> Sent {
        let passage = &self.gate.passage;
        let normal = &self.admitted.normal;
        let credential = self
            .admitted
            .credential
            .as_ref()
            .map(|(_, credential)| credential);
        let mut outgoing = Outgoing::new(
            &normal.method,
            self.admitted.route.clone(),
            normal.headers.clone(),
            normal.body.as_ref(),
        );
        if let Some(credential) = credential {
            let applied = tokio::select! {
                biased;
                () = ended(&mut attempt) => return Sent::too_late(),
                applied = credential.apply(&mut outgoing, &passage.network) => applied,
            };
            if let Err(error) = applied {
                let why = error.to_string();
                let why = passage.redactor.redact_text(&why).into_owned();
                return Sent::not_sent(HttpError::Unreachable(why));
            }
        }
        if attempt.is_some_and(|attempt| attempt.is_closed()) {
            return Sent::too_late();
        }
        let (lane, timeout) = if self.asked.repeatable {
            let most = passage.limits.timeout;
            (
                Lane::Shared(&passage.partition),
                normal.timeout.map_or(most, |wanted| wanted.min(most)),
            )
        } else {
            (Lane::Fresh, passage.limits.unrepeatable_wait)
        };
        let (room, quota) = self.room();
        failpoint("gate/connect");
        let exchanged = passage
            .network
            .exchange(Dispatch {
                lane,
                headers: std::mem::take(&mut outgoing.headers),
                route: &outgoing.route,
                method: normal.method.clone(),
                body: normal.body.clone(),
                timeout,
                patience: self.patience.as_deref(),
                response_bytes: room,
            })
            .await;
        match exchanged {
            Exchanged::NotSent(failure) => Sent::not_sent(self.told(failure, quota)),
            Exchanged::Unknown(failure) => Sent::unknown(self.told(failure, quota)),
            Exchanged::Answered {
                status,
                headers,
                body,
            } => {
                if let Some(credential) = credential {
                    credential.answered(status).await;
                }
                let body = body
                    .and_then(|body| readable(credential, &headers, body))
                    .map_err(|failure| self.told(failure, quota));
                let sent = Sent::answered(status, &headers, body, &passage.redactor);
                self.count(&sent.outcome);
                sent
            }
        }
    }

    /// How long the answer's body may be, and which limit says so.
    fn room(&self) -> (usize, Quota) {
        let most = self.gate.passage.limits.response_bytes;
        match self.gate.traffic.left() {
            left if left < most => (left, Quota::Traffic),
            _ => (most, Quota::ResponseBytes),
        }
    }

    /// Counts what came back. Where that is more than what was left, the next request is refused.
    fn count(&self, outcome: &Outcome) {
        if let Outcome::Answered { headers, body, .. } = outcome {
            let body = body.as_deref().unwrap_or_default();
            let _ = self.gate.carry(headers, body);
        }
    }

    /// A failure as the guest is told of it; `quota` bounds the answer.
    fn told(&self, failure: Failure, quota: Quota) -> HttpError {
        let clean = |text: String| {
            let redactor = &self.gate.passage.redactor;
            redactor.redact_text(&text).into_owned()
        };
        match failure {
            Failure::Refused(why) => HttpError::Denied(clean(why)),
            Failure::Unresolved(why) => HttpError::Unresolved(clean(why)),
            Failure::Unconnected(why) => HttpError::Unconnected(clean(why)),
            Failure::Broken(why) => HttpError::Unreachable(clean(why)),
            Failure::TimedOut(why) => HttpError::TimedOut(clean(why)),
            Failure::TooLarge(why) => {
                HttpError::AnswerTooLarge(self.gate.advised(clean(why), quota))
            }
            Failure::Malformed(why) => HttpError::Malformed(clean(why)),
        }
    }
}

/// Waits for the end of the attempt.
async fn ended(attempt: &mut Attempt<'_>) {
    match attempt {
        Some(attempt) => attempt.closed().await,
        None => std::future::pending().await,
    }
}

impl Sent {
    fn too_late() -> Sent {
        Sent::not_sent(HttpError::Unreachable(
            "the attempt ended before the request was sent".to_owned(),
        ))
    }

    fn not_sent(error: HttpError) -> Sent {
        Sent {
            outcome: Outcome::NotSent {
                why: error.reason().to_owned(),
            },
            answer: Err(error),
        }
    }

    fn unknown(error: HttpError) -> Sent {
        Sent {
            outcome: Outcome::Unknown {
                why: error.reason().to_owned(),
            },
            answer: Err(error),
        }
    }

    fn answered(
        status: u16,
        headers: &HeaderMap,
        body: Result<Bytes, HttpError>,
        redactor: &Redactor,
    ) -> Sent {
        let headers: Headers = headers
            .iter()
            .map(|(name, value)| field(name, value, redactor))
            .collect();
        let body = body.map(|body| redactor.redact_bytes(body));
        let outcome = Outcome::Answered {
            status,
            headers: headers.clone(),
            body: body.as_ref().ok().cloned(),
        };
        Sent {
            outcome,
            answer: body.map(|body| Response {
                status,
                headers,
                body,
            }),
        }
    }
}

fn field(
    name: &header::HeaderName,
    value: &header::HeaderValue,
    redactor: &Redactor,
) -> (String, String) {
    let value = redactor.redact(value.as_bytes());
    (
        redactor.redact_text(name.as_str()).into_owned(),
        String::from_utf8_lossy(&value).into_owned(),
    )
}

/// Redaction sees through no encoding, so an answer to a request with a credential must have none.
fn readable(
    credential: Option<&Arc<Credential>>,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Bytes, Failure> {
    let plain = |name, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .all(|value| value.as_bytes().eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if credential.is_none()
        || (plain(header::CONTENT_ENCODING, "identity")
            && plain(header::TRANSFER_ENCODING, "chunked"))
    {
        return Ok(body);
    }
    Err(Failure::Malformed(
        "the answer is encoded, though no encoding was asked for".to_owned(),
    ))
}
