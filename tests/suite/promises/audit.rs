//! The record as evidence: whatever is done to it is found and named.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use super::stage::Stage;
use crate::support::Said;

const JOB: &str = r#"steps:
  - id: first
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/one", body: one }]
  - id: last
    uses: noop
"#;

/// How many events a run of the job has.
const EVENTS: i64 = 8;

impl Stage {
    fn audited(&self, arguments: &[&str]) -> Said {
        self.lab.sandbook(&[&["audit"], arguments].concat())
    }

    /// Each finding's place and sort.
    fn findings(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let said = self.audited(&[&["verify", "-o", "json"], arguments].concat());
        let whole = said.json();
        let found: Vec<_> = whole["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| (text(&finding["place"]), text(&finding["fault"])))
            .collect();
        assert_eq!(said.status, Some(i32::from(!found.is_empty())), "{found:?}");
        assert_eq!(whole["sound"], found.is_empty());
        found
    }

    fn tamper(&self, sql: &str) {
        let database = Connection::open(self.lab.path(".sandbook/journal.db")).unwrap();
        database.execute_batch(sql).unwrap();
    }

    /// The ids of the runs, the latest first.
    fn runs(&self) -> Vec<String> {
        let said = self.lab.sandbook(&["runs", "-o", "json"]).ok();
        let runs = said.json_lines();
        runs.iter().map(|run| text(&run["run"])).collect()
    }

    /// Adds this to the project's settings.
    fn settings(&self, text: &str) {
        let path = self.lab.path("sandbook.yaml");
        let settings = fs::read_to_string(&path).unwrap() + text;
        fs::write(path, settings).unwrap();
    }

    fn key(&self) -> String {
        text(&self.audited(&["key", "-o", "json"]).ok().json()["key"])
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// An event of the first run: its number and the event's in one.
fn event(seq: i64) -> i64 {
    (1 << 32) + seq
}

#[test]
fn every_way_to_tamper_is_found_and_named() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    stage.run(JOB).ok();
    let runs = stage.runs();
    let first = &runs[1];
    assert_eq!(stage.findings(&[]), []);
    let journal = stage.lab.path(".sandbook/journal.db");
    // All that is in the log of writes is in the file after this.
    stage.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
    let untouched = fs::read(&journal).unwrap();
    let (third, last) = (event(3), event(EVENTS));
    for (sql, number, fault) in [
        (format!("UPDATE events SET body = replace(body, 'POST', 'GET') WHERE id = {third}"), 3, "altered"),
        (format!("DELETE FROM events WHERE id = {third}"), 3, "missing"),
        (format!("DELETE FROM events WHERE id = {last}"), EVENTS, "cut_off"),
        (
            format!("INSERT INTO events SELECT {last} + 1, time, kind, version, body, hash FROM events WHERE id = {third}"),
            EVENTS + 1,
            "altered",
        ),
        (
            format!(
                "UPDATE events SET id = -1 WHERE id = {third}; UPDATE events SET id = {third} WHERE id = {third} + 1;
                 UPDATE events SET id = {third} + 1 WHERE id = -1"
            ),
            3,
            "altered",
        ),
    ] {
        stage.tamper(&sql);
        let named = (format!("run {first}, event {number}"), fault.to_owned());
        let found = stage.findings(&[]);
        assert!(found.contains(&named), "{sql}: {found:?}");
        // In words as well, and no fault of the other run.
        stage.audited(&["verify"]).exits(1).says(&named.0);
        assert!(!found.iter().any(|(place, _)| place.contains(&runs[0])), "{found:?}");
        stage.tamper("PRAGMA wal_checkpoint(TRUNCATE)");
        fs::write(&journal, &untouched).unwrap();
    }
    assert_eq!(stage.findings(&[]), []);
    stage.tamper("DELETE FROM events WHERE id >> 32 = 1");
    assert_eq!(
        stage.findings(&[]),
        [(format!("run {first}"), "removed".to_owned())]
    );
}

#[test]
fn who_writes_all_of_it_anew_lacks_the_key_or_an_anchor_gives_it_away() {
    let stage = Stage::new();
    stage.settings("anchors: [{ file: far/heads.jsonl }]\n");
    fs::create_dir(stage.lab.path("far")).unwrap();
    stage.run(JOB).ok();
    let anchored = fs::read_to_string(stage.lab.path("far/heads.jsonl")).unwrap();
    assert_eq!(anchored.lines().count(), 1, "{anchored}");
    stage
        .audited(&["verify"])
        .ok()
        .says("also against the operator himself");

    // The same again, with the key at hand: all hashes and signatures are right, and the anchor has others.
    for file in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        fs::remove_file(stage.lab.path(".sandbook").join(file)).unwrap();
    }
    fs::rename(
        stage.lab.path("far/heads.jsonl"),
        stage.lab.path("given.jsonl"),
    )
    .unwrap();
    stage.run(JOB).ok();
    assert_eq!(stage.findings(&[]), []);
    let differs = (
        "anchor given.jsonl, line 1".to_owned(),
        "anchor_differs".to_owned(),
    );
    assert_eq!(stage.findings(&["--anchor", "given.jsonl"]), [differs]);

    // And with another key.
    fs::remove_file(stage.lab.path(".sandbook/signing-key")).unwrap();
    let words: Vec<_> = stage
        .findings(&[])
        .into_iter()
        .map(|(_, word)| word)
        .collect();
    assert_eq!(
        words,
        ["strange_key", "strange_key"],
        "the anchor's line and the ledger's entry"
    );
}

#[test]
fn an_export_is_verified_elsewhere_with_the_key_alone() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    let key = stage.key();
    let export = stage.audited(&["export"]).ok().out;
    stage
        .audited(&[
            "export",
            "@last",
            "--with-contents",
            "--output-file",
            "one.jsonl",
        ])
        .ok();
    stage
        .audited(&["export", "--output-file", "one.jsonl"])
        .exits(2)
        .says("one.jsonl");
    let elsewhere = tempfile::tempdir().unwrap();
    let verify = |text: &str, key: &str| {
        let file = elsewhere.path().join("record.jsonl");
        fs::write(&file, text).unwrap();
        let sandbook = stage.lab.command(&[]);
        let mut command = Command::new(sandbook.get_program());
        command
            .args(["audit", "verify", "--key", key, "--file"])
            .arg(&file);
        command.current_dir(elsewhere.path()).env_clear();
        Said::from(command.output().unwrap())
    };
    verify(&export, &key).ok().says("Nothing is wrong");
    let one = fs::read_to_string(stage.lab.path("one.jsonl")).unwrap();
    verify(&one, &key).ok();
    assert!(one.contains(r#"{"content":"hmac-sha256:"#) && !export.contains(r#"{"content":"#));
    let run = stage.runs().remove(0);
    let altered = export.replace("/one", "/two");
    assert_ne!(altered, export);
    verify(&altered, &key)
        .exits(1)
        .says(&format!("run {run}, event 3: it was altered"));
    let last = export.lines().count() - 1;
    let cut: Vec<&str> = export.lines().take(last).collect();
    verify(&cut.join("\n"), &key)
        .exits(1)
        .says("the end is cut off");
    let other = format!("ed25519:{}", "00".repeat(32));
    verify(&export, &other)
        .exits(1)
        .says("not the key of this record");
    verify("{}", &key).exits(2).says("is not an export");
}

#[test]
fn an_anchor_that_hangs_or_fails_hurts_nobody_and_is_owed_the_head() {
    let stage = Stage::new();
    // It takes connections, by the system's own doing, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    stage.settings(&format!(
        "anchors:\n  - {{ file: far/heads.jsonl }}\n  - {{ file: near.jsonl }}\n  - {{ webhook: 'http://{address}/heads?token=x', deadline: 300ms }}\n"
    ));
    let silently = "name: real\nceiling: []\n";
    stage.lab.write("environments/real.yaml", silently);
    stage.job("steps: [{ id: a, uses: noop }]");
    let said = stage
        .lab
        .sandbook(&["run", "job", "--env", "real", "--yes"])
        .ok();
    let said = said
        .says("anchor `")
        .says("far/heads.jsonl")
        .says(&format!("`http://{address}` did not get"));
    assert!(!said.err.contains("token"), "{}", said.err);
    let near = || fs::read_to_string(stage.lab.path("near.jsonl")).unwrap();
    assert_eq!(near().lines().count(), 1);

    // What is owed is sent later, and what was sent isn't sent again.
    fs::create_dir(stage.lab.path("far")).unwrap();
    let settings = fs::read_to_string(stage.lab.path("sandbook.yaml")).unwrap();
    stage
        .lab
        .write("sandbook.yaml", &settings.replace("300ms", "30s"));
    let reading = std::thread::spawn(move || {
        // The first run's connection is still in the queue.
        for connection in silent.incoming().skip(1).take(1) {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            // All of it, so that closing resets nothing.
            while !request.ends_with(b"\"}") {
                let mut piece = [0; 1024];
                let read = connection.read(&mut piece).unwrap();
                assert_ne!(read, 0, "{request:?}");
                request.extend_from_slice(&piece[..read]);
            }
            assert!(request.starts_with(b"POST /heads?token=x"));
            std::io::Write::write_all(&mut connection, b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        }
    });
    stage
        .audited(&["anchor"])
        .ok()
        .says("far/heads.jsonl has the ledger up to entry 2");
    reading.join().unwrap();
    assert_eq!(near().lines().count(), 1);
    stage.audited(&["verify"]).ok().says("entries 1 to 2");
    // An anchor that was removed is missed, and gets the head again.
    fs::remove_file(stage.lab.path("near.jsonl")).unwrap();
    stage
        .audited(&["verify"])
        .ok()
        .says("near.jsonl has nothing");
    stage.audited(&["anchor"]).ok();
    assert_eq!(near().lines().count(), 1);
}

#[test]
fn a_rehearsal_and_a_dry_run_reach_no_webhook() {
    let stage = Stage::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    stage.settings(&format!(
        "anchors: [{{ file: near.jsonl }}, {{ webhook: 'http://{address}/' }}]\n"
    ));
    stage.run(JOB).ok();
    stage.run_with(JOB, &["--dry-run"]).ok();
    listener.set_nonblocking(true).unwrap();
    let arrived = listener.accept().unwrap_err();
    assert_eq!(arrived.kind(), std::io::ErrorKind::WouldBlock);
    let near = fs::read_to_string(stage.lab.path("near.jsonl")).unwrap();
    assert_eq!(near.lines().count(), 2);
}

#[test]
fn old_runs_are_pruned_and_the_ledger_says_so() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    let run = stage.runs().remove(0);
    let prune = |arguments: &[&str]| stage.lab.sandbook(&[&["prune"], arguments].concat());
    prune(&["--older-than", "1h"])
        .ok()
        .says("No run ended that long ago");
    prune(&["--older-than", "0h"]).exits(2).says("--yes");
    prune(&["--older-than", "0h", "--dry-run"]).ok().says(&run);
    stage.audited(&["verify"]).ok().says("1 run with");
    prune(&["--older-than", "0h", "--yes"])
        .ok()
        .says("Removed 1 run");
    stage
        .lab
        .sandbook(&["show", &run])
        .exits(2)
        .says("there is no run");
    assert_eq!(stage.runs(), Vec::<String>::new());
    stage.audited(&["verify"]).ok().says("1 more pruned");
    let blobs = fs::read_dir(stage.lab.path(".sandbook/blobs/sha256")).unwrap();
    assert_eq!(blobs.count(), 0);
    // What was swept is put again by whoever needs it.
    stage.run(JOB).ok();
    assert_eq!(stage.findings(&[]), []);
}

#[test]
fn a_run_that_was_cut_off_elsewhere_is_taken_over_and_resumed_here() {
    let stage = Stage::new();
    let slow = r#"steps:
  - id: first
    uses: puppet
    allow: ["* https://*.simcloud.test/**"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/one", body: one }
        - { do: send, url: "https://slow.simcloud.test/1500" }
"#;
    stage.job(slow);
    let mut child = stage
        .lab
        .start(&["run", "job", "--env", "test", "--yes", "--state", "other"]);
    super::stage::until("the second request arrives", || {
        stage.cloud.requests().len() == 2
    });
    let live = stage.audited(&["import", "other"]).exits(1);
    live.says("a live process has it");
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    child.wait().unwrap();
    stage.audited(&["import", "other"]).ok().says("taken over");
    stage
        .audited(&["import", "other/journal.db"])
        .ok()
        .says("here already");
    stage
        .audited(&["import", "nowhere"])
        .exits(2)
        .says("no journal");
    assert_eq!(stage.findings(&[]), []);
    // What was answered there is answered from the record here: bodies are compared under the run's own key.
    stage.lab.sandbook(&["resume", "@last"]).ok();
    assert_eq!(stage.arrived("POST").len(), 1);
    assert_eq!(stage.findings(&[]), []);
    stage.lab.sandbook(&["show", "@last"]).ok().says("/one");
}

#[test]
fn the_first_event_has_the_commit_where_there_is_one() {
    let stage = Stage::new();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .current_dir(stage.lab.path(""))
            .env("HOME", stage.lab.path(""));
        let done = git.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    // The binary finds git as the tests do.
    let run = |id: &str| {
        stage.job(&format!("steps: [{{ id: {id}, uses: noop }}]"));
        let mut command = stage.lab.command(&["run", "job", "--env", "test"]);
        command.env("PATH", std::env::var_os("PATH").unwrap());
        Said::from(command.output().unwrap()).ok();
    };
    run("a");
    let facts = || stage.event("run_started")["runbook"]["git"].clone();
    assert_eq!(facts(), Value::Null);
    git(&["init", "-q"]);
    stage.lab.write(".gitignore", ".sandbook\n");
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "all"]);
    run("a");
    assert_eq!(facts()["commit"], git(&["rev-parse", "HEAD"]));
    assert_eq!(facts()["dirty"], false);
    run("b");
    assert_eq!(facts()["dirty"], true);
    let show = stage.lab.sandbook(&["show", "@last"]).ok();
    show.says("with changes that are not committed");
}
