//! The gate over real HTTP on loopback, with a record that notes what it was told and when.

mod addresses;
mod applied;
mod credentials;
mod doubt;
mod order;
mod service;
mod stand_in;
mod wasi_http;
mod wire;

use std::sync::Mutex;

use bytes::Bytes;

use super::*;
use crate::{
    host::wasi_http::client,
    network::{NetworkRules, Origin},
};
use service::Service;

const ORIGIN: &str = "https://api.example.com";

/// What happened, in its order: entries, and requests as the service saw them.
type Log = Arc<Mutex<Vec<String>>>;

/// A record in memory.
#[derive(Default)]
struct Notes {
    log: Log,
    entries: Mutex<Vec<Entry>>,
    before: Mutex<Option<Result<Before, Stop>>>,
    /// The kind of entry that can't be written.
    broken: Option<&'static str>,
}

impl Record for Notes {
    fn answered_before(&self, _: &Asked) -> Result<Before, Stop> {
        self.before.lock().unwrap().take().unwrap_or(Ok(Before::No))
    }

    fn write(&self, entry: Entry, durability: Durability) -> Writing<'_> {
        let kind = match &entry {
            Entry::Denied { .. } => "denied",
            Entry::HeldBack(_) => "held back",
            Entry::Begun(_) => "begun",
            Entry::Ended { .. } => "ended",
            Entry::Read { .. } => "read",
        };
        Box::pin(async move {
            // A commit takes its time: whatever doesn't wait for it comes too early.
            tokio::task::yield_now().await;
            if self.broken == Some(kind) {
                return Err(Stop::Record("disk full".to_owned()));
            }
            self.log
                .lock()
                .unwrap()
                .push(format!("{kind} {durability:?}").to_lowercase());
            self.entries.lock().unwrap().push(entry);
            Ok(())
        })
    }
}

impl Notes {
    fn outcome(&self) -> Outcome {
        let entries = self.entries.lock().unwrap();
        match entries.last() {
            Some(Entry::Ended { outcome, .. } | Entry::Read { outcome, .. }) => outcome.clone(),
            other => panic!("no outcome: {other:?}"),
        }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

/// Grants everything but paths under `/forbidden`.
struct Most;

impl Policy for Most {
    fn permits(&self, method: &str, url: &Url) -> Result<(), String> {
        if url.path().starts_with("/forbidden") {
            return Err(format!("needs `{method} {url}`"));
        }
        Ok(())
    }

    fn advice(&self, _: Quota) -> Option<String> {
        Some("as advised".to_owned())
    }
}

fn rerouted(service: &Service) -> Arc<Network> {
    let reroute = vec![(
        Origin::parse(ORIGIN).unwrap(),
        Origin::parse(&service.origin()).unwrap(),
    )];
    Arc::new(Network::new(NetworkRules {
        private: Vec::new(),
        reroute,
    }))
}

fn passage(network: Arc<Network>, notes: &Arc<Notes>) -> Passage {
    Passage {
        policy: Arc::new(Most),
        credentials: BTreeMap::new(),
        reveal: BTreeSet::new(),
        network,
        partition: "step".to_owned(),
        record: Arc::<Notes>::clone(notes),
        mode: Mode::Live,
        limits: HttpLimits::default(),
        redactor: Arc::default(),
    }
}

/// A service, a record, and a gate between them.
async fn bench(replies: Vec<service::Reply>) -> (Service, Arc<Notes>, Passage) {
    let log = Log::default();
    let service = Service::start(Arc::clone(&log), replies).await;
    let notes = Arc::new(Notes {
        log,
        ..Notes::default()
    });
    let passage = passage(rerouted(&service), &notes);
    (service, notes, passage)
}

fn request(method: &str, path: &str) -> Request {
    plain(method, &format!("{ORIGIN}{path}"))
}

fn plain(method: &str, url: &str) -> Request {
    Request {
        method: method.to_owned(),
        url: url.to_owned(),
        ..Request::default()
    }
}

fn with_body(request: Request, body: &'static str) -> Request {
    Request {
        body: Some(Bytes::from_static(body.as_bytes())),
        ..request
    }
}

fn with_field(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

/// The ways to a gate.
#[derive(Debug, Clone, Copy)]
enum By {
    Step,
    WasiHttp,
}

impl By {
    const ALL: [By; 2] = [By::Step, By::WasiHttp];

    /// Sends a request this way, and says why there is no answer as a text.
    async fn send(
        self,
        gate: &Arc<Gate>,
        request: Request,
        slot: Option<&str>,
    ) -> Result<Response, String> {
        match self {
            By::Step => {
                let answer = gate.send(request, slot).await;
                answer.map_err(|refusal| format!("{refusal:?}"))
            }
            By::WasiHttp => client::send(gate, request, slot).await,
        }
    }
}

/// Whether a request was denied for this, whichever request it was.
fn is_denied(refusal: &Refusal, why: &str) -> bool {
    matches!(refusal, Refusal::Guest(HttpError::Denied(said)) if said.ends_with(why))
}
