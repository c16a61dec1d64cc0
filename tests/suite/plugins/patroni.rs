//! `failover-sql` on a Patroni cluster.

use serde_json::{Value, json};
use simcloud::{Effect, Fault, Options, Region, world};

use crate::support::Said;
use crate::support::trial::Trial;

fn switchover(region: Region) -> Value {
    json!({
        "uses": "failover-sql",
        "with": { "target": "patroni", "host": "pg-west.internal", "candidate": region.patroni_node() },
    })
}

fn leader(trial: &Trial) -> Value {
    trial.cloud.state()["patroni"]["leader"].clone()
}

/// How often the leader has changed.
fn switchovers(trial: &Trial) -> usize {
    let state = trial.cloud.state();
    state["patroni"]["history"].as_array().unwrap().len()
}

/// A runbook as a user writes it: granted only what is needed, and what was said is passed on.
const RUNBOOK: &str = "\
name: move-writer
inputs:
  to: { type: string, enum: [pg-east, pg-west] }
steps:
  - id: switchover
    uses: failover-sql
    with:
      target: patroni
      host: pg-west.internal
      candidate: ${{ inputs.to }}
    allow:
      - GET https://pg-west.internal:8008/cluster
      - POST https://pg-west.internal:8008/switchover
    retry: { attempts: 3, delay: 10ms }
    timeout: 1m
  - id: verify
    uses: http-check
    with:
      url: https://${{ inputs.to }}.internal:8008/primary
      json: { /role: primary }
      within: 10s
    allow: [\"GET https://${{ inputs.to }}.internal:8008/primary\"]
  - id: tell
    if: steps.switchover.changed
    uses: http-request
    with:
      method: POST
      url: https://hooks.example-shop.com/services/ops
      json: { text: \"${{ steps.switchover.outputs.previous }} -> ${{ steps.switchover.outputs.primary }}\" }
    allow: [POST https://hooks.example-shop.com/services/ops]
outputs: { writer: \"${{ steps.switchover.outputs.primary }}\" }
";

fn run(trial: &Trial, to: &str) -> Said {
    trial.lab.write("move-writer.yaml", RUNBOOK);
    let to = format!("to={to}");
    let arguments = ["run", "move-writer", "--env", "trial", "--yes", "-i", &to];
    trial.lab.sandbook(&arguments)
}

fn told(trial: &Trial) -> Vec<String> {
    let posts = trial.asked("POST", "/services/ops");
    posts.into_iter().map(|post| post.body).collect()
}

#[test]
fn a_runbook_moves_the_writer_verifies_it_and_tells() {
    let trial = Trial::new(Options::healthy());
    assert_eq!(world::HOOKS_HOST, "hooks.example-shop.com");
    run(&trial, "pg-west")
        .ok()
        .says("the writer moved from `pg-east` to `pg-west`");
    assert_eq!(leader(&trial), "pg-west");
    assert_eq!(told(&trial), [r#"{"text":"pg-east -> pg-west"}"#]);
    let finished = trial.lab.events_of("run_finished").remove(0);
    assert_eq!(finished["outputs"]["writer"]["value"], "pg-west");

    // It is right already: nothing is sent that could change something, and nobody is told.
    let before = trial.cloud.counts().changes;
    run(&trial, "pg-west")
        .ok()
        .says("`pg-west` already has the writer");
    let ended = trial.lab.events_of("step_succeeded");
    assert_eq!(ended[0]["step"], "switchover");
    assert_eq!(ended[0]["changed"], false);
    assert_eq!(trial.lab.events_of("step_skipped")[0]["step"], "tell");
    assert_eq!(trial.cloud.counts().changes, before);

    // And back.
    run(&trial, "pg-east").ok();
    assert_eq!((leader(&trial), switchovers(&trial)), (json!("pg-east"), 2));
}

#[test]
fn a_runbook_whose_switchover_is_refused_fails_and_goes_no_further() {
    let trial = Trial::new(Options::healthy());
    trial
        .cloud
        .fail(Fault::new(Effect::status(412)).path("/switchover").times(9));
    run(&trial, "pg-west").exits(1).says("412");
    assert_eq!(leader(&trial), "pg-east");
    assert_eq!(trial.asked("POST", "/switchover").len(), 1);
    assert!(trial.asked("GET", "/primary").is_empty());
    assert!(told(&trial).is_empty());
    let failed = trial.lab.events_of("step_failed").remove(0);
    assert_eq!(failed["failure"]["kind"], "conflict", "{failed}");
}

#[test]
fn a_dry_run_names_the_switchover_and_does_not_make_it() {
    let trial = Trial::new(Options::healthy());
    trial.lab.write("move-writer.yaml", RUNBOOK);
    let arguments = [
        "run",
        "move-writer",
        "--env",
        "trial",
        "-i",
        "to=pg-west",
        "--dry-run",
    ];
    trial
        .lab
        .sandbook(&arguments)
        .ok()
        .says("POST https://pg-west.internal:8008/switchover");
    assert_eq!(trial.cloud.counts().changes, 0);
}

#[test]
fn who_leads_already_is_left_alone() {
    let trial = Trial::new(Options::healthy());
    let tried = trial.step(switchover(Region::West)).succeeded(true);
    assert_eq!(tried.output("previous"), "pg-east");
    assert_eq!(leader(&trial), "pg-west");

    trial.step(switchover(Region::West)).succeeded(false);
    assert_eq!(trial.asked("POST", "/switchover").len(), 1);
}

#[test]
fn the_cluster_is_looked_at_where_it_refuses() {
    let trial = Trial::new(Options::healthy());
    trial
        .cloud
        .fail(Fault::new(Effect::status(412)).path("/switchover"));
    trial.step(switchover(Region::West)).failed("conflict");

    // "Status unknown", and it was done.
    trial.cloud.fail(
        Fault::new(Effect::Answer {
            status: 503,
            body: None,
            retry_after: None,
            processed: true,
        })
        .path("/switchover"),
    );
    trial.step(switchover(Region::West)).succeeded(true);
}

#[test]
fn what_is_unknown_and_was_not_done_is_asked_for_again() {
    let trial = Trial::new(Options::healthy());
    trial
        .cloud
        .fail(Fault::new(Effect::status(503)).path("/switchover"));
    let mut step = switchover(Region::West);
    step["retry"] = json!({ "attempts": 2, "delay": "10ms" });
    trial.step(step).succeeded(true);
    assert_eq!(trial.asked("POST", "/switchover").len(), 2);
    assert_eq!(switchovers(&trial), 1);
}

#[test]
fn a_lost_answer_is_looked_into() {
    for (effect, posts) in [(Effect::DropAfter, 1), (Effect::DropBefore, 2)] {
        let trial = Trial::new(Options::healthy());
        trial.cloud.fail(Fault::new(effect).path("/switchover"));
        let mut step = switchover(Region::West);
        step["retry"] = json!({ "attempts": 2, "delay": "10ms" });
        // It was this step that moved the writer, whatever became of the answer.
        let tried = trial.step(step).succeeded(true);
        assert_eq!(tried.output("previous"), "pg-east");
        assert_eq!(switchovers(&trial), 1);
        let begun = trial.lab.events_of("request_begun");
        assert_eq!(begun.len(), posts, "{begun:?}");
    }
}

#[test]
fn a_node_that_is_down_is_unavailable() {
    let trial = Trial::new(Options {
        down: vec![Region::West],
        ..Options::healthy()
    });
    trial.step(switchover(Region::West)).failed("unavailable");
    assert!(trial.asked("POST", "/switchover").is_empty());
}

#[test]
fn a_cluster_without_the_candidate_is_asked_nothing() {
    let trial = Trial::new(Options::healthy());
    let mut step = switchover(Region::West);
    step["with"]["candidate"] = json!("pg-north");
    trial.step(step).failed("not_found").code("NoSuchMember");
    assert!(trial.asked("POST", "/switchover").is_empty());
}
