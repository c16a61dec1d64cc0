//! `sandbook plugin test`: a plugin against its cases.

mod find;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use sandbook_executor::{Difference, Trials, Tried};
use sandbook_runbook::{Case, Cases};
use serde_json::{Value, json};

use self::find::{find, suite};
use super::read;
use crate::arguments::PluginTest;
use crate::compiling::compiler;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::{Problem, documents};
use crate::render::{self, TriedCase};
use crate::screen::{Output, Paper, complain};

/// How long nothing is to be seen before it is said why.
const LONG: Duration = Duration::from_millis(400);

pub(super) fn test(
    arguments: &PluginTest,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let mut suites = Vec::new();
    let mut faults = Vec::new();
    for found in find(&arguments.targets, places)? {
        match suite(&found, arguments.plugin.as_deref())? {
            Ok(suite) => suites.push(suite),
            Err(report) => faults.push(report),
        }
    }
    if !faults.is_empty() {
        complain(&documents(&faults, Paper::standard_error()));
        return Ok(Exit::Wrong);
    }
    let wanted = |case: &Case| {
        let text = arguments.case.as_ref();
        text.is_none_or(|text| case.name.contains(text.as_str()))
    };
    let all = || suites.iter().flat_map(|suite| &suite.cases.cases);
    if !all().any(wanted) {
        let names: Vec<String> = all().map(|case| format!("`{}`", case.name)).collect();
        let text = arguments.case.as_deref().unwrap_or_default();
        return Err(Problem::wrong(format!("no case has `{text}` in its name"))
            .help(format!("there are {}", names.join(", "))));
    }
    let state = places.state_of(places.project_if_any()?.as_ref())?;
    let mut ready: BTreeMap<&str, Trials> = BTreeMap::new();
    for suite in &suites {
        if !ready.contains_key(suite.plugin.as_str()) {
            ready.insert(&suite.plugin, make_ready(&suite.plugin, places, &state)?);
        }
    }
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for suite in &suites {
        let trials = &ready[suite.plugin.as_str()];
        let (places, cases): (Vec<usize>, Vec<&Case>) = suite
            .cases
            .cases
            .iter()
            .enumerate()
            .filter(|(_, case)| wanted(case))
            .unzip();
        let tried = trials.run(&cases)?;
        let shown: Vec<TriedCase<'_>> = places
            .iter()
            .zip(cases)
            .zip(&tried)
            .map(|((&index, case), tried)| TriedCase {
                source: &suite.source,
                index,
                case,
                tried,
            })
            .collect();
        passed += tried.iter().filter(|tried| tried.passed()).count();
        failed += tried.iter().filter(|tried| !tried.passed()).count();
        if arguments.output.is_json() {
            shown
                .iter()
                .for_each(|tried| output.line(&line(tried).to_string()));
        } else if !shown.is_empty() {
            output.text(&render::tried(trials.manifest(), &shown, output.paper));
        }
    }
    if arguments.output.is_json() {
        let sum = json!({ "cases": passed + failed, "passed": passed, "failed": failed });
        output.line(&sum.to_string());
    } else {
        output.text(&render::sum(passed, failed, output.paper));
    }
    Ok(match failed {
        0 => Exit::Succeeded,
        _ => Exit::Failed,
    })
}

/// A case for programs.
fn line(shown: &TriedCase<'_>) -> Value {
    let TriedCase {
        source,
        index,
        case,
        tried,
    } = shown;
    let Tried {
        differences,
        said,
        took,
    } = tried;
    let difference = |difference: &Difference| {
        let at = difference.exchange;
        json!({
            "message": difference.message,
            "exchange": at.map(|at| at + 1),
            "line": at.and_then(|at| Cases::line(source, *index, Some(at))),
            "diff": difference.diff,
        })
    };
    json!({
        "file": source.name,
        "line": Cases::line(source, *index, None),
        "case": case.name,
        "passed": tried.passed(),
        "differences": differences.iter().map(difference).collect::<Vec<_>>(),
        "said": said,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Makes a plugin ready, and says why that takes long where it does.
fn make_ready(plugin: &str, places: &Places, state: &Path) -> Result<Trials, Problem> {
    let plugin = read(plugin, places)?;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let is_late = is_done.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout);
            if is_late && Paper::standard_error().is_terminal() {
                complain("Compiling the plugin. That is done once.");
            }
        });
        let trials = Trials::new(plugin, state, compiler());
        drop(done);
        Ok(trials?)
    })
}
