//! People who decide while something else happens: another one decides, the run is taken up, is cancelled, has failed.

use simcloud::{Effect, Fault, world};

use super::stage::{Stage, until};
use crate::support::Said;

const ECHO: &str = "https://echo.simcloud.test";

fn sandbook(stage: &Stage, words: &[&str]) -> Said {
    stage.lab.sandbook(words)
}

fn posts(stage: &Stage) -> Vec<String> {
    let arrived = stage.arrived("POST");
    let arrived = arrived
        .into_iter()
        .filter(|it| it.host == "echo.simcloud.test");
    arrived.map(|request| request.path).collect()
}

#[test]
fn what_is_said_while_a_run_is_taken_up_counts() {
    let stage = Stage::new();
    let environment = format!(
        "name: test
credentials:
  api:
    kind: oauth2_client_credentials
    token_url: https://{login}/{tenant}/oauth2/v2.0/token
    client_id: {client}
    scope: {scope}
    secret: {{ literal: {secret} }}
    origins: [https://{management}]
ceiling: [\"* {ECHO}/**\"]
network:
  reroute: {{ https://{login}: {cloud}, https://{management}: {cloud}, {ECHO}: {cloud} }}
",
        login = world::LOGIN_HOST,
        tenant = world::TENANT,
        client = world::CLIENT_ID,
        scope = world::SCOPE,
        secret = world::CLIENT_SECRET,
        management = world::MANAGEMENT_HOST,
        cloud = stage.cloud.origin(),
    );
    stage.lab.write("environments/test.yaml", &environment);
    stage
        .run(&format!(
            r#"steps:
  - {{ id: go, approval: {{ message: go? }} }}
  - id: act
    uses: puppet
    credentials: {{ api: api }}
    allow: ["* {ECHO}/*"]
    with: {{ actions: [{{ do: send, method: POST, url: "{ECHO}/act", must: true }}] }}
"#
        ))
        .exits(3);
    let tokens = || stage.cloud.requests().len();
    let before = tokens();
    let late = Effect::Delay { milliseconds: 1500 };
    stage.cloud.fail(Fault::new(late).host(world::LOGIN_HOST));
    let mut child = stage.lab.start(&["decide", "@last", "approve"]);
    until("it gets its token", || tokens() > before);
    sandbook(&stage, &["cancel", "@last"]).ok();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(posts(&stage).is_empty(), "nothing was sent");
    assert_eq!(stage.event("run_finished")["status"], "cancelled");
}

#[test]
fn of_two_doubts_that_are_decided_at_once_neither_is_sent_again() {
    let stage = Stage::new();
    for path in ["/one", "/two"] {
        stage.cloud.fail(Fault::new(Effect::status(500)).path(path));
    }
    let mut child = stage.start(&format!(
        r#"steps:
  - {{ id: long, needs: [], wait: 6s }}
  - id: act
    needs: []
    uses: puppet
    allow: ["* {ECHO}/*"]
    with:
      actions:
        - {{ do: send, method: POST, url: "{ECHO}/one" }}
        - {{ do: send, method: POST, url: "{ECHO}/two" }}
        - {{ do: fail_unless, attempt: 2 }}
"#
    ));
    until("it is in doubt", || stage.count("step_waiting") == 1);
    for _ in 0..2 {
        sandbook(&stage, &["decide", "@last", "happened", "--reason", "seen"]).ok();
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut sent = posts(&stage);
    sent.sort();
    assert_eq!(sent, ["/one", "/two"]);
}

#[test]
fn a_decision_about_an_earlier_attempt_is_refused() {
    let stage = Stage::new();
    let fails =
        "steps: [{ id: a, uses: puppet, on_failure: pause, with: { actions: [{ do: fail }] } }]";
    stage.run(fails).exits(3).says("--attempt 1");
    let retry = [
        "decide",
        "@last",
        "retry",
        "--reason",
        "once more",
        "--attempt",
        "1",
    ];
    sandbook(&stage, &retry).exits(3);
    sandbook(&stage, &retry)
        .exits(2)
        .says("isn't what you looked at");
    assert_eq!(stage.count("step_started"), 2);
}

#[test]
fn a_run_that_was_at_what_it_does_on_failure_can_be_cancelled() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps: [{ id: broken, assert: { condition: "false", message: no } }]
on_failure: [{ id: call, manual: { instructions: call somebody } }, { id: never, uses: noop }]
finally: [{ id: tell, uses: noop }]
"#,
        )
        .exits(3);
    sandbook(&stage, &["cancel", "@last"]).ok();
    let told = stage.lab.events_of("step_succeeded");
    assert_eq!((told.len(), &told[0]["step"]), (1, &"tell".into()));
}

#[test]
fn what_is_done_in_any_case_goes_on_asking_when_the_run_is_cancelled() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps: [{ id: first, uses: noop }]
finally:
  - { id: call, needs: [], manual: { instructions: call somebody } }
  - { id: long, needs: [], wait: 3s }
"#,
    );
    until("it asks", || stage.count("step_waiting") == 1);
    sandbook(&stage, &["cancel", "@last"]).ok();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    sandbook(&stage, &["decide", "@last", "done", "--reason", "called"]).exits(1);
    assert_eq!(stage.event("run_finished")["status"], "cancelled");
}

#[test]
fn a_rejection_that_is_paused_at_outlives_the_time_for_the_approval() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - { id: go, needs: [], on_failure: pause, approval: { message: go?, timeout: 2s } }
  - { id: long, needs: [], wait: 4s }
"#,
    );
    until("it asks", || stage.count("step_waiting") == 1);
    sandbook(&stage, &["decide", "@last", "reject", "--reason", "no"]).ok();
    assert_eq!(child.wait().unwrap().code(), Some(3), "it is paused");
    assert_eq!(stage.count("step_waiting"), 2);
    sandbook(&stage, &["decide", "@last", "abort", "--reason", "no"]).exits(1);
}

#[test]
fn an_approval_just_before_its_time_is_over_counts() {
    let stage = Stage::new();
    let mut child = stage.start(
        r#"steps:
  - { id: go, needs: [], approval: { message: go?, timeout: 2s } }
  - { id: long, needs: [], wait: 4s }
"#,
    );
    until("it asks", || stage.count("step_waiting") == 1);
    let waiting = stage.event("step_waiting");
    let expires_at = waiting["waiting"]["approval"]["expires_at"]
        .as_u64()
        .unwrap();
    let now = || u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    until("little of its time is left", || now() + 200 > expires_at);
    let said = sandbook(&stage, &["decide", "@last", "approve"]);
    let status = child.wait().unwrap().code();
    // On a slow machine it is too late, and is refused: then it is rejected. What is on record counts.
    match said.status {
        Some(0) => assert_eq!(status, Some(0), "{said:?}"),
        _ => assert_eq!((said.status, status), (Some(2), Some(1)), "{said:?}"),
    }
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_not_gone_over_by_a_retry() {
    let stage = Stage::new();
    stage
        .run("inputs: { n: { type: integer, default: 0 } }\nsteps: [{ id: a, if: '(10 // inputs.n) > 1', uses: noop, on_failure: pause }]")
        .exits(1);
    assert_eq!(stage.count("step_waiting"), 0);
}

#[test]
fn a_retry_asks_anew_for_what_the_step_or_the_person_says_has_had_no_effect() {
    for (start_over, words, sent) in [
        (true, &["retry"][..], 2),
        (false, &["retry"][..], 1),
        (false, &["retry", "--fresh"][..], 2),
    ] {
        let stage = Stage::new();
        stage
            .run(&format!(
                r#"steps:
  - id: a
    uses: puppet
    on_failure: pause
    allow: ["* {ECHO}/*"]
    with:
      actions:
        - {{ do: send, method: POST, url: "{ECHO}/made", must: true }}
        - {{ do: fail_unless, attempt: 2, kind: not-found, start_over: {start_over} }}
"#
            ))
            .exits(3);
        let all = [&["decide", "@last"], words, &["--reason", "looked"]].concat();
        sandbook(&stage, &all).ok();
        assert_eq!(posts(&stage).len(), sent, "{start_over} {words:?}");
        let done = stage.event("step_succeeded");
        assert_eq!(done["changed"], !start_over, "{done}");
    }
}
