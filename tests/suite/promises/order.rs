//! What runs when: needs, conditions, failures, retries, waits, expressions.

use serde_json::{Value, json};

use super::stage::{Stage, place};

/// A step that fails.
const FAIL: &str = "{ actions: [{ do: fail, message: on purpose }] }";

#[test]
fn steps_wait_for_what_they_need_and_for_nothing_else() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: slow, uses: puppet, with: { actions: [{ do: sleep, milliseconds: 700 }] } }
  - { id: aside, needs: [], uses: puppet, with: { actions: [{ do: sleep, milliseconds: 100 }] } }
  - { id: after_aside, needs: [aside], uses: noop }
  - { id: last, uses: noop }
"#,
        )
        .ok();
    let events = stage.lab.events();
    let at = |kind, step| place(&events, kind, step);
    assert!(at("step_started", "aside") < at("step_succeeded", "slow"));
    assert!(at("step_started", "after_aside") > at("step_succeeded", "aside"));
    assert!(at("step_succeeded", "after_aside") < at("step_succeeded", "slow"));
    assert!(at("step_started", "last") > at("step_succeeded", "slow"));
}

#[test]
fn a_step_whose_condition_is_false_is_skipped_and_satisfies() {
    let stage = Stage::new();
    stage
        .run_with(
            r#"inputs: { wanted: { type: boolean } }
steps:
  - { id: a, if: inputs.wanted, uses: noop }
  - { id: b, needs: [a], if: "steps.a.status == 'skipped'", uses: noop }
"#,
            &["-i", "wanted=false"],
        )
        .ok();
    let skipped = stage.event("step_skipped");
    assert_eq!(skipped["step"], "a");
    assert_eq!(skipped["reason"], "condition");
    assert_eq!(stage.event("step_succeeded")["step"], "b");
}

#[test]
fn a_failure_ends_the_run_and_its_sections_run() {
    let stage = Stage::new();
    stage
        .run(&format!(
            r#"steps:
  - {{ id: bad, uses: puppet, with: {FAIL} }}
  - {{ id: never, uses: noop }}
on_failure:
  - {{ id: rescue, uses: noop }}
finally:
  - id: tell
    uses: puppet
    with:
      actions:
        - do: return
          data: {{ text: "${{{{ run.status }}}} at ${{{{ run.failed_step }}}}: ${{{{ steps.bad.error.message | default('nothing') }}}}" }}
"#
        ))
        .exits(1)
        .says("on purpose");
    let events = stage.lab.events();
    place(&events, "step_skipped", "never");
    assert!(place(&events, "step_succeeded", "rescue") < place(&events, "step_started", "tell"));
    let told = stage.output("tell", "text");
    assert_eq!(told, "failed at bad: on purpose");
    assert_eq!(stage.event("run_finished")["failed_step"], "bad");
}

#[test]
fn a_failure_that_is_let_pass_lets_the_run_go_on() {
    let stage = Stage::new();
    stage
        .run(&format!(
            r#"steps:
  - {{ id: bad, on_failure: continue, uses: puppet, with: {FAIL} }}
  - {{ id: next, uses: noop }}
on_failure:
  - {{ id: rescue, uses: noop }}
finally:
  - {{ id: tell, uses: noop }}
"#
        ))
        .ok();
    let events = stage.lab.events();
    place(&events, "step_succeeded", "next");
    place(&events, "step_succeeded", "tell");
    let rescued = |event: &Value| event["kind"] == "step_started" && event["step"] == "rescue";
    assert!(!events.iter().any(rescued));
    let finished = stage.event("run_finished");
    assert_eq!(finished["passed_failures"][0], "bad");
}

#[test]
fn outputs_reach_later_steps_with_their_types() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    with: { actions: [{ do: return, data: { results: [1, { deep: true }], text: seven } }] }
  - id: b
    uses: puppet
    with:
      actions: [{ do: return, data: { results: "${{ steps.a.outputs.results }}", text: "${{ steps.a.outputs.text }} and ${{ 1 + 2 }}" } }]
outputs: { told: "${{ steps.b.outputs.text | upper }}" }
"#,
        )
        .ok();
    assert_eq!(stage.output("b", "results"), json!([1, { "deep": true }]));
    let finished = stage.event("run_finished");
    assert_eq!(finished["outputs"]["told"]["value"], "SEVEN AND 3");
}

#[test]
fn retries_wait_longer_each_time_and_end() {
    let stage = Stage::new();
    stage
        .run(&format!(
            r#"steps:
  - id: a
    retry: {{ attempts: 3, delay: 200ms, backoff: exponential, max_delay: 5s }}
    uses: puppet
    with: {FAIL}
"#
        ))
        .exits(1);
    let times = |kind: &str, name: &str| -> Vec<u64> {
        let events = stage.lab.events_of(kind);
        events
            .iter()
            .map(|event| event[name].as_u64().unwrap())
            .collect()
    };
    let started = times("step_started", "time");
    let retry_at = times("attempt_failed", "retry_at");
    assert_eq!((started.len(), retry_at.len()), (3, 2));
    // Half of the time at least: how long a busy machine takes beside that isn't said.
    for (attempt, least) in [(0, 100), (1, 200)] {
        assert!(
            retry_at[attempt] >= started[attempt] + least,
            "{started:?} {retry_at:?}"
        );
        assert!(
            started[attempt + 1] >= retry_at[attempt],
            "{started:?} {retry_at:?}"
        );
    }
    assert_eq!(stage.event("step_failed")["attempt"], 3);
}

#[test]
fn a_failure_that_no_retry_helps_is_not_retried() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    retry: { attempts: 3, delay: 10ms }
    uses: puppet
    with: { actions: [{ do: fail, kind: invalid-input }] }
"#,
        )
        .exits(1);
    assert!(stage.lab.events_of("attempt_failed").is_empty());
}

#[test]
fn waits_take_their_time_and_assertions_hold() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: pause, wait: 400ms }
  - { id: sure, assert: { condition: steps.pause.status == 'succeeded', message: no pause } }
  - { id: wrong, assert: { condition: 1 > 2, message: "one is ${{ 0 + 1 }}" } }
"#,
        )
        .exits(1)
        .says("one is 1");
    let events = stage.lab.events();
    let time = |kind, step| events[place(&events, kind, step)]["time"].as_u64().unwrap();
    assert!(time("step_succeeded", "pause") >= time("step_started", "pause") + 390);
    place(&events, "step_succeeded", "sure");
}

#[test]
fn a_check_that_is_false_stops_the_run_before_it_begins() {
    let stage = Stage::new();
    stage
        .run(
            r#"checks: [{ condition: 1 > 2, message: not today }]
steps: [{ id: a, uses: noop }]
"#,
        )
        .exits(2)
        .says("not today");
    stage.lab.sandbook(&["runs"]).says("No runs");
}
