//! What a clock that leaps does to a run: times are as the clock says, nothing is lost, and nothing is done again.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sandbook_journal::{Event, FinalStatus, Reader, RunStatus, Signal};
use serde_json::Map;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::project::Project;
use crate::run::Finished;

const START: u64 = 1_700_000_000_000;
const HOUR: u64 = 60 * 60 * 1000;

/// A clock that stands still until it is set.
struct Leaping(AtomicU64);

impl Clock for Leaping {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Stage {
    folder: tempfile::TempDir,
    clock: Arc<Leaping>,
    engine: Engine,
}

/// A run on its way.
struct Going {
    run: RunId,
    events: mpsc::UnboundedReceiver<Arc<Stored>>,
    stop: watch::Sender<Option<Signal>>,
    completing: JoinHandle<Result<Finished, Failed>>,
}

impl Stage {
    fn new(steps: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let here = std::env::current_exe().unwrap();
        let puppet = here
            .ancestors()
            .nth(3)
            .unwrap()
            .join("test-plugins/puppet.wasm");
        fs::copy(puppet, folder.path().join("puppet.wasm")).unwrap();
        let project = "plugins: { puppet: puppet.wasm }\n";
        fs::write(folder.path().join("sandbook.yaml"), project).unwrap();
        let job = format!("name: job\nsteps:\n{steps}");
        fs::write(folder.path().join("job.yaml"), job).unwrap();
        let clock = Arc::new(Leaping(AtomicU64::new(START)));
        let machine = Machine {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Machine::default()
        };
        let engine = Engine::open_on(&folder.path().join("state"), 4, machine).unwrap();
        Stage {
            folder,
            clock,
            engine,
        }
    }

    fn set(&self, time: u64) {
        self.clock.0.store(time, Ordering::Relaxed);
    }

    fn project(&self) -> Project {
        Project::open(self.folder.path()).unwrap()
    }

    async fn start(&self) -> Going {
        let draft = self.project().draft("job", None).unwrap();
        let prepared = draft.prepare(Map::new()).unwrap();
        let (stop, options) = options();
        let begun = self.engine.start(prepared, false, options).await.unwrap();
        Going::new(begun, stop)
    }

    async fn resume(&self, run: RunId) -> Going {
        let (stop, options) = options();
        let project = self.project();
        let begun = self.engine.resume(run, &project, None, options).await;
        Going::new(begun.unwrap(), stop)
    }

    fn log(&self, run: RunId) -> Vec<Stored> {
        let reader = Reader::open(self.engine.state()).unwrap();
        reader.verify_run(run).unwrap();
        reader.events(run, 0).unwrap()
    }

    /// How often each step was begun.
    fn starts(&self, run: RunId) -> BTreeMap<String, usize> {
        let mut starts = BTreeMap::new();
        for stored in self.log(run) {
            if let Event::StepStarted { step, .. } = stored.event {
                *starts.entry(step.to_string()).or_default() += 1;
            }
        }
        starts
    }
}

impl Going {
    fn new(begun: Begun, stop: watch::Sender<Option<Signal>>) -> Going {
        Going {
            run: begun.run.id,
            events: begun.events,
            stop,
            completing: tokio::spawn(begun.run.complete()),
        }
    }

    async fn until(&mut self, is_it: impl Fn(&Event) -> bool) {
        while let Some(stored) = self.events.recv().await {
            if is_it(&stored.event) {
                return;
            }
        }
        panic!("the run ended before that");
    }

    async fn end(self) -> RunStatus {
        let finished = timeout(Duration::from_secs(20), self.completing).await;
        finished.unwrap().unwrap().unwrap().status
    }
}

fn options() -> (watch::Sender<Option<Signal>>, Options) {
    let (sender, stop) = watch::channel(None);
    let options = Options {
        operator: Operator {
            uid: 1,
            name: "ana".to_owned(),
        },
        stop,
        waits: mpsc::unbounded_channel().0,
    };
    (sender, options)
}

fn is_start_of(id: &str) -> impl Fn(&Event) -> bool + '_ {
    move |event| matches!(event, Event::StepStarted { step, .. } if step.as_str() == id)
}

const SLOW: &str = "  - { id: first, wait: 0s }
  - { id: second, wait: 2h }
  - { id: third, wait: 0s }
";

#[tokio::test]
async fn a_leap_forward_ends_a_wait_and_another_attempt_is_due() {
    let retry = "  - { id: again, needs: [], uses: puppet, retry: { attempts: 2, delay: 1h }, with: { actions: [{ do: fail_unless, attempt: 2, kind: unavailable }] } }\n";
    let stage = Stage::new(&format!("{retry}{SLOW}"));
    let mut going = stage.start().await;
    let run = going.run;
    going
        .until(|event| matches!(event, Event::AttemptFailed { .. }))
        .await;
    stage.set(START + 2 * HOUR);
    going.until(is_start_of("second")).await;
    stage.set(START + 4 * HOUR);
    assert_eq!(going.end().await, RunStatus::Succeeded);
    let starts = stage.starts(run);
    assert_eq!(starts["again"], 2);
    assert!(["first", "second", "third"].map(|step| starts[step]) == [1, 1, 1]);
}

#[tokio::test]
async fn a_leap_back_lets_a_wait_go_on_until_the_clock_is_there_again() {
    let stage = Stage::new(SLOW);
    let mut going = stage.start().await;
    let run = going.run;
    going.until(is_start_of("second")).await;
    stage.set(START - 5 * HOUR);
    // The clock is looked at four times a second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!going.completing.is_finished());
    stage.set(START + 2 * HOUR);
    assert_eq!(going.end().await, RunStatus::Succeeded);
    assert!(stage.starts(run).values().all(|&starts| starts == 1));
}

#[tokio::test]
async fn a_leap_between_two_processes_repeats_nothing() {
    for leap in [START - 24 * HOUR, START + HOUR] {
        let stage = Stage::new(SLOW);
        let mut going = stage.start().await;
        let run = going.run;
        going.until(is_start_of("second")).await;
        going.stop.send(Some(Signal::Interrupt)).unwrap();
        assert_eq!(going.end().await, RunStatus::Interrupted);

        stage.set(leap);
        let mut going = stage.resume(run).await;
        going.until(is_start_of("second")).await;
        assert!(!going.completing.is_finished());
        stage.set(START + 2 * HOUR);
        assert_eq!(going.end().await, RunStatus::Succeeded);
        let starts = stage.starts(run);
        assert_eq!(
            ["first", "second", "third"].map(|step| starts[step]),
            [1, 2, 1]
        );
        let log = stage.log(run);
        let resumed = log
            .iter()
            .find(|stored| matches!(stored.event, Event::RunResumed { .. }));
        assert_eq!(resumed.unwrap().time, leap, "times are as the clock says");
    }
}

#[tokio::test]
async fn an_approval_is_over_when_the_clock_says_so_and_not_before() {
    let steps = "  - { id: confirm, needs: [], approval: { message: go?, timeout: 1h } }
  - { id: beside, needs: [], wait: 3h }
";
    let stage = Stage::new(steps);
    let mut going = stage.start().await;
    let run = going.run;
    going
        .until(|event| matches!(event, Event::StepWaiting { .. }))
        .await;
    stage.set(START - 5 * HOUR);
    tokio::time::sleep(Duration::from_millis(600)).await;
    let failed = |stored: &Stored| matches!(stored.event, Event::StepFailed { .. });
    assert!(!stage.log(run).iter().any(failed));
    stage.set(START + HOUR);
    going
        .until(|event| matches!(event, Event::StepFailed { .. }))
        .await;
    stage.set(START + 3 * HOUR);
    assert_eq!(going.end().await, RunStatus::Failed);
    let log = stage.log(run);
    let finished = |stored: &Stored| {
        matches!(
            stored.event,
            Event::RunFinished {
                status: FinalStatus::Failed,
                ..
            }
        )
    };
    assert_eq!(log.iter().filter(|stored| finished(stored)).count(), 1);
}

#[tokio::test]
async fn new_plugins_are_compiled_at_once_and_once_each_and_it_is_told() {
    let steps = "  - { id: a, uses: puppet, with: { actions: [] } }\n  - { id: b, uses: noop }\n  - { id: c, uses: again, with: { actions: [] } }\n";
    let stage = Stage::new(steps);
    let noop = std::env::current_exe().unwrap();
    let noop = noop.ancestors().nth(3).unwrap();
    let to = |name: &str| stage.folder.path().join(name);
    fs::copy(noop.join("test-plugins/noop.wasm"), to("noop.wasm")).unwrap();
    // The same component under another name.
    let project = "plugins: { puppet: puppet.wasm, noop: noop.wasm, again: puppet.wasm }\n";
    fs::write(to("sandbook.yaml"), project).unwrap();
    for told in [vec![2, 1, 0], vec![]] {
        let (waits, mut heard) = mpsc::unbounded_channel();
        let (stop, options) = options();
        let options = Options { waits, ..options };
        let draft = stage.project().draft("job", None).unwrap();
        let prepared = draft.prepare(Map::new()).unwrap();
        let begun = stage.engine.start(prepared, false, options).await.unwrap();
        assert_eq!(Going::new(begun, stop).end().await, RunStatus::Succeeded);
        let mut left = Vec::new();
        while let Ok(Waits::Compiling(compiling)) = heard.try_recv() {
            assert_eq!(compiling.of, 2);
            left.push(compiling.left.len());
        }
        assert_eq!(left, told);
    }
}
