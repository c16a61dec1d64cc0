//! No record, no effect.

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use super::stage::{Stage, until};

const POST: &str = r#"steps:
  - id: a
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/one", body: one }
        - { do: send, method: PUT, url: "https://echo.simcloud.test/two", body: two }
        - { do: send, method: DELETE, url: "https://echo.simcloud.test/three" }
"#;

#[test]
fn every_change_at_the_cloud_has_its_intent_and_its_outcome_on_record() {
    let stage = Stage::new();
    stage.run(POST).ok();
    let events = stage.lab.events();
    let asked: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == "request_begun")
        .map(|event| format!("{} {}", event["asked"]["method"], event["asked"]["url"]))
        .map(|text| text.replace('"', ""))
        .collect();
    let arrived: Vec<_> = stage
        .cloud
        .requests()
        .iter()
        .map(|request| {
            format!(
                "{} https://{}{}",
                request.method, request.host, request.path
            )
        })
        .collect();
    assert_eq!(asked, arrived);
    let ended = stage.lab.events_of("request_ended");
    assert_eq!(ended.len(), 3);
    assert!(
        ended
            .iter()
            .all(|event| event["outcome"]["answered"]["status"] == 200)
    );
}

#[test]
fn the_intent_is_on_record_while_the_request_is_under_way() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - id: a
    uses: puppet
    allow: [POST https://slow.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://slow.simcloud.test/15000" }] }
"#,
    );
    until("the request arrives", || !stage.cloud.requests().is_empty());
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let begun = stage.event("request_begun");
    assert_eq!(begun["asked"]["url"], "https://slow.simcloud.test/15000");
    assert!(stage.lab.events_of("request_ended").is_empty());
}

#[test]
fn an_intent_that_cannot_be_written_stops_the_run_before_the_effect() {
    let stage = Stage::new();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    let database = Connection::open(stage.lab.path(".sandbook/journal.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.kind = 'request_begun'
             BEGIN SELECT RAISE(ABORT, 'no space'); END",
        )
        .unwrap();
    drop(database);
    stage.run(POST).exits(5);
    assert!(stage.cloud.requests().is_empty());
}

#[test]
fn a_state_directory_that_cannot_be_made_sends_nothing() {
    let stage = Stage::new();
    stage.lab.write("file", "");
    stage
        .run_with(POST, &["--state", "file/below"])
        .exits(5)
        .says("file");
    assert!(stage.cloud.requests().is_empty());
}

#[test]
fn a_journal_of_a_newer_version_sends_nothing() {
    let stage = Stage::new();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    let database = Connection::open(stage.lab.path(".sandbook/journal.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    stage.run(POST).exits(5).says("newer");
    assert!(stage.cloud.requests().is_empty());
}
