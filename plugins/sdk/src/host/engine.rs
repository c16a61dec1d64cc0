//! The engine, by the contract's imports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Incoming, Outgoing, milliseconds};
use crate::bindings::sandbook::step::{http, log, progress, reveal, secrets, timer};
use crate::{http::Error, log::Level};

pub(crate) type Credential = secrets::Credential;

pub(crate) fn send(request: &Outgoing, credential: Option<&Credential>) -> Result<Incoming, Error> {
    let request = http::Request {
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request
            .headers
            .iter()
            .cloned()
            .map(|(name, value)| http::Header { name, value })
            .collect(),
        body: request.body.clone(),
        repeatable: request.repeatable,
        timeout: request.timeout.map(milliseconds),
    };
    let response = http::send(&request, credential).map_err(|error| match error {
        http::Error::Denied(why) => Error::Denied(why),
        http::Error::HeldBack => Error::HeldBack,
        http::Error::Unreachable(why) => Error::Unreachable(why),
        http::Error::TimedOut(why) => Error::TimedOut(why),
        http::Error::TooLarge(why) => Error::TooLarge(why),
        http::Error::Malformed(why) => Error::Malformed(why),
    })?;
    Ok(Incoming {
        status: response.status,
        headers: response
            .headers
            .into_iter()
            .map(|header| (header.name, header.value))
            .collect(),
        body: response.body,
    })
}

pub(crate) fn open(slot: &str) -> Option<Credential> {
    // The contract knows one error, which says that there is nothing to open.
    secrets::open(slot).ok()
}

pub(crate) fn plaintext(credential: &Credential) -> Result<String, String> {
    reveal::plaintext(credential).map_err(|reveal::Error::Denied(why)| why)
}

pub(crate) fn write(level: Level, message: &str) {
    let level = match level {
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::write(level, message);
}

pub(crate) fn report(message: &str, fraction: Option<f32>) {
    progress::report(message, fraction);
}

pub(crate) fn sleep(duration: Duration) {
    timer::sleep(milliseconds(duration));
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, milliseconds)
}
