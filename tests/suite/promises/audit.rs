//! The record as evidence: whatever is done to it is found and named.

mod anchors;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use rusqlite::Connection;
use sandbook_journal::{Clock, Journal, RunId, SystemClock};
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

    /// A copy of a run, as one that ran three hours ago; its id.
    fn three_hours_ago(&self, run: &str) -> String {
        let then = Arc::new(Then(SystemClock.now() - 3 * 3_600_000));
        let journal = Journal::open(&self.state_dir(), then).unwrap();
        let events = self.reader().events(run.parse().unwrap(), 0).unwrap();
        let entries = events.into_iter().map(|stored| stored.event.into());
        let copy = RunId::random().unwrap();
        journal.append_blocking(copy, entries.collect()).unwrap();
        copy.to_string()
    }

    fn key(&self) -> String {
        text(&self.audited(&["key", "-o", "json"]).ok().json()["key"])
    }
}

/// A clock that stands still.
struct Then(u64);

impl Clock for Then {
    fn now(&self) -> u64 {
        self.0
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

    // A key that is lost isn't replaced, or nobody would vouch any more for what it has signed.
    let key = stage.lab.path(".sandbook/signing-key");
    fs::remove_file(&key).unwrap();
    for arguments in [&["audit", "verify"][..], &["note", "@last", "x"]] {
        let said = stage.lab.sandbook(arguments).exits(5);
        said.says("signing-key` is missing: put back the one that was there");
    }
    assert!(!key.exists());
    // And with another key.
    fs::write(&key, [7; 32]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
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
    // Of a run that isn't in it nothing can be said.
    let file = elsewhere.path().join("record.jsonl");
    let file = file.to_str().unwrap();
    fs::write(file, &export).unwrap();
    let looked = |run: &str| stage.audited(&["verify", run, "--file", file, "--key", &key]);
    looked(&run).ok();
    looked("aaaaaaaaaaaa").exits(2).says("is not in `");
    // Whoever leaves a run out has no header for it.
    let mut lines: Vec<String> = export.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.contains(&format!(r#""entry":{{"run":"{run}"#)));
    lines[0] = lines[0].replace(r#""runs":null"#, r#""runs":[]"#);
    verify(&lines.join("\n"), &key)
        .exits(1)
        .says("export, line 1: its signature is missing or wrong");
    let other = format!("ed25519:{}", "00".repeat(32));
    verify(&export, &other)
        .exits(1)
        .says("not the key of this record");
    verify("{}", &key).exits(2).says("is not an export");
}

#[test]
fn a_key_is_shown_only_where_something_is_on_record() {
    let stage = Stage::cold();
    stage.audited(&["key"]).exits(2).says("no runs yet");
    assert!(!stage.lab.path(".sandbook").exists());
    fs::create_dir(stage.lab.path(".sandbook")).unwrap();
    stage.audited(&["key"]).exits(2);
    let made = fs::read_dir(stage.lab.path(".sandbook")).unwrap();
    assert_eq!(made.count(), 0);
}

#[test]
fn one_run_that_was_altered_hides_none_of_the_others() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    let said = stage.run("steps: [{ id: ask, approval: { message: go on? } }]");
    said.exits(3);
    let [waits, over] = &stage.runs()[..] else {
        panic!("two runs");
    };
    stage.tamper("UPDATE events SET time = 9 WHERE kind = 'step_waiting'");
    let said = stage.lab.sandbook(&["runs"]).ok();
    let said = said.says("unreadable").says(waits).says(over);
    said.says("1 run can't be read: `sandbook audit verify` says what is wrong");
    stage.lab.sandbook(&["list"]).ok().says("job");
    let said = stage.lab.sandbook(&["show", waits]).exits(5);
    said.says("`sandbook audit verify` says what is wrong");
    stage.audited(&["verify"]).exits(1).says(waits);
}

#[test]
fn what_lies_outside_the_chains_is_looked_at_as_well() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    let run = stage.runs().remove(0);
    stage.tamper("UPDATE contents SET bytes = x'00'");
    let found = stage.findings(&[]);
    let content = (format!("run {run}"), "content".to_owned());
    assert!(found.contains(&content), "{found:?}");
}

#[test]
fn old_runs_are_pruned_and_the_ledger_says_so() {
    let stage = Stage::new();
    stage.run(JOB).ok();
    let run = stage.runs().remove(0);
    let old = stage.three_hours_ago(&run);
    let prune = |arguments: &[&str]| stage.lab.sandbook(&[&["prune"], arguments].concat());
    stage.state_dir().put_blob(b"nobody's").unwrap();
    prune(&["--older-than", "4h"])
        .ok()
        .says("No run ended that long ago")
        .says("Removed 0 runs; 1 file");
    // What has only just ended may still be looked at.
    prune(&["--older-than", "0h"]).exits(2).says("1h");
    prune(&["--older-than", "2h"]).exits(2).says("--yes");
    prune(&["--older-than", "2h", "--dry-run"]).ok().says(&old);
    stage.audited(&["verify"]).ok().says("2 runs with");
    prune(&["--older-than", "2h", "--yes"])
        .ok()
        .says("Removed 1 run");
    stage
        .lab
        .sandbook(&["show", &old])
        .exits(2)
        .says("there is no run");
    assert_eq!(stage.runs(), std::slice::from_ref(&run));
    stage.audited(&["verify"]).ok().says("1 more pruned");
    assert_eq!(stage.findings(&[]), []);
    // What was altered stays, and keeps none of the others.
    let altered = stage.three_hours_ago(&run);
    let old = stage.three_hours_ago(&run);
    stage.tamper(&format!(
        "UPDATE events SET time = time + 1 WHERE id >> 32 = (SELECT number FROM chains WHERE name = '{altered}')
         AND kind = 'request_begun'"
    ));
    let said = prune(&["--older-than", "2h", "--yes"]).exits(1);
    said.says("Removed 1 run")
        .says(&format!("Run {altered} stays: it is not as it was written"));
    let left = stage.runs();
    assert!(left.contains(&altered) && !left.contains(&old), "{left:?}");
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
    // Without its key there is nobody who vouches for it, and none is made there.
    let (key, hidden) = (
        stage.lab.path("other/signing-key"),
        stage.lab.path("hidden"),
    );
    fs::rename(&key, &hidden).unwrap();
    let keyless = stage.audited(&["import", "other"]).exits(5);
    keyless.says("signing-key` is missing");
    assert!(!key.exists());
    fs::rename(hidden, key).unwrap();
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
