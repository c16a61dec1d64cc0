//! What a test puts in the engine's place, one for each thread. Its clock moves only when the step waits.

use std::{cell::RefCell, collections::BTreeSet, time::Duration};

use super::{Incoming, Outgoing, milliseconds};
use crate::{http::Error, log::Level};

/// What a test answers a request with. The slot is that of the credential.
pub(crate) type Service = Box<dyn FnMut(&Outgoing, Option<&str>) -> Result<Incoming, Error>>;

/// The world of one test.
pub(crate) struct Stage {
    /// Absent while it answers.
    pub(crate) service: Option<Service>,
    pub(crate) slots: BTreeSet<String>,
    pub(crate) now: u64,
    pub(crate) lines: Vec<(Level, String)>,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// The credential of a slot.
#[derive(Debug)]
pub(crate) struct Credential(String);

pub(crate) fn set(stage: Stage) {
    STAGE.with_borrow_mut(|current| *current = Some(stage));
}

pub(crate) fn take() -> Option<Stage> {
    STAGE.with_borrow_mut(Option::take)
}

fn with<T>(act: impl FnOnce(&mut Stage) -> T) -> T {
    STAGE.with_borrow_mut(|stage| {
        act(stage
            .as_mut()
            .expect("a plugin that reaches the engine is tested on a `testing::Stage`"))
    })
}

pub(crate) fn send(request: &Outgoing, credential: Option<&Credential>) -> Result<Incoming, Error> {
    let mut service =
        with(|stage| stage.service.take()).expect("one request is answered at a time");
    let answer = service(request, credential.map(|Credential(slot)| slot.as_str()));
    with(|stage| stage.service = Some(service));
    answer
}

pub(crate) fn open(slot: &str) -> Option<Credential> {
    with(|stage| stage.slots.contains(slot)).then(|| Credential(slot.to_owned()))
}

pub(crate) fn plaintext(Credential(slot): &Credential) -> Result<String, String> {
    Err(format!(
        "the step is not granted to see the secret of `{slot}`"
    ))
}

pub(crate) fn write(level: Level, message: &str) {
    with(|stage| stage.lines.push((level, message.to_owned())));
}

pub(crate) fn report(_: &str, _: Option<f32>) {}

pub(crate) fn sleep(duration: Duration) {
    with(|stage| stage.now = stage.now.saturating_add(milliseconds(duration)));
}

/// Milliseconds since the Unix epoch; 0 where no test has set a stage.
pub(crate) fn now() -> u64 {
    STAGE.with_borrow(|stage| stage.as_ref().map_or(0, |stage| stage.now))
}
