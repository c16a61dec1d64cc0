//! A step's overhead, without journal and process.

use std::time::Instant;

use bench::Floor;
use sandbook_sandbox::{Ended, Packed, Sandbox, Settings};

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Unit};
use crate::pairs::Pairs;
use crate::silent::Silence;
use crate::workshop::{Plugin, Workshop};

const PAIRS: usize = 201;

/// So many calls make one measure, since a single one is shorter than what disturbs it.
const CALLS: u32 = 200;

const SLOTS: u32 = 16;

pub(crate) fn step(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let component = workshop.component(Plugin::Noop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;

    let sandbox = Sandbox::new(&Settings {
        slots: Some(SLOTS),
        ..Settings::default()
    })?;
    let plugin = sandbox.load(&Packed::read(std::fs::read(component)?)?)?;
    let silence = Silence::new();
    let ours = async || match plugin.call(silence.call()).await {
        Ended::Succeeded(_) => Ok(()),
        other => Err(format!("the step did not succeed: {other:?}").into()),
    };

    let floor = Floor::new(
        component,
        &workshop.folder("step")?.join("compiled"),
        Some(SLOTS),
    )?;
    let theirs = async || floor.call("{}").await.map(drop).map_err(Into::into);

    let pairs = Pairs::take(
        PAIRS,
        || runtime.block_on(a_call(&ours)),
        || runtime.block_on(a_call(&theirs)),
    )?;
    Ok(vec![Finding::Ratio(Comparison {
        what: "a step that does nothing, without journal: fresh store, instance, call, drop"
            .to_owned(),
        sides: ["sandbox (Plugin::call)", "floor (bare wasmtime)"],
        unit: Unit::Seconds,
        pairs,
        bound: Bound::AtMost(1.3),
    })])
}

/// Seconds that one of many calls takes.
async fn a_call(call: impl AsyncFn() -> Outcome) -> Outcome<f64> {
    let started = Instant::now();
    for _ in 0..CALLS {
        call().await?;
    }
    Ok(started.elapsed().as_secs_f64() / f64::from(CALLS))
}
