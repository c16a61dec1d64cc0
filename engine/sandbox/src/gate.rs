//! The gate: the one place through which every effect of a component passes.

mod asked;
mod exchange;
mod normalise;
mod outcome;
mod record;
mod request;
mod traffic;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use url::Url;

use crate::{
    credential::Credential,
    limits::{Quota, bytes},
    line::{LOOKED_AT, escape},
    network::{Network, Route},
    redact::Redactor,
    secret::Secret,
};
use exchange::Exchange;
use normalise::{Normal, normalise};
use traffic::Traffic;

pub(crate) use normalise::{folded, is_forbidden};

pub use asked::Asked;
pub use outcome::Outcome;
pub use record::{Before, Durability, Entry, Record, Stop, Writing};
pub use request::{Headers, HttpError, Request, Response};

/// Decides which requests a step may make.
pub trait Policy: Send + Sync {
    /// Whether the step is granted this request. The URL is the normalised one that will be sent.
    ///
    /// # Errors
    ///
    /// It isn't; says what grant is missing.
    fn permits(&self, method: &str, url: &Url) -> Result<(), String>;

    /// Where people raise a limit that the step has reached; nothing, unless said otherwise.
    fn advice(&self, quota: Quota) -> Option<String> {
        let _ = quota;
        None
    }
}

/// Whether requests that could change something are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Live,
    /// They are written down instead.
    DryRun,
}

/// What bounds the requests of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// How many requests an attempt may make, refused ones included. Default 1,000.
    pub requests: u32,
    /// The longest body of a request, in bytes. Default 8 MiB.
    pub request_bytes: usize,
    /// The longest body of an answer, in bytes. Default 8 MiB.
    pub response_bytes: usize,
    /// What all requests and answers of an attempt carry together, header fields included, in bytes. Default 64 MiB.
    pub traffic_bytes: usize,
    /// How long a repeatable request may take, and the most that a guest may ask for. Default 60 s.
    pub timeout: Duration,
    /// How long the host waits for the answer to a request that isn't repeatable, whatever the
    /// guest or the attempt's own time-out say. Default 120 s.
    pub unrepeatable_wait: Duration,
}

impl Default for HttpLimits {
    fn default() -> HttpLimits {
        HttpLimits {
            requests: 1_000,
            request_bytes: 8 << 20,
            response_bytes: 8 << 20,
            traffic_bytes: 64 << 20,
            timeout: Duration::from_secs(60),
            unrepeatable_wait: Duration::from_secs(120),
        }
    }
}

/// Everything that one attempt's gate goes by.
pub struct Passage {
    /// What the step is granted.
    pub policy: Arc<dyn Policy>,
    /// The credentials, by the slot under which the plugin asks for them.
    pub credentials: BTreeMap<String, Arc<Credential>>,
    /// The slots whose secret the plugin may see.
    pub reveal: BTreeSet<String>,
    /// The way out.
    pub network: Arc<Network>,
    /// Steps that share this key share connections. Give steps with different grants or credentials
    /// different ones.
    pub partition: String,
    /// Where entries go.
    pub record: Arc<dyn Record>,
    /// Whether requests that could change something are sent.
    pub mode: Mode,
    /// Bounds.
    pub limits: HttpLimits,
    /// What hides secrets and sensitive values.
    pub redactor: Arc<Redactor>,
}

/// Why the guest's request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The guest is told.
    #[error(transparent)]
    Guest(#[from] HttpError),
    /// The host ends the attempt.
    #[error(transparent)]
    Stop(#[from] Stop),
}

/// Why a slot can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// No credential is bound to it.
    #[error("no credential is bound to the slot `{0}`")]
    Unbound(String),
    /// The step may use it and not see it.
    #[error(
        "the step is not granted to see the secret of the slot `{0}`: it needs `reveal: [{0}]`"
    )]
    NotRevealed(String),
}

/// The gate of one attempt.
pub struct Gate {
    passage: Passage,
    /// Held by the one request that is in the gate.
    turn: Arc<tokio::sync::Mutex<()>>,
    asked: AtomicU32,
    traffic: Traffic,
}

impl Gate {
    /// A gate for one attempt.
    pub fn new(passage: Passage) -> Arc<Gate> {
        Arc::new(Gate {
            traffic: Traffic::new(passage.limits.traffic_bytes),
            passage,
            turn: Arc::default(),
            asked: AtomicU32::new(0),
        })
    }

    /// Brings one request through the gate. A second one waits until the first has left it.
    ///
    /// A request that isn't repeatable goes on when this future is dropped: see [`Gate::settle`].
    ///
    /// # Errors
    ///
    /// [`Refusal::Guest`] is for the guest; [`Refusal::Stop`] ends the attempt.
    pub async fn send(
        self: &Arc<Self>,
        request: Request,
        slot: Option<&str>,
    ) -> Result<Response, Refusal> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let number = self.number()?;
        let (method, url) = (request.method.clone(), request.url.clone());

        let admitted = self
            .carry(
                &request.headers,
                request.body.as_deref().unwrap_or_default(),
            )
            .and_then(|()| normalise(request))
            .and_then(|normal| self.bound(normal))
            .and_then(|normal| self.allow(normal, slot));
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(refused) => {
                let Err(refusal) = self.refuse(number, &method, &url, &refused).await;
                return Err(refusal);
            }
        };
        let asked = admitted.asked(number, &self.passage.redactor);
        if let Some(answer) = self.answered_before(&asked)? {
            return Ok(answer);
        }
        if asked.changing && self.passage.mode == Mode::DryRun {
            return self.hold_back(asked).await;
        }
        let exchange = Exchange::new(Arc::clone(self), admitted, asked, turn);
        exchange.run().await
    }

    /// What bounds its requests.
    pub(crate) fn limits(&self) -> &HttpLimits {
        &self.passage.limits
    }

    /// Turns a request away that couldn't be put together, in its turn: it counts, and is on record.
    pub(crate) async fn turn_away(&self, method: &str, url: &str, why: &HttpError) -> Refusal {
        let _turn = self.turn.lock().await;
        let number = match self.number() {
            Ok(number) => number,
            Err(too_many) => return too_many.into(),
        };
        let Err(refusal) = self.refuse(number, method, url, why).await;
        refusal
    }

    /// Whether a request is in the gate.
    pub fn is_occupied(&self) -> bool {
        self.turn.try_lock().is_err()
    }

    /// Waits until no request is in the gate: the outcome of the one that was is on record then. A
    /// request that comes later waits behind.
    ///
    /// One that isn't repeatable comes through by itself, also when its attempt was cut; any other only
    /// as long as [`Gate::send`] is driven. Call it at the end of every attempt.
    pub async fn settle(&self) {
        drop(self.turn.lock().await);
    }

    /// Whether a credential is bound to this slot.
    ///
    /// # Errors
    ///
    /// None is.
    pub fn open(&self, slot: &str) -> Result<(), SlotError> {
        self.credential(slot).map(|_| ())
    }

    /// The secret of the credential that is bound to this slot, for a step that may see it.
    ///
    /// # Errors
    ///
    /// No credential is bound to it, or the step isn't granted to see its secret.
    pub fn reveal(&self, slot: &str) -> Result<Secret, SlotError> {
        let credential = self.credential(slot)?;
        if !self.passage.reveal.contains(slot) {
            return Err(SlotError::NotRevealed(slot.to_owned()));
        }
        Ok(credential.secret().clone())
    }

    /// What hides secrets and sensitive values, for whatever else leaves the attempt.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.passage.redactor
    }

    fn number(&self) -> Result<u32, HttpError> {
        let number = self.asked.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        let most = self.passage.limits.requests;
        if number > most {
            let most = format!("an attempt may make {most} requests");
            return Err(HttpError::TooMany(self.advised(most, Quota::Requests)));
        }
        Ok(number)
    }

    /// What is said of a limit that was reached, and of how it is raised.
    pub(crate) fn advised(&self, reached: String, quota: Quota) -> String {
        match self.passage.policy.advice(quota) {
            Some(advice) => format!("{reached}; {advice}"),
            None => reached,
        }
    }

    /// Counts what a request or an answer carries, if that isn't too much by now.
    fn carry(&self, headers: &Headers, body: &[u8]) -> Result<(), HttpError> {
        if self.traffic.carry(headers, body) {
            return Ok(());
        }
        let most = bytes(self.passage.limits.traffic_bytes as u64);
        let reached = format!("an attempt's requests and answers may carry {most} together");
        Err(HttpError::TooMany(self.advised(reached, Quota::Traffic)))
    }

    /// Small enough?
    fn bound(&self, normal: Normal) -> Result<Normal, HttpError> {
        let most = self.passage.limits.request_bytes;
        match &normal.body {
            Some(body) if body.len() > most => Err(self.body_too_large()),
            _ => Ok(normal),
        }
    }

    /// What is said of a body that is longer than the limits have it.
    pub(crate) fn body_too_large(&self) -> HttpError {
        let most = bytes(self.passage.limits.request_bytes as u64);
        let larger = format!("the request's body is larger than {most}");
        HttpError::TooLarge(self.advised(larger, Quota::RequestBytes))
    }

    fn credential(&self, slot: &str) -> Result<&Arc<Credential>, SlotError> {
        self.passage
            .credentials
            .get(slot)
            .ok_or_else(|| SlotError::Unbound(slot.to_owned()))
    }

    /// Allowed? By the network's rules, by the step's grants, and with a credential by its origins.
    fn allow(&self, normal: Normal, slot: Option<&str>) -> Result<Admitted, HttpError> {
        let route = self
            .passage
            .network
            .route(&normal.url)
            .map_err(HttpError::Denied)?;
        self.passage
            .policy
            .permits(normal.method.as_str(), &normal.url)
            .map_err(HttpError::Denied)?;
        let credential = match slot {
            None => None,
            Some(slot) => {
                let credential = self
                    .credential(slot)
                    .map_err(|error| HttpError::Denied(error.to_string()))?;
                credential
                    .admits(&normal.url, &route, &normal.headers)
                    .map_err(HttpError::Denied)?;
                Some((slot.to_owned(), Arc::clone(credential)))
            }
        };
        Ok(Admitted {
            normal,
            route,
            credential,
        })
    }

    /// Answered before?
    fn answered_before(&self, asked: &Asked) -> Result<Option<Response>, Stop> {
        match self.passage.record.answered_before(asked)? {
            Before::No => Ok(None),
            Before::Answer(response) => Ok(Some(response)),
            Before::Diverged(recorded) => Err(Stop::Diverged {
                recorded,
                asked: format!("`{} {}`", asked.method, asked.url),
            }),
        }
    }

    async fn hold_back(&self, asked: Asked) -> Result<Response, Refusal> {
        self.passage
            .record
            .write(Entry::HeldBack(asked), Durability::Ride)
            .await?;
        Err(HttpError::HeldBack.into())
    }

    /// A guest's method and URL as they can be shown: redacted, on one line, and cut.
    pub(crate) fn shown(&self, method: &str, url: &str) -> (String, String) {
        let redactor = &self.passage.redactor;
        (shown(redactor, method), shown(redactor, url))
    }

    async fn refuse(
        &self,
        number: u32,
        method: &str,
        url: &str,
        error: &HttpError,
    ) -> Result<Infallible, Refusal> {
        let redactor = &self.passage.redactor;
        let (method, url) = self.shown(method, url);
        let why = redactor.redact_text(error.reason()).into_owned();
        let told = error.about(&method, &url);
        let entry = Entry::Denied {
            number,
            method,
            url,
            why,
        };
        self.passage.record.write(entry, Durability::Ride).await?;
        Err(told.into())
    }
}

/// A request that may be made.
struct Admitted {
    normal: Normal,
    route: Route,
    /// The slot and what is bound to it.
    credential: Option<(String, Arc<Credential>)>,
}

impl Admitted {
    fn asked(&self, number: u32, redactor: &Redactor) -> Asked {
        let (slot, credential) = match &self.credential {
            Some((slot, credential)) => (Some(slot.clone()), Some(credential.name().to_owned())),
            None => (None, None),
        };
        Asked {
            number,
            method: self.normal.method.to_string(),
            url: redactor.redact_text(self.normal.url.as_str()).into_owned(),
            slot,
            credential,
            body: self
                .normal
                .body
                .clone()
                .map(|body| redactor.redact_bytes(body)),
            repeatable: self.normal.repeatable,
            changing: self.normal.changing,
        }
    }
}

/// A guest's text as it can be put on record: redacted, on one line, and cut.
fn shown(redactor: &Redactor, text: &str) -> String {
    const LONGEST: usize = 500;
    let seen = redactor.redact_beginning(text.as_bytes(), LOOKED_AT * LONGEST);
    escape(&String::from_utf8_lossy(&seen), LONGEST)
}

#[cfg(test)]
mod tests;
