use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sandbook_journal::{Event, Interruption, Operator, Reader, RunId, RunStatus};
use serde_json::Map;
use tokio::sync::{mpsc, watch};

use super::*;
use crate::engine::{Engine, Machine, Options};
use crate::project::Project;
use crate::start_error::StartError;

/// The first step waits for longer than it takes to notice that the disk is nearly full.
const JOB: &str = "name: job
steps:
  - { id: first, wait: 1s }
  - { id: second, wait: 10ms }
";

struct Fake(AtomicU64);

impl Disk for Fake {
    fn free_space(&self) -> Result<u64, StateDirError> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}

struct Stage {
    folder: tempfile::TempDir,
    disk: Arc<Fake>,
    engine: Engine,
}

impl Stage {
    fn new(free: u64) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("sandbook.yaml"), "plugins: {}\n").unwrap();
        fs::write(folder.path().join("job.yaml"), JOB).unwrap();
        let disk = Arc::new(Fake(AtomicU64::new(free)));
        let state = folder.path().join("state");
        let machine = Machine {
            disk: Some(Arc::clone(&disk) as Arc<dyn Disk>),
            ..Machine::default()
        };
        let engine = Engine::open_on(&state, 1, machine).unwrap();
        Stage {
            folder,
            disk,
            engine,
        }
    }

    fn set(&self, free: u64) {
        self.disk.0.store(free, Ordering::Relaxed);
    }

    fn project(&self) -> Project {
        Project::open(self.folder.path()).unwrap()
    }

    async fn start(&self) -> Result<crate::Begun, StartError> {
        let draft = self.project().draft("job", None).unwrap();
        let prepared = draft.prepare(Map::new()).unwrap();
        self.engine.start(prepared, false, options()).await
    }

    fn has_reserve(&self) -> bool {
        self.folder.path().join("state/reserve").exists()
    }

    fn events(&self, run: RunId) -> Vec<Event> {
        let reader = Reader::open(self.engine.state()).unwrap();
        let events = reader.events(run, 0).unwrap().into_iter();
        events.map(|stored| stored.event).collect()
    }
}

fn options() -> Options {
    Options {
        operator: Operator {
            uid: 1,
            name: "ana".to_owned(),
        },
        stop: watch::channel(None).1,
        waits: mpsc::unbounded_channel().0,
    }
}

fn runs(state: &Path) -> usize {
    let state = StateDir::open(state).unwrap();
    let runs = Reader::open(&state).unwrap().runs(None);
    runs.unwrap().len()
}

#[tokio::test]
async fn nothing_is_begun_below_the_mark() {
    let stage = Stage::new(MARK - 1);
    assert!(!stage.has_reserve(), "there is no room for it");
    let refused = stage.start().await.err().unwrap();
    let StartError::Failed(Failed::NoSpace(no_space)) = refused else {
        panic!("{refused}");
    };
    assert_eq!((no_space.free, no_space.needed), (MARK - 1, MARK));
    let said = no_space.to_string();
    assert!(
        said.contains("has 63 MiB left") && said.contains("less than 64 MiB"),
        "{said}"
    );
    assert_eq!(runs(stage.engine.state().path()), 0);
    stage.set(MARK);
    assert!(stage.start().await.is_ok());
}

#[tokio::test]
async fn nothing_new_starts_and_the_run_goes_on_later() {
    let stage = Stage::new(MARK + RESERVE);
    assert!(stage.has_reserve());
    let mut begun = stage.start().await.unwrap();
    let run = begun.run.id;
    let completing = tokio::spawn(begun.run.complete());
    while let Some(stored) = begun.events.recv().await {
        if matches!(stored.event, Event::StepStarted { .. }) {
            break;
        }
    }
    stage.set(7 * MIB);
    let finished = completing.await.unwrap().unwrap();
    assert_eq!(finished.status, RunStatus::Interrupted);
    assert_eq!(finished.no_space.unwrap().free, 7 * MIB);
    assert!(!stage.has_reserve(), "it was given back");
    let events = stage.events(run);
    let cause = Interruption::NoSpace;
    assert_eq!(events.last(), Some(&Event::RunInterrupted { cause }));
    let started = |event: &&Event| matches!(event, Event::StepStarted { .. });
    assert_eq!(events.iter().filter(started).count(), 1);

    let project = stage.project();
    let refused = stage.engine.resume(run, &project, None, options()).await;
    // What is on record can't be recorded elsewhere: it is named, so that it can be gone on with.
    assert!(matches!(refused, Err(StartError::NoSpace(full)) if full.run == run));
    stage.set(MARK);
    let begun = stage.engine.resume(run, &project, None, options()).await;
    let finished = begun.unwrap().run.complete().await.unwrap();
    assert_eq!(finished.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn what_is_finished_stays_so_while_it_can_not_be_undone() {
    let stage = Stage::new(MARK + RESERVE);
    let begun = stage.start().await.unwrap();
    let run = begun.run.id;
    begun.run.complete().await.unwrap();
    let events = stage.events(run);
    stage.set(7 * MIB);
    let undone = stage
        .engine
        .undo(run, "wrong".to_owned(), options().operator);
    assert!(matches!(undone.await, Err(StartError::NoSpace(_))));
    assert_eq!(stage.events(run), events);
}
