use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::request::Request;
use crate::stamp::rfc3339;

/// A request that arrived, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Logged {
    /// Counts from 1.
    pub number: u64,
    /// RFC 3339, UTC.
    pub time: String,
    /// The method.
    pub method: String,
    /// The `Host` header, in lower case.
    pub host: String,
    /// Path and query, as sent.
    pub path: String,
    /// Name and value, in the order of their names.
    pub headers: Vec<(String, String)>,
    /// The body; what isn't UTF-8 is replaced.
    pub body: String,
    /// The answer's status; none if there was no answer.
    pub status: Option<u16>,
    /// Whether something in the world is different for it.
    pub changed: bool,
    /// The fault that was injected, if one was.
    pub fault: Option<String>,
}

impl Logged {
    /// The header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The latest requests, without those to the switchboard.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: VecDeque<Logged>,
    count: u64,
}

/// How a request ended.
pub(crate) struct End {
    pub(crate) status: Option<u16>,
    pub(crate) changed: bool,
    pub(crate) fault: Option<String>,
}

impl Log {
    const KEPT: usize = 10_000;

    pub(crate) fn add(&mut self, request: &Request, end: End, now: Timestamp) {
        let mut headers: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        headers.sort();
        self.count += 1;
        if self.entries.len() == Log::KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Logged {
            number: self.count,
            time: rfc3339(now),
            method: request.method.clone(),
            host: request.host.clone(),
            path: request.target(),
            headers,
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: end.status,
            changed: end.changed,
            fault: end.fault,
        });
    }

    /// In the order of their arrival.
    pub(crate) fn entries(&self) -> Vec<Logged> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn latest(&self, count: usize) -> impl Iterator<Item = &Logged> {
        self.entries.iter().rev().take(count)
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            requests: self.count,
            ..Counts::default()
        };
        for entry in &self.entries {
            counts.changes += u64::from(entry.changed);
            counts.faults += u64::from(entry.fault.is_some());
            *counts
                .by_origin
                .entry(format!("{} {}", entry.method, entry.host))
                .or_default() += 1;
        }
        counts
    }
}

/// How many requests there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All.
    pub requests: u64,
    /// Those that changed something.
    pub changes: u64,
    /// Those that met a fault.
    pub faults: u64,
    /// By method and host: `POST api.statuspage.io`.
    pub by_origin: BTreeMap<String, u64>,
}
