//! What the simulated cloud got, set against what is on record.

use std::collections::{BTreeMap, BTreeSet};

use sandbook_journal::{Outcome, RequestState, RunState, Settled};
use simcloud::{Logged, world};

/// Requests to one place: method, host and path.
pub(crate) type Key = String;

/// What the record knows of the changing requests to one place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recorded {
    /// How many were begun.
    pub(crate) intents: usize,
    /// How many were done for sure: answered with success, or so a person has said.
    pub(crate) done: usize,
    /// How many may have been done: their answer leaves it open, and nobody was asked.
    pub(crate) open: usize,
    /// Sending one of them twice would do harm.
    pub(crate) delicate: bool,
}

/// What the record knows of changing requests, by their places.
pub(crate) fn recorded(states: &[RunState]) -> BTreeMap<Key, Recorded> {
    let mut places: BTreeMap<Key, Recorded> = BTreeMap::new();
    let steps = states.iter().flat_map(RunState::steps);
    for request in steps.flat_map(|step| &step.requests) {
        let place = places.entry(key_of(request)).or_default();
        place.intents += 1;
        place.delicate |= !request.asked.repeatable;
        match (&request.settled, &request.outcome) {
            (Some(Settled::Happened(_)), _) => place.done += 1,
            (Some(_), _) => {}
            (None, Some(Outcome::Answered { status, .. })) if (200..300).contains(status) => {
                place.done += 1;
            }
            (None, Some(Outcome::NotSent { .. })) => {}
            (None, None | Some(Outcome::Unknown { .. })) => place.open += 1,
            (None, Some(outcome)) => place.open += usize::from(outcome.is_ambiguous()),
        }
    }
    places
}

pub(crate) fn key_of(request: &RequestState) -> Key {
    let url = request.asked.url.strip_prefix("https://");
    format!("{} {}", request.asked.method, url.unwrap_or_default())
}

/// The changing requests that arrived at the cloud, but those for tokens, which aren't the steps' own.
pub(crate) fn arrived(requests: &[Logged]) -> BTreeMap<Key, usize> {
    count(requests.iter())
}

/// Those that the service behind it has done.
pub(crate) fn done(requests: &[Logged]) -> BTreeMap<Key, usize> {
    count(requests.iter().filter(|request| is_done(request)))
}

fn count<'a>(requests: impl Iterator<Item = &'a Logged>) -> BTreeMap<Key, usize> {
    let reading: BTreeSet<&str> = ["GET", "HEAD", "OPTIONS"].into();
    let mut places = BTreeMap::new();
    for request in requests {
        if !reading.contains(request.method.as_str()) && request.host != world::LOGIN_HOST {
            let key = format!("{} {}{}", request.method, request.host, request.path);
            *places.entry(key).or_default() += 1;
        }
    }
    places
}

fn is_done(request: &Logged) -> bool {
    match request.fault.as_deref() {
        None => request.status.is_some_and(|status| status < 300),
        Some("drop before") => false,
        Some(fault) if fault.starts_with("answer") => fault.ends_with("after the work"),
        Some(_) => true,
    }
}
