//! Secrets stay outside, and so does a sensitive input; `sensitive` has what there is more to that.

use std::fs;
use std::path::Path;

use super::stage::{SECRET, Stage};

/// Every file below a folder, whole.
fn bytes_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(bytes_below(&path));
        } else {
            files.push((path.display().to_string(), fs::read(path).unwrap()));
        }
    }
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// Fails when the text is in anything that the state directory keeps.
#[track_caller]
pub(super) fn absent(stage: &Stage, text: &str) {
    for (file, bytes) in bytes_below(&stage.lab.path(".sandbook")) {
        assert!(!holds(&bytes, text), "`{text}` is in {file}");
    }
}

#[test]
fn a_secret_reaches_its_origin_and_nothing_else() {
    let stage = Stage::new();
    let said = stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, url: "https://echo.simcloud.test/x", slot: api }
        - { do: send, method: POST, url: "https://echo.simcloud.test/y", slot: api, body: text }
        - { do: reveal, slot: api }
"#,
        )
        .ok();
    let sent = stage.cloud.requests();
    assert_eq!(sent.len(), 2);
    for request in &sent {
        let header = request.header("authorization").unwrap();
        assert_eq!(header, format!("Bearer {SECRET}"));
    }
    let results = stage.output("a", "results");
    let text = results.to_string();
    assert!(text.contains("[secret api]"), "{text}");
    assert!(results[2]["error"].is_string(), "{text}");
    let log = stage.lab.sandbook(&["log", "@last", "-o", "json"]).ok();
    let show = stage.lab.sandbook(&["show", "@last"]).ok();
    // As it is, in base64 by itself and behind `Bearer `, and percent-encoded.
    for form in [
        SECRET,
        "dHIwdWI0ZG9yK2FuZC90aHJlZT13b3Jkcw",
        "QmVhcmVyIHRyMHViNGRvcithbmQvdGhyZWU9d29yZHM",
        "tr0ub4dor%2Band%2Fthree%3Dwords",
    ] {
        for said in [&text, &said.out, &said.err, &log.out, &show.out] {
            assert!(!said.contains(form), "`{form}` is in {said}");
        }
        absent(&stage, form);
    }
}

#[test]
fn a_secret_is_not_sent_to_another_origin() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    allow: ["* https://*.simcloud.test/**"]
    with: { actions: [{ do: send, url: "https://status.simcloud.test/200", slot: api }] }
"#,
        )
        .says("denied");
    let why = stage.event("request_denied")["why"].to_string();
    assert!(
        why.contains("only for `https://echo.simcloud.test`"),
        "{why}"
    );
    assert!(stage.cloud.requests().is_empty());
}

#[test]
fn a_secret_that_is_not_there_stops_the_run_before_it_begins() {
    let stage = Stage::new();
    let path = stage.lab.path("environments/test.yaml");
    let environment = fs::read_to_string(&path).unwrap();
    let secret = format!("{{ literal: {SECRET} }}");
    let missing = environment.replace(&secret, "{ env: NOT_SET_ANYWHERE }");
    fs::write(path, missing).unwrap();
    stage
        .run(
            r#"steps:
  - id: first
    uses: puppet
    allow: ["POST https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/x" }] }
  - id: second
    uses: puppet
    credentials: { api: api }
    allow: ["POST https://echo.simcloud.test/**"]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/x", slot: api }] }
"#,
        )
        .exits(2)
        .says("NOT_SET_ANYWHERE");
    assert!(stage.cloud.requests().is_empty());
}

#[test]
fn a_sensitive_input_is_shown_nowhere_and_erased_after_the_run() {
    const SENSITIVE: &str = "correct-horse-battery";
    let stage = Stage::new();
    let said = stage
        .run_with(
            r#"inputs: { password: { type: string, sensitive: true } }
steps:
  - id: a
    uses: puppet
    allow: ["POST https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/x", body: "${{ inputs.password }}" }
        - { do: return, data: {} }
"#,
            &["-i", &format!("password={SENSITIVE}")],
        )
        .ok();
    assert_eq!(stage.arrived("POST")[0].body, SENSITIVE);
    let show = stage
        .lab
        .sandbook(&["show", "@last"])
        .ok()
        .says("[sensitive]");
    let log = stage.lab.sandbook(&["log", "@last"]).ok();
    let json = stage.lab.sandbook(&["log", "@last", "-o", "json"]).ok();
    for said in [&said, &show, &log, &json] {
        assert!(!said.out.contains(SENSITIVE) && !said.err.contains(SENSITIVE));
    }
    absent(&stage, SENSITIVE);
}
