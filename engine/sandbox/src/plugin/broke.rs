//! Tells apart why an attempt ended without an answer.

use wasmtime::{Trap, WasmBacktrace, component::ResourceTableError};
use wasmtime_wasi::I32Exit;

use crate::{
    call::{Breakage, Ended, Level},
    gate::Stop,
    limits::{Breach, Limit, Limits},
    speech::{MESSAGE_BYTES, Speech},
};

/// How wasmtime shows a function whose name isn't known, which tells nobody anything.
const NAMELESS: &str = "!<wasm function ";

/// How many frames of a crash are logged.
const FRAMES: usize = 16;

/// What an error of wasmtime means. One that comes from our own host functions carries its cause. `was_called` says
/// whether the step's function had begun.
pub(super) fn broke(
    error: &wasmtime::Error,
    was_called: bool,
    speech: &Speech,
    limits: &Limits,
) -> Ended {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Ended::Stopped(stop.clone());
    }
    if let Some(breach) = breach(error, limits) {
        return Ended::Broke(breach.into());
    }
    let cause = error.root_cause().to_string();
    let line = |text: &str| speech.line(text.as_bytes(), MESSAGE_BYTES);
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Ended::Broke(Breakage::Trapped(format!("it called `exit({status})`")));
    }
    match error.downcast_ref::<WasmBacktrace>() {
        Some(backtrace) => {
            frames(backtrace)
                .iter()
                .for_each(|frame| speech.log(Level::Debug, frame.as_bytes()));
            Ended::Broke(Breakage::Trapped(line(&cause)))
        }
        // No function of its own was running.
        None if error.is::<Trap>() => Ended::Broke(Breakage::Trapped(line(&cause))),
        // It has returned, and what can't be understood as the contract has it.
        None if was_called => Ended::Broke(Breakage::Contract(line(&cause))),
        None => Ended::Broke(Breakage::Start(line(&cause))),
    }
}

impl From<Breach> for Breakage {
    fn from(breach: Breach) -> Self {
        Breakage::Limit {
            limit: breach.limit,
            value: breach.value,
        }
    }
}

fn breach(error: &wasmtime::Error, limits: &Limits) -> Option<Breach> {
    if let Some(breach) = error.downcast_ref::<Breach>() {
        return Some(breach.clone());
    }
    let limit = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(Trap::StackOverflow), _) => Limit::Stack,
        (_, Some(ResourceTableError::Full)) => Limit::Handles,
        // These two have no type that we could ask for; tests hold us to their words.
        _ => match error.root_cause().to_string() {
            text if text.contains("fuel allocated for hostcalls has been exhausted") => {
                Limit::HostCall
            }
            text if text.contains("instance count too high") => Limit::Instances,
            _ => return None,
        },
    };
    Some(limits.breach(limit))
}

/// Where it crashed, innermost first.
fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    backtrace
        .to_string()
        .lines()
        .skip(1)
        .filter(|frame| !frame.contains(NAMELESS))
        .take(FRAMES)
        .map(str::to_owned)
        .collect()
}
