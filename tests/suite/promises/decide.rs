//! Steps that wait for people: approvals, work by hand, pauses and doubts; and what people decide, in another process.

use simcloud::{Effect, Fault, Logged};

use super::stage::{Stage, until};
use crate::support::Said;

const ECHO: &str = "https://echo.simcloud.test";

fn decide(stage: &Stage, words: &[&str]) -> Said {
    let mut all = vec!["decide", "@last"];
    all.extend(words);
    stage.lab.sandbook(&all)
}

fn paths(stage: &Stage) -> Vec<String> {
    let line = |request: &Logged| format!("{} {}", request.method, request.path);
    stage.cloud.requests().iter().map(line).collect()
}

fn last_status(stage: &Stage) -> String {
    let json: serde_json::Value =
        serde_json::from_str(&stage.lab.sandbook(&["show", "@last", "-o", "json"]).out).unwrap();
    json["status"].as_str().unwrap().to_owned()
}

#[test]
fn an_approval_is_given_by_another_process_and_the_run_goes_on() {
    let stage = Stage::new();
    stage
        .run(
            r#"inputs: { region: { type: string, default: west } }
steps:
  - { id: beside, needs: [], uses: noop }
  - id: confirm
    needs: []
    approval: { message: "Move to ${{ inputs.region }}?" }
  - { id: after, needs: [confirm], uses: noop }
"#,
        )
        .exits(3)
        .says("Move to west?")
        .says("sandbook decide");
    assert_eq!(last_status(&stage), "waiting");
    assert_eq!(stage.event("run_waiting")["status"], "waiting");
    let done = stage.lab.events_of("step_succeeded");
    assert_eq!(done.len(), 1, "what doesn't need it went on: {done:#?}");
    decide(&stage, &["approve"]).ok();
    let decided = stage.event("decided");
    assert!(decided["by"]["uid"].is_u64(), "{decided}");
    assert_eq!(stage.event("run_finished")["status"], "succeeded");
    stage
        .lab
        .sandbook(&["show", "@last"])
        .ok()
        .says("approved by")
        .says("`approve` for `confirm`");
}

#[test]
fn a_rejection_fails_the_step_and_says_why() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: confirm, approval: { message: go? } }, { id: after, uses: noop }]")
        .exits(3);
    decide(&stage, &["reject"]).exits(2).says("needs a reason");
    decide(&stage, &["confirm", "reject", "--reason", "not now"])
        .exits(1)
        .says("not now");
    assert_eq!(stage.event("step_failed")["failure"]["code"], "rejected");
}

#[test]
fn an_approval_takes_as_many_people_as_it_says_and_those_it_names() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: confirm, approval: { message: go?, min: 2 } }]")
        .exits(3);
    decide(&stage, &["approve"]).exits(3).says("1 of 2");
    decide(&stage, &["approve"])
        .exits(2)
        .says("another person has to");
    let stage = Stage::new();
    stage
        .run("steps: [{ id: confirm, approval: { message: go?, approvers: [nobody-here] } }]")
        .exits(3)
        .says("nobody-here");
    decide(&stage, &["approve"])
        .exits(2)
        .says("nobody-here may");
    let stage = Stage::new();
    stage
        .run("steps: [{ id: confirm, approval: { message: go?, allow_self: false } }]")
        .exits(3);
    decide(&stage, &["approve"]).exits(2).says("somebody else");
}

#[test]
fn an_approval_that_nobody_gives_in_time_is_a_rejection() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: confirm, approval: { message: go?, timeout: 700ms } }]")
        .exits(3);
    let waiting = stage.event("step_waiting");
    let expires_at = waiting["waiting"]["approval"]["expires_at"]
        .as_u64()
        .unwrap();
    until("its time is over", || now() > expires_at);
    decide(&stage, &["approve"]).exits(2).says("is over");
    stage.lab.sandbook(&["resume", "@last"]).exits(1);
    assert_eq!(stage.event("step_failed")["failure"]["code"], "rejected");
}

fn now() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

#[test]
fn what_was_done_by_hand_is_handed_in() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: call
    manual: { instructions: Ring the vendor, outputs: { ticket: string, code: { type: string, sensitive: true } } }
  - { id: after, uses: puppet, with: { actions: [{ do: return, data: { text: "${{ steps.call.outputs.ticket }}" } }] } }
"#,
        )
        .exits(3)
        .says("Ring the vendor")
        .says("`ticket` (string)");
    let done = |outputs| {
        decide(
            &stage,
            &["done", "--reason", "spoke to Kim", "--outputs", outputs],
        )
    };
    done("{}").exits(2).says("output `ticket`");
    done(r#"{"ticket": 7, "code": "x"}"#)
        .exits(2)
        .says("`ticket`");
    done(r#"{"ticket": "7", "code": "x", "more": 1}"#)
        .exits(2)
        .says("no output `more`");
    assert!(stage.lab.events_of("decided").is_empty());
    done(r#"{"ticket": "4711", "code": "hush-hush"}"#).ok();
    assert_eq!(stage.output("after", "text"), "4711");
    let log = stage.lab.sandbook(&["log", "@last", "-o", "json"]).out;
    assert!(!log.contains("hush-hush"), "{log}");
}

/// Two steps, of which the first fails until its second attempt.
const PAUSED: &str = r#"steps:
  - id: a
    uses: puppet
    on_failure: pause
    with: { actions: [{ do: fail_unless, attempt: 2, kind: not-found }] }
  - { id: after, uses: noop }
"#;

#[test]
fn a_pause_is_tried_again_skipped_done_or_given_up_as_said() {
    for (word, exits, after) in [
        ("retry", 0, true),
        ("skip", 0, true),
        ("done", 0, true),
        ("abort", 1, false),
    ] {
        let stage = Stage::new();
        stage.run(PAUSED).exits(3).says("it failed, and is paused");
        decide(&stage, &[word]).exits(2).says("needs a reason");
        decide(&stage, &[word, "--reason", "so be it"]).exits(exits);
        let starts = stage.lab.events_of("step_started");
        let count = |step: &str| starts.iter().filter(|event| event["step"] == step).count();
        assert_eq!(count("a"), if word == "retry" { 2 } else { 1 }, "{word}");
        assert_eq!(count("after") == 1, after, "{word}");
        decide(&stage, &[word, "--reason", "again"]).exits(2);
        assert_eq!(stage.lab.events_of("decided").len(), 1, "{word}");
    }
}

#[test]
fn a_time_out_pauses_too() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps: [{ id: a, uses: puppet, timeout: 200ms, on_failure: pause,
                         with: { actions: [{ do: sleep, milliseconds: 60000 }] } }]"#,
        )
        .exits(3);
    let waiting = stage.event("step_waiting");
    assert_eq!(waiting["failure"]["kind"], "timed_out", "{waiting}");
}

/// A step that sends three requests; the answer to the second one is lost.
fn lost(stage: &Stage, extra: &str) -> Said {
    let lost = Fault::new(Effect::DropAfter).path("/lost");
    stage.cloud.fail(lost);
    stage.run(&format!(
        r#"steps:
  - id: a
    needs: []
    uses: puppet
    allow: ["* https://*.simcloud.test/**"]
    {extra}
    with:
      actions:
        - {{ do: send, method: POST, url: "{ECHO}/one", body: x, must: true }}
        - {{ do: send, method: POST, url: "{ECHO}/lost", body: y }}
        - {{ do: send, method: POST, url: "{ECHO}/two", must: true }}
  - {{ id: after, needs: [a], uses: noop }}
finally: [{{ id: tell, uses: noop }}]
"#
    ))
}

#[test]
fn what_has_happened_is_gone_on_from_with_its_answer() {
    let stage = Stage::new();
    lost(&stage, "").exits(3).says("in doubt");
    let show = stage.lab.sandbook(&["show", "@last"]).ok();
    let show = show
        .says("POST https://echo.simcloud.test/lost")
        .says("happened")
        .says("it was not done");
    assert!(!show.out.contains("tell  waits"), "finally has not run");
    stage.lab.write(
        "answer.txt",
        "HTTP/1.1 201 Created\r\nx-id: 7\r\n\r\nthe answer",
    );
    decide(
        &stage,
        &[
            "happened",
            "--answer",
            "answer.txt",
            "--reason",
            "it is there",
        ],
    )
    .ok();
    assert_eq!(paths(&stage), ["POST /one", "POST /lost", "POST /two"]);
    let results = stage.output("a", "results");
    assert_eq!(results[1]["status"], 201, "{results}");
    assert_eq!(results[1]["body"], "the answer", "{results}");
    assert_eq!(stage.event("run_finished")["status"], "succeeded");
}

#[test]
fn what_has_not_happened_is_sent_and_nothing_else() {
    let stage = Stage::new();
    lost(&stage, "").exits(3);
    // Once more its answer is lost.
    stage
        .cloud
        .fail(Fault::new(Effect::DropAfter).path("/lost"));
    decide(&stage, &["a", "retry", "--reason", "it is not there"]).exits(3);
    let sent = ["POST /one", "POST /lost", "POST /two", "POST /lost"];
    assert_eq!(paths(&stage), sent);
    decide(&stage, &["a", "retry", "--reason", "still not there"]).ok();
    assert_eq!(paths(&stage), [&sent[..], &["POST /lost"]].concat());
}

#[test]
fn what_is_given_up_stays_in_doubt() {
    let stage = Stage::new();
    lost(&stage, "").exits(3);
    decide(&stage, &["a", "abort", "--reason", "enough"]).exits(1);
    let failed = stage.event("step_failed");
    assert_eq!(failed["in_doubt"], 2, "{failed}");
    decide(&stage, &["a", "retry", "--reason", "no"]).exits(2);
}

#[test]
fn with_on_doubt_continue_the_rest_goes_on_while_the_doubt_stays_open() {
    let stage = Stage::new();
    lost(&stage, "on_doubt: continue")
        .exits(3)
        .says("what needs it goes on");
    let done: Vec<_> = stage.lab.events_of("step_succeeded");
    let done: Vec<&str> = done.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(done, ["after", "tell"]);
    assert!(stage.lab.events_of("run_finished").is_empty());
    decide(&stage, &["happened", "--reason", "seen it"]).ok();
    let started = stage.lab.events_of("step_started");
    assert_eq!(started.len(), 4, "a twice, the others once: {started:#?}");
}

#[test]
fn a_doubt_waits_whatever_the_runbook_says_of_failures() {
    let stage = Stage::new();
    let extra = "on_failure: continue\n    retry: { attempts: 5, delay: 1ms }";
    lost(&stage, extra).exits(3);
    assert_eq!(stage.lab.events_of("step_started").len(), 1);
    decide(&stage, &["skip", "--reason", "x"])
        .exits(2)
        .says("doesn't fit");
}

#[test]
fn a_live_process_acts_on_what_another_one_puts_on_record() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - { id: confirm, needs: [], approval: { message: go? } }
  - { id: long, needs: [], wait: 4s }
  - { id: after, needs: [confirm], uses: noop }
"#,
    );
    until("it waits", || stage.count("step_waiting") == 1);
    decide(&stage, &["approve"]).ok().says("another process");
    until("it has gone on", || stage.count("step_succeeded") >= 2);
    assert_eq!(stage.count("run_resumed"), 0);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn several_that_wait_are_told_apart_by_name() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, needs: [], approval: { message: a? } }, { id: b, needs: [], approval: { message: b? } }]")
        .exits(3);
    decide(&stage, &["approve"]).exits(2).says("`a`, `b`");
    decide(&stage, &["c", "approve"])
        .exits(2)
        .says("no step `c`");
    decide(&stage, &["a", "maybe"])
        .exits(2)
        .says("not a decision");
    decide(&stage, &["a", "approve"]).exits(3);
    decide(&stage, &["approve"]).ok();
}

#[test]
fn a_dry_run_asks_nobody() {
    let stage = Stage::new();
    stage
        .run_with(
            r#"steps:
  - { id: a, approval: { message: a? } }
  - { id: b, manual: { instructions: call } }
  - { id: c, uses: puppet, on_failure: pause, with: { actions: [{ do: fail }] } }
"#,
            &["--dry-run"],
        )
        .exits(1);
    assert!(stage.lab.events_of("step_waiting").is_empty());
}

#[test]
fn nobody_is_asked_for_what_would_only_lead_on_in_a_run_that_is_broken() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: confirm, needs: [], approval: { message: go? } }
  - { id: broken, needs: [], assert: { condition: "false", message: broken } }
  - { id: after, needs: [confirm], uses: noop }
finally: [{ id: tell, uses: noop }]
"#,
        )
        .exits(1)
        .says("broken");
    let told = stage.lab.events_of("step_succeeded");
    assert_eq!(told[0]["step"], "tell");
}
