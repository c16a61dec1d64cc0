//! Takes a run from its start to its end, whatever is done to it on the way.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sandbook_journal::{RunState, RunStatus, StepState};
use serde_json::{Value, json};

use crate::course::Course;
use crate::disturbance::{Blow, Disturbance};
use crate::ledger::{Key, done};
use crate::person;
use crate::stage::{Compiled, Stage};

/// How many processes a run may take to its end.
const MOST: usize = 40;

/// How long one process may take.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of a run.
#[derive(Debug)]
pub struct Report {
    /// The processes that were started for it.
    pub processes: Vec<Invocation>,
    /// How many doubts were decided.
    pub doubts: usize,
    /// How many decisions were made.
    pub decisions: usize,
    /// How it ended.
    pub end: End,
    /// What doesn't hold.
    pub violations: Vec<String>,
}

/// One process of a run.
#[derive(Debug)]
pub struct Invocation {
    /// What it was told.
    pub arguments: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub status: ExitStatus,
    /// The events that it has put on record, and what each is about.
    pub events: Vec<(String, Option<String>)>,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct End {
    /// Its status.
    pub status: String,
    /// How its steps stand, and what they have put out.
    pub steps: BTreeMap<String, String>,
    /// What the cloud has done of what it was asked to change.
    pub done: BTreeMap<String, usize>,
    /// What the cloud's world is like, where it has one.
    pub world: Value,
}

/// What is to be done next.
enum Next {
    Call(Vec<String>),
    Over,
}

/// A run on its way.
pub(crate) struct Driver<'a> {
    pub(crate) stage: Stage,
    disturbance: &'a Disturbance,
    report: Report,
    /// How many events were on record before the last process.
    seen: usize,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(
        course: Course,
        compiled: &Compiled,
        disturbance: &'a Disturbance,
    ) -> Driver<'a> {
        let stage = Stage::new(course, compiled);
        for fault in &disturbance.faults {
            stage.cloud.fail(fault.clone());
        }
        Driver {
            stage,
            disturbance,
            report: Report {
                processes: Vec::new(),
                doubts: 0,
                decisions: 0,
                end: End::default(),
                violations: Vec::new(),
            },
            seen: 0,
        }
    }

    /// Takes the run to its end. What is wrong with its way there is in the report already.
    pub(crate) fn drive(mut self) -> (Stage, Report) {
        loop {
            let next = match self.next() {
                Ok(Next::Call(arguments)) => arguments,
                Ok(Next::Over) => break,
                Err(violation) => {
                    self.report.violations.push(violation);
                    break;
                }
            };
            if self.report.processes.len() == MOST {
                let violation = format!("it is not over after {MOST} processes");
                self.report.violations.push(violation);
                break;
            }
            self.call(next);
        }
        self.report.end = self.end();
        (self.stage, self.report)
    }

    /// What the run's owner would do next, given what is on record.
    fn next(&mut self) -> Result<Next, String> {
        let words = |words: &[&str]| {
            let words = words.iter().map(|&word| word.to_owned());
            Ok(Next::Call(words.collect()))
        };
        let Some((status, state)) = self.state()? else {
            return words(self.stage.course.start());
        };
        match status {
            RunStatus::Running | RunStatus::Interrupted => words(&["resume", "@last"]),
            RunStatus::Waiting => {
                let arguments = person::answer(&self.stage, &state)?;
                let doubt = state.questions().next().map(|(_, it)| person::is_doubt(it));
                self.report.doubts += usize::from(doubt == Some(true));
                self.report.decisions += usize::from(arguments[0] == "decide");
                Ok(Next::Call(arguments))
            }
            _ if self.stage.course == Course::Undone && !state.is_undoing() => {
                words(&["undo", "@last", "--yes", "--reason", "it was wrong"])
            }
            _ => Ok(Next::Over),
        }
    }

    /// How the run stands; nothing while there is none.
    fn state(&self) -> Result<Option<(RunStatus, RunState)>, String> {
        let reader = self.stage.reader();
        let unreadable = |error: sandbook_journal::ReadError| format!("the record: {error}");
        let runs = reader.runs(None).map_err(unreadable)?;
        match runs.as_slice() {
            [] => Ok(None),
            [run] => {
                let state = reader.state(run.id).map_err(unreadable)?;
                let status = reader.status(run.id, &state).map_err(unreadable)?;
                Ok(Some((status, state)))
            }
            several => Err(format!("{} runs are on record", several.len())),
        }
    }

    fn call(&mut self, arguments: Vec<String>) {
        let blow = self.disturbance.on(self.report.processes.len());
        let mut command = self.stage.command(&arguments);
        if let Some(failpoints) = blow.and_then(Blow::failpoints) {
            command.env("FAILPOINTS", failpoints);
        }
        let deadline = match blow {
            Some(Blow::Kill { after }) => *after,
            _ => LONGEST,
        };
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            let left = deadline.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let _ = kill_process(Pid::from_child(&child), Signal::KILL);
                break child.wait().unwrap();
            }
            std::thread::sleep(left.min(Duration::from_millis(1)));
        };
        let took = begun.elapsed();
        let events = self.news();
        self.look_at_exit(&arguments, status, blow);
        self.report.processes.push(Invocation {
            arguments,
            took,
            status,
            events,
        });
    }

    /// A process ends as it says that it does, or as it was made to.
    fn look_at_exit(&mut self, arguments: &[String], status: ExitStatus, blow: Option<&Blow>) {
        let fits = match status.signal() {
            Some(signal) => match blow {
                Some(Blow::Abort { .. }) => signal == Signal::ABORT.as_raw(),
                Some(Blow::Kill { .. }) => signal == Signal::KILL.as_raw(),
                None => false,
            },
            // No token, no run: then nothing was done.
            None if self.stage.course == Course::Flagship
                && !self.disturbance.faults.is_empty() =>
            {
                matches!(status.code(), Some(0..=3))
            }
            None => matches!(status.code(), Some(0 | 1 | 3)),
        };
        if !fits {
            let said = self.stage.said();
            let violation = format!("`{}` ended with {status}:\n{said}", arguments.join(" "));
            self.report.violations.push(violation);
        }
    }

    /// The events that have come on record.
    fn news(&mut self) -> Vec<(String, Option<String>)> {
        let reader = self.stage.reader();
        let runs = reader.runs(None).unwrap_or_default();
        let [run] = runs.as_slice() else {
            return Vec::new();
        };
        let Ok(events) = reader.events(run.id, self.seen as u64) else {
            return Vec::new();
        };
        self.seen += events.len();
        let about = |body: &str| {
            let event: Value = serde_json::from_str(body).unwrap();
            let text = |name: &str| event[name].as_str().map(str::to_owned);
            (text("kind").unwrap_or_default(), text("step"))
        };
        events.iter().map(|stored| about(&stored.body)).collect()
    }

    fn end(&self) -> End {
        let requests = self.stage.cloud.requests();
        let done: BTreeMap<Key, usize> = done(&requests);
        let world = match self.stage.course {
            Course::Flagship => world(&self.stage.cloud.state()),
            _ => Value::Null,
        };
        let Ok(Some((status, state))) = self.state() else {
            return End::default();
        };
        let step = |step: &StepState| {
            let stands = match self.stage.course {
                // What it puts out has times in it.
                Course::Flagship => step.status.as_str().to_owned(),
                _ => format!("{} {:?}", step.status.as_str(), step.outputs),
            };
            (step.id.to_string(), stands)
        };
        End {
            status: format!("{status:?}"),
            steps: state.steps().map(step).collect(),
            done,
            world,
        }
    }
}

/// What of the flagship's world has to be the same each time: not its times.
fn world(state: &Value) -> Value {
    let of = |list: &Value, names: &[&str]| -> Value {
        let entries = list.as_array().into_iter().flatten();
        let short = entries.map(|entry| names.iter().map(|name| entry[name].clone()).collect());
        short.collect::<Vec<Value>>().into()
    };
    json!({
        "site": [state["site"]["up"], state["site"]["region"], state["site"]["writable"]],
        "primary": state["azure"]["failover_group"]["primary"],
        "failovers": state["azure"]["failover_group"]["failovers"],
        "pools": state["cloudflare"]["load_balancer"]["default_pools"],
        "incidents": of(&state["statuspage"]["incidents"], &["name", "status", "impact"]),
        "components": of(&state["statuspage"]["components"], &["id", "status"]),
    })
}
