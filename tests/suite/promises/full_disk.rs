//! A journal that can't be written, at every moment of a run: nothing more is done, and what was done is on record.

use std::collections::BTreeSet;
use std::process::Command;

use rusqlite::Connection;

use super::stage::Stage;
use crate::support::Said;

/// One step after the other, and two beside each other; each changes something.
pub(super) const JOB: &str = r#"steps:
  - id: first
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, url: "https://echo.simcloud.test/look" }
        - { do: send, method: POST, url: "https://echo.simcloud.test/one", body: one }
        - { do: send, method: PUT, url: "https://echo.simcloud.test/two", body: two }
  - id: left
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/left" }] }
  - id: right
    needs: [first]
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/right" }] }
  - id: last
    needs: [left, right]
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: DELETE, url: "https://echo.simcloud.test/last" }] }
"#;

/// Has the state directory keep what is longer than a journal, so that the journal is what finds no room.
pub(super) fn keep_components(stage: &Stage) {
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [] } }]")
        .ok();
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        std::fs::remove_file(stage.lab.path(".sandbook").join(file)).unwrap();
    }
}

/// Runs the job on a disk that takes no file longer than so many blocks of 512 bytes.
fn run_with_room(stage: &Stage, blocks: usize) -> Said {
    stage.job(JOB);
    let sandbook = stage.lab.command(&["run", "job", "--env", "test", "--yes"]);
    let mut command = Command::new("sh");
    // The write fails, as on a full disk. The signal that comes with it must not end the engine without a word.
    command
        .args(["-c", r#"ulimit -f "$0"; exec "$@""#])
        .arg(blocks.to_string())
        .arg(sandbook.get_program())
        .args(sandbook.get_args())
        .current_dir(stage.lab.path(""))
        .env_clear()
        .env("HOME", stage.lab.path(""))
        .env("PATH", "/usr/bin:/bin");
    Said::from(command.output().unwrap())
}

/// The changing requests that reached the cloud.
pub(super) fn arrived(stage: &Stage) -> BTreeSet<String> {
    stage
        .cloud
        .requests()
        .into_iter()
        .filter(|request| request.method != "GET")
        .map(|request| {
            format!(
                "{} https://{}{}",
                request.method, request.host, request.path
            )
        })
        .collect()
}

/// Those whose intent is on record.
pub(super) fn intended(stage: &Stage) -> BTreeSet<String> {
    let log = stage.lab.sandbook(&["log", "@last", "--output", "json"]);
    if log.status != Some(0) {
        return BTreeSet::new();
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    log.json_lines()
        .iter()
        .filter(|event| event["kind"] == "request_begun")
        .map(|event| {
            let asked = &event["asked"];
            format!("{} {}", text(&asked["method"]), text(&asked["url"]))
        })
        .collect()
}

/// How the run stands that was stopped; none when not even its start could be recorded.
pub(super) fn status(stage: &Stage) -> Option<String> {
    let runs = stage.lab.sandbook(&["runs", "--output", "json"]);
    let run = runs.json_lines().into_iter().next()?;
    run["status"].as_str().map(str::to_owned)
}

#[test]
fn a_disk_that_is_full_at_any_moment_stops_the_run_before_the_next_effect() {
    let mut moments = BTreeSet::new();
    // SQLite's own index of its log takes 32 KiB; a run like this takes some more than 100.
    for blocks in (48..).step_by(8) {
        let stage = Stage::new();
        keep_components(&stage);
        let said = run_with_room(&stage, blocks);
        let arrived = arrived(&stage);
        if said.status == Some(0) {
            assert_eq!(arrived.len(), 5);
            break;
        }
        assert!(blocks < 2_000, "the run never gets through");
        let said = said.exits(5).says("error: ");
        let named = ["journal", "state directory"];
        assert!(
            named.iter().any(|name| said.err.contains(name)),
            "{}",
            said.err
        );
        assert!(!said.out.contains("succeeded in"), "{}", said.out);

        let intended = intended(&stage);
        assert!(
            arrived.is_subset(&intended),
            "{blocks} blocks: {arrived:?} arrived, and of {intended:?} it is known"
        );
        let status = status(&stage);
        assert!(
            matches!(status.as_deref(), None | Some("interrupted")),
            "{blocks} blocks: {status:?}"
        );
        moments.insert(arrived.len());

        // Once there is room the journal goes on where it really ends.
        stage.run(JOB).ok();
        assert_eq!(stage.event("run_finished")["status"], "succeeded");
    }
    assert!(moments.contains(&0), "{moments:?}");
    assert!(moments.len() > 3, "too few moments were tried: {moments:?}");
}

#[test]
fn an_intent_that_can_not_be_recorded_stops_what_runs_beside_it() {
    let stage = Stage::new();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    let database = Connection::open(stage.lab.path(".sandbook/journal.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON events
             WHEN new.kind = 'request_begun' AND new.body LIKE '%/refused%'
             BEGIN SELECT RAISE(ABORT, 'no space'); END",
        )
        .unwrap();
    drop(database);
    stage
        .run(
            r#"steps:
  - id: refused
    needs: []
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/refused" }] }
  - id: beside
    needs: []
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: sleep, milliseconds: 1500 }
        - { do: send, method: POST, url: "https://echo.simcloud.test/beside" }
on_failure:
  - id: rescue
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/rescue" }] }
finally:
  - id: tell
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/tell" }] }
"#,
        )
        .exits(5)
        .says("journal");
    assert!(stage.cloud.requests().is_empty());
    // Neither `on_failure` nor `finally` may act when nothing can be recorded of it.
    assert_eq!(status(&stage).as_deref(), Some("interrupted"));
}

#[test]
fn an_outcome_that_can_not_be_recorded_is_open_on_record() {
    let stage = Stage::new();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    let database = Connection::open(stage.lab.path(".sandbook/journal.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.kind = 'request_ended'
             BEGIN SELECT RAISE(ABORT, 'no space'); END",
        )
        .unwrap();
    drop(database);
    stage.run(JOB).exits(5).says("first").says("journal");
    // The request was answered, and the next one was not begun.
    let one = BTreeSet::from(["POST https://echo.simcloud.test/one".to_owned()]);
    assert_eq!(arrived(&stage), one);
    assert_eq!(intended(&stage), one);
    assert!(stage.lab.events_of("request_ended").is_empty());
    assert_eq!(status(&stage).as_deref(), Some("interrupted"));
    let show = stage.lab.sandbook(&["show", "@last"]).ok();
    show.says("no outcome on record")
        .says("https://echo.simcloud.test/one");
}
