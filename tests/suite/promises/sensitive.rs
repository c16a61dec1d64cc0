//! What is sensitive is hidden wherever it goes, and nothing else is.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::secrets::absent;
use super::stage::{Stage, until};
use crate::support::{Said, target};

/// A text that the tests' runbooks hold in two halves only, so that whatever shows it has it from the run.
const TOKEN: &str = "correct-horse-battery";
const KEY: &str = "first-of-two-keys";

/// A step that puts both out, and one that uses them wherever it can.
const USED: &str = r#"steps:
  - id: keep
    uses: vault
    with:
      actions:
        - do: return
          data:
            token: "${{ 'correct' ~ '-horse-battery' }}"
            keys: { primary: ["${{ 'first' ~ '-of-two-keys' }}"] }
            note: "${{ 'the token is correct' ~ '-horse-battery' }}"
          summary: "${{ 'made correct' ~ '-horse-battery' }}"
  - id: spend
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - CAUGHT
        - { do: send, url: "https://echo.simcloud.test/${{ steps.keep.outputs.token }}" }
        - { do: send, method: POST, url: "https://echo.simcloud.test/y", body: "${{ steps.keep.outputs.keys.primary[0] }}" }
        - { do: log, message: "${{ steps.keep.outputs.token }}" }
        - do: return
          data: { text: "${{ steps.keep.outputs.token }}" }
          summary: "${{ steps.keep.outputs.keys.primary[0] }}"
outputs:
  note: ${{ steps.keep.outputs.note }}
  token: ${{ steps.keep.outputs.token }}
  text: ${{ steps.spend.outputs.text }}
"#;

/// A stage whose plugin `vault` is the puppet, with outputs that are sensitive.
fn stage_with_vault() -> Stage {
    let stage = Stage::new();
    stage.lab.write(
        "vault.yaml",
        "name: vault
version: 0.1.0
description: Keeps things.
contract: sandbook:step@0.1.0
wasi_http: true
inputs: { type: object }
outputs:
  type: object
  properties:
    token: { type: string, sensitive: true }
    keys: { type: object, sensitive: true }
    note: { type: string }
",
    );
    let puppet = target().join("guests/wasm32-wasip2/release/puppet.wasm");
    let pack = ["plugin", "pack", puppet.to_str().unwrap()];
    let packed = ["--manifest", "vault.yaml", "--to", "vault.wasm"];
    stage.lab.sandbook(&[&pack[..], &packed].concat()).ok();
    let project = fs::read_to_string(stage.lab.path("sandbook.yaml")).unwrap();
    stage
        .lab
        .write("sandbook.yaml", &(project + "  vault: vault.wasm\n"));
    stage
}

/// Fails when the text is in what a run said, in what is shown of it, or in what is kept of it.
#[track_caller]
fn nowhere(stage: &Stage, said: &Said, text: &str) {
    let ask = |arguments: &[&str]| stage.lab.sandbook(arguments).ok();
    for said in [
        said,
        &ask(&["show", "@last"]),
        &ask(&["show", "@last", "-o", "json"]),
        &ask(&["log", "@last"]),
        &ask(&["log", "@last", "-o", "json"]),
    ] {
        let shown = format!("{}{}", said.out, said.err);
        assert!(!shown.contains(text), "`{text}` is in {shown}");
    }
    absent(stage, text);
}

/// Fails unless the step that spends had what was put out, and nothing else has it.
#[track_caller]
fn is_spent(stage: &Stage, said: &Said) {
    let got = stage.arrived("GET");
    assert_eq!(got.last().unwrap().path, format!("/{TOKEN}"));
    assert_eq!(stage.arrived("POST").last().unwrap().body, KEY);
    nowhere(stage, said, TOKEN);
    nowhere(stage, said, KEY);
    let outputs = &stage.event("run_finished")["outputs"];
    assert_eq!(outputs["note"]["value"], "the token is [sensitive]");
    assert_eq!(outputs["text"]["value"], "[sensitive]");
    assert!(outputs["token"]["sensitive"].is_object(), "{outputs}");
}

#[test]
fn a_sensitive_output_is_hidden_in_all_that_follows() {
    let stage = stage_with_vault();
    let said = stage.run(&USED.replace("        - CAUGHT\n", "")).ok();
    is_spent(&stage, &said);
}

#[test]
fn a_sensitive_output_is_hidden_again_when_the_run_is_resumed() {
    let stage = stage_with_vault();
    let caught = "{ do: in_attempt, attempt: 1, then: { do: sleep, milliseconds: 60000 } }";
    let mut child = stage.start(&USED.replace("CAUGHT", caught));
    // The plugin is compiled first: there is no run to ask about for a while.
    until("the second step is begun", || {
        let log = stage.lab.sandbook(&["log", "@last", "-o", "json"]);
        log.out.matches("step_started").count() == 2
    });
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    let said = stage.lab.sandbook(&["resume", "@last"]).ok();
    is_spent(&stage, &said);
}

#[test]
fn the_engines_own_words_show_nothing_sensitive() {
    let stage = Stage::new();
    stage.lab.write("token.txt", &format!("{TOKEN}\n"));
    let steps = r#"inputs: { token: { type: string, sensitive: true } }
steps:
  - id: told
    assert: { condition: 'false', message: "not ${{ inputs.token }}" }
    on_failure: continue
  - id: held
    wait: ${{ inputs.token }}
    on_failure: continue
  - id: long
    wait: 1${{ inputs.token | replace('-', '') }}
    on_failure: continue
  - id: asked
    if: inputs.token | int > 1
    wait: 1ms
    on_failure: continue
  - id: given
    uses: noop
    with: { number: "${{ inputs.token | int }}" }
    on_failure: continue
"#;
    let outputs = r#"outputs:
  told: ${{ steps.told.error.message | default('') }}
  held: ${{ steps.held.error.message | default('') }}
  asked: ${{ steps.asked.error.message | default('') }}
  given: ${{ steps.given.error.message | default('') }}
"#;
    let given = ["-i", "token=@token.txt"];
    let said = stage.run_with(&format!("{steps}{outputs}"), &given).ok();
    nowhere(&stage, &said, TOKEN);
    let finished = stage.event("run_finished");
    assert_eq!(finished["outputs"]["told"]["value"], "not [sensitive]");
    let held = finished["outputs"]["held"]["value"].as_str().unwrap();
    assert!(
        held.contains("`[sensitive]` is not a duration"),
        "{finished}"
    );
    let plan = ["plan", "job", "--env", "test"];
    let plan = stage.lab.sandbook(&[&plan[..], &given].concat()).ok();
    assert!(!plan.out.contains(TOKEN), "{}", plan.out);

    let broken = steps.replacen("    on_failure: continue\n", "", 1)
        + "finally: [{ id: last, assert: { condition: 'false', message: '${{ run.error }}' } }]\n";
    let said = stage.run_with(&broken, &given).exits(1);
    nowhere(&stage, &said, TOKEN);
    let error = &stage.event("run_finished")["error"];
    assert_eq!(error, "step `told`: not [sensitive]");
}

#[test]
fn a_failed_check_shows_nothing_sensitive() {
    let stage = Stage::new();
    let said = stage
        .run_with(
            r#"inputs: { token: { type: string, sensitive: true } }
checks: [{ condition: "inputs.token == 'x'", message: "${{ inputs.token }} is wrong" }]
steps: [{ id: a, wait: 1ms }]
"#,
            &["-i", &format!("token={TOKEN}")],
        )
        .exits(2)
        .says("[sensitive] is wrong");
    let shown = said.out + &said.err;
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn what_is_no_text_is_kept_outside_and_hidden_nowhere() {
    let stage = Stage::new();
    stage
        .run_with(
            r#"inputs:
  absent: { type: string, sensitive: true, required: false }
  flag: { type: boolean, sensitive: true }
  count: { type: integer, sensitive: true }
steps:
  - id: a
    uses: puppet
    allow: ["POST https://echo.simcloud.test/raw"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/raw", body: { absent: null, flag: true, count: 123456 } }
"#,
            &["-i", "flag=true", "-i", "count=123456"],
        )
        .ok();
    let results = stage.output("a", "results");
    let body = results[0]["body"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        body,
        json!({ "absent": null, "flag": true, "count": 123_456 })
    );
    let inputs = &stage.event("run_started")["inputs"];
    for name in ["absent", "flag", "count"] {
        assert!(inputs[name]["sensitive"].is_object(), "{inputs}");
    }
}

#[test]
fn every_text_in_a_list_or_an_object_is_hidden() {
    let stage = Stage::new();
    let said = stage
        .run_with(
            r#"inputs:
  keys: { type: object, sensitive: true }
  words: { type: list, sensitive: true }
steps:
  - id: a
    uses: puppet
    allow: ["POST https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/${{ inputs.keys.deep[0].primary }}", body: "${{ inputs.words[1] }}" }
        - { do: log, message: "${{ inputs.keys.deep[0].primary }}" }
"#,
            &[
                "-i",
                &format!(r#"keys={{"deep":[{{"primary":"{KEY}"}}]}}"#),
                "-i",
                &format!(r#"words=["one","{TOKEN}"]"#),
            ],
        )
        .ok();
    let arrived = &stage.arrived("POST")[0];
    assert_eq!(
        (arrived.path.as_str(), &*arrived.body),
        (&*format!("/{KEY}"), TOKEN)
    );
    nowhere(&stage, &said, KEY);
    nowhere(&stage, &said, TOKEN);
}
