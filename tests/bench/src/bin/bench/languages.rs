//! What a step costs that is written in each of the languages: one that does nothing, as `plugin new` makes it.

use std::path::Path;
use std::time::{Duration, Instant};

use bench::Floor;
use sandbook_sandbox::{Cache, Ended, Packed, Plugin, Sandbox, Settings};

use crate::Outcome;
use crate::finding::{Bound, Comparison, Finding, Row, Unit};
use crate::pairs::Pairs;
use crate::silent::Silence;
use crate::workshop::Workshop;

const LANGUAGES: [(&str, &str); 5] = [
    ("rust", "Rust"),
    ("typescript", "TypeScript"),
    ("python", "Python"),
    ("go", "Go"),
    ("c", "C"),
];

const PAIRS: usize = 31;

/// What a measure of calls takes at the least: as many make one as that.
const MEASURE: Duration = Duration::from_millis(20);

/// How often code that is in the cache is made ready, of which the median counts.
const STARTS: usize = 5;

const SLOTS: u32 = 16;

pub(crate) fn languages(workshop: &Workshop) -> Outcome<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut rows = Vec::new();
    for (language, title) in LANGUAGES {
        let Some(idle) = workshop.idle(language) else {
            let why = format!("`{language}` was left out: its toolchain could not be had");
            findings.push(Finding::Skipped { why });
            continue;
        };
        let measured = Measured::of(workshop, language, &idle.component)?;
        rows.push(measured.row(title, idle.built));
        findings.push(Finding::Ratio(Comparison {
            what: format!("a step in {title} that does nothing, without journal, its code warm"),
            sides: ["sandbox (Plugin::call)", "floor (bare wasmtime)"],
            unit: Unit::Seconds,
            pairs: measured.calls,
            bound: Bound::AtMost(1.5),
        }));
    }
    findings.push(Finding::Table {
        what: "by language: what the engine is given, and what it makes of it",
        head: ["", "size", "build.sh", "compile", "start-up", "call"],
        rows,
    });
    Ok(findings)
}

/// What was measured of one component.
struct Measured {
    bytes: usize,
    /// From the component to code, once on each machine.
    compile: Duration,
    /// From code in the cache to the end of the first call.
    start: Duration,
    calls: Pairs,
}

impl Measured {
    fn of(workshop: &Workshop, language: &str, component: &Path) -> Outcome<Measured> {
        let folder = workshop.folder(&format!("languages-{language}"))?;
        let packed = Packed::read(std::fs::read(component)?)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let cache = Cache::open(folder.join("cache"), [0; 32])?;
        let ready = || -> Outcome<Plugin> {
            let sandbox = Sandbox::new(&Settings {
                slots: Some(SLOTS),
                cache: Some(cache.clone()),
                ..Settings::default()
            })?;
            Ok(sandbox.load(&packed)?)
        };
        let silence = Silence::new();
        let call = async |plugin: &Plugin| -> Outcome {
            match plugin.call(silence.call()).await {
                Ended::Succeeded(_) => Ok(()),
                other => Err(format!("the step did not succeed: {other:?}").into()),
            }
        };

        let begun = Instant::now();
        let plugin = ready()?;
        let compile = begun.elapsed();

        let mut starts = Vec::new();
        for _ in 0..STARTS {
            let begun = Instant::now();
            runtime.block_on(call(&ready()?))?;
            starts.push(begun.elapsed());
        }
        starts.sort();

        let floor = Floor::new(component, &folder.join("compiled"), Some(SLOTS))?;
        let begun = Instant::now();
        runtime.block_on(call(&plugin))?;
        let calls = calls_in(begun.elapsed());
        let ours = async || -> Outcome<f64> {
            let begun = Instant::now();
            for _ in 0..calls {
                call(&plugin).await?;
            }
            Ok(begun.elapsed().as_secs_f64() / f64::from(calls))
        };
        let theirs = async || -> Outcome<f64> {
            let begun = Instant::now();
            for _ in 0..calls {
                floor.call("{}").await?;
            }
            Ok(begun.elapsed().as_secs_f64() / f64::from(calls))
        };
        Ok(Measured {
            bytes: packed.bytes().len(),
            compile,
            start: starts[STARTS / 2],
            calls: Pairs::take(
                PAIRS,
                || runtime.block_on(ours()),
                || runtime.block_on(theirs()),
            )?,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a size of some megabytes")]
    fn row(&self, title: &str, built: Option<f64>) -> Row {
        let seconds = |amount: f64| Unit::Seconds.show(amount);
        Row {
            name: title.to_owned(),
            cells: vec![
                Unit::Bytes.show(self.bytes as f64),
                built.map_or_else(|| "?".to_owned(), seconds),
                seconds(self.compile.as_secs_f64()),
                seconds(self.start.as_secs_f64()),
                seconds(self.calls.medians().0),
            ],
        }
    }
}

/// How many calls make one measure, of which one takes so long.
fn calls_in(one: Duration) -> u32 {
    let calls = MEASURE.as_nanos() / one.as_nanos().max(1);
    u32::try_from(calls).unwrap_or(u32::MAX).clamp(1, 200)
}
