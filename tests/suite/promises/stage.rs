//! A project with one runbook, `job`, and a simulated cloud that its environment `test` reroutes to.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sandbook_journal::{Reader, StateDir};
use serde_json::Value;
use simcloud::{Cloud, Logged, Options};

use crate::support::{Lab, Said};

/// What the credential `api` is about.
pub(super) const SECRET: &str = "tr0ub4dor+and/three=words";

const HOSTS: [&str; 5] = ["echo", "status", "slow", "large", "redirect"];

/// The ways by which a plugin sends requests: one gate is behind both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interface {
    /// `sandbook:step/http`.
    Step,
    /// `wasi:http/outgoing-handler`.
    Wasi,
}

impl Interface {
    pub(super) const ALL: [Interface; 2] = [Interface::Step, Interface::Wasi];

    /// Its name as the puppet knows it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Interface::Step => "step",
            Interface::Wasi => "wasi",
        }
    }
}

pub(super) struct Stage {
    pub(super) lab: Lab,
    pub(super) cloud: Cloud,
}

impl Stage {
    /// With the test guests compiled already: compiling is most of what a short test would take.
    pub(super) fn new() -> Stage {
        let stage = Stage::cold();
        let state = stage.lab.path(".sandbook");
        for folder in [state.clone(), state.join("cache")] {
            DirBuilder::new().mode(0o700).create(folder).unwrap();
        }
        for (name, bytes) in COMPILED.get_or_init(compile) {
            let mut options = OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(state.join(name))
                .unwrap();
            file.write_all(bytes).unwrap();
        }
        stage
    }

    /// With nothing compiled and no state directory.
    pub(super) fn cold() -> Stage {
        let stage = Stage {
            lab: Lab::new(),
            cloud: Cloud::start_thread(Options::healthy()).unwrap(),
        };
        stage.ceiling(&["* https://*.simcloud.test/**"]);
        stage
    }

    /// Writes the environment with this ceiling.
    pub(super) fn ceiling(&self, lines: &[&str]) {
        let ceiling: String = lines
            .iter()
            .map(|line| format!("  - \"{line}\"\n"))
            .collect();
        let reroute: String = HOSTS
            .iter()
            .map(|host| {
                format!(
                    "    https://{host}.simcloud.test: {}\n",
                    self.cloud.origin()
                )
            })
            .collect();
        let environment = format!(
            "name: test
credentials:
  api:
    kind: bearer
    secret: {{ literal: {SECRET} }}
    origins: [https://echo.simcloud.test]
ceiling:
{ceiling}network:
  reroute:
{reroute}"
        );
        self.lab.write("environments/test.yaml", &environment);
    }

    /// Writes the runbook `job`, less its name.
    pub(super) fn job(&self, text: &str) {
        self.lab.write("job.yaml", &format!("name: job\n{text}"));
    }

    /// Runs a runbook, given without its name, to its end.
    pub(super) fn run(&self, text: &str) -> Said {
        self.run_with(text, &[])
    }

    pub(super) fn run_with(&self, text: &str, arguments: &[&str]) -> Said {
        self.job(text);
        let mut all = vec!["run", "job", "--env", "test", "--yes"];
        all.extend(arguments);
        self.lab.sandbook(&all)
    }

    /// Starts a runbook and leaves it running.
    pub(super) fn start(&self, text: &str) -> Child {
        self.job(text);
        self.lab.start(&["run", "job", "--env", "test", "--yes"])
    }

    /// Where the project's runs are recorded.
    pub(super) fn state_dir(&self) -> StateDir {
        StateDir::open(&self.lab.path(".sandbook")).unwrap()
    }

    /// Reads what is on record.
    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.state_dir()).unwrap()
    }

    /// The requests of this method that reached the cloud.
    pub(super) fn arrived(&self, method: &str) -> Vec<Logged> {
        let mut requests = self.cloud.requests();
        requests.retain(|request| request.method == method);
        requests
    }

    /// How many events of this kind the last run has by now; none where nothing is on record yet.
    pub(super) fn count(&self, kind: &str) -> usize {
        let log = self.lab.sandbook(&["log", "@last", "-o", "json"]);
        log.out.matches(&format!(r#""kind":"{kind}""#)).count()
    }

    /// The only event of this kind in the last run.
    #[track_caller]
    pub(super) fn event(&self, kind: &str) -> Value {
        let mut events = self.lab.events_of(kind);
        assert_eq!(events.len(), 1, "{kind}: {events:#?}");
        events.remove(0)
    }

    /// The message with which a step of the last run failed.
    #[track_caller]
    pub(super) fn failure(&self) -> String {
        let event = self.event("step_failed");
        event["failure"]["message"].as_str().unwrap().to_owned()
    }

    /// Why the requests of a step came to nothing: the words of `sandbook:step/http` are in its failure, those for
    /// which `wasi:http` has none in a log line.
    pub(super) fn told(&self, by: Interface, step: &str) -> String {
        let (kind, of) = match by {
            Interface::Step => ("step_failed", "/failure/message"),
            Interface::Wasi => ("logged", "/message"),
        };
        let events = self.lab.events_of(kind);
        let of_step = events.iter().filter(|event| event["step"] == step);
        of_step
            .filter_map(|event| event.pointer(of)?.as_str())
            .collect()
    }

    /// The outputs of a step of the last run, by their names.
    #[track_caller]
    pub(super) fn output(&self, step: &str, name: &str) -> Value {
        let events = self.lab.events_of("step_succeeded");
        let event = events.iter().find(|event| event["step"] == step);
        event.unwrap_or_else(|| panic!("`{step}` in {events:#?}"))["outputs"][name]["value"].clone()
    }
}

/// A state directory's key and the cache entries that it authenticates.
static COMPILED: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();

fn compile() -> Vec<(PathBuf, Vec<u8>)> {
    let stage = Stage::cold();
    stage
        .run("steps: [{ id: a, uses: noop }, { id: b, uses: puppet, with: { actions: [] } }]")
        .ok();
    let state = stage.lab.path(".sandbook");
    let mut names = vec![PathBuf::from("key")];
    for entry in fs::read_dir(state.join("cache")).unwrap().flatten() {
        names.push(Path::new("cache").join(entry.file_name()));
    }
    names
        .into_iter()
        .map(|name| {
            let bytes = fs::read(state.join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

/// Waits until something is so, and fails when that takes too long.
#[track_caller]
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where the first of these events is that has this kind and belongs to this step.
#[track_caller]
pub(super) fn place(events: &[Value], kind: &str, step: &str) -> usize {
    let found = events
        .iter()
        .position(|event| event["kind"] == kind && event["step"] == step);
    found.unwrap_or_else(|| panic!("no `{kind}` of `{step}` in {events:#?}"))
}
