//! Anchors: what hangs or fails hurts nobody, and what they lost is missed.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::Command;

use super::JOB;
use crate::promises::stage::Stage;

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
    let missed = |what: &str| {
        let said = stage.audited(&["verify"]).exits(1);
        said.says("near.jsonl: it has nothing, and it has got the head of entry 2");
        stage.audited(&["anchor"]).ok();
        assert_eq!(near().lines().count(), 1, "{what}");
        stage.audited(&["verify"]).ok();
    };
    missed("removed");
    fs::write(stage.lab.path("near.jsonl"), "").unwrap();
    missed("emptied");
    // One that is no text is told with its place, and the look goes on.
    let mut bytes = near().into_bytes();
    bytes.extend(b"\xff\xfe\n");
    fs::write(stage.lab.path("near.jsonl"), bytes).unwrap();
    let said = stage.audited(&["verify"]).exits(1);
    said.says("near.jsonl, line 2: the line can't be read")
        .says("entries 1 to 2");
}

#[test]
fn a_pipe_in_an_anchors_place_holds_nobody() {
    let stage = Stage::new();
    stage.settings("anchors: [{ file: pipe }]\n");
    let pipe = stage.lab.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let said = stage.run(JOB).ok();
    said.says("did not get the ledger's head: it is not a regular file");
    let said = stage.audited(&["verify"]).exits(1);
    said.says("pipe: it can't be read: it is not a regular file");
}

#[test]
fn an_anchor_gets_a_head_of_what_waits_and_of_what_is_added() {
    let stage = Stage::new();
    stage.settings("anchors: [{ file: near.jsonl }]\n");
    let near = || {
        let text = fs::read_to_string(stage.lab.path("near.jsonl")).unwrap();
        text.lines().count()
    };
    let asks = "steps: [{ id: ask, approval: { message: go on? } }]";
    stage.run(asks).exits(3);
    assert_eq!(near(), 1);
    // Nobody can cut off or add to what waits without the key.
    stage.tamper("DELETE FROM events WHERE kind = 'run_waiting'");
    let run = stage.runs().remove(0);
    let found = stage.findings(&[]);
    assert!(
        found
            .iter()
            .any(|(place, fault)| place.contains(&run) && fault == "cut_off"),
        "{found:?}"
    );
    let other = Stage::new();
    other.settings("anchors: [{ file: near.jsonl }]\n");
    other.run(asks).exits(3);
    other.lab.sandbook(&["decide", "@last", "approve"]).ok();
    other.lab.sandbook(&["note", "@last", "well"]).ok();
    let text = fs::read_to_string(other.lab.path("near.jsonl")).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert_eq!(other.findings(&[]), []);
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
