//! A guest cannot hurt its host.

use std::time::{Duration, Instant};

use super::stage::Stage;

/// Runs a step that does this for at most two seconds, and gives the message with which it failed. The host is unharmed after.
#[track_caller]
fn failing(action: &str) -> String {
    let stage = Stage::new();
    let begun = Instant::now();
    stage
        .run(&format!(
            "steps: [{{ id: a, timeout: 2s, uses: puppet, with: {{ actions: [{action}] }} }}]"
        ))
        .exits(1);
    assert!(begun.elapsed() < Duration::from_secs(30));
    let message = stage.failure();
    stage.run("steps: [{ id: a, uses: noop }]").ok();
    message
}

#[track_caller]
fn names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in `{message}`");
    }
}

#[test]
fn an_endless_loop_is_ended() {
    names(&failing("{ do: loop }"), &["2s", "time"]);
}

#[test]
fn an_endless_sleep_is_ended() {
    names(
        &failing("{ do: sleep, milliseconds: 600000 }"),
        &["2s", "time"],
    );
}

#[test]
fn a_request_that_is_never_answered_is_ended() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    timeout: 2s
    uses: puppet
    allow: [GET https://slow.simcloud.test/*]
    with: { actions: [{ do: send, url: "https://slow.simcloud.test/600000" }] }
"#,
        )
        .exits(1);
    names(&stage.failure(), &["2s", "time"]);
    assert_eq!(stage.event("step_failed")["failure"]["kind"], "timed_out");
}

#[test]
fn processor_time_is_bounded_and_the_next_step_is_unharmed() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: greedy, on_failure: continue, timeout: 10m, limits: { cpu: 1s }, retry: { attempts: 3, delay: 10ms }, uses: puppet, with: { actions: [{ do: loop }] } }
  - id: next
    uses: puppet
    allow: [GET https://echo.simcloud.test/*]
    with: { actions: [{ do: compute, rounds: 1001 }, { do: send, url: "https://echo.simcloud.test/next", must: true }] }
"#,
        )
        .ok();
    names(
        &stage.failure(),
        &[
            "1s",
            "processor time",
            "raise it with `limits: { cpu: … }` on the step",
        ],
    );
    let failed = stage.event("step_failed");
    assert_eq!(failed["failure"]["code"], "limit");
    assert_eq!(failed["attempt"], 1, "it would be reached again");
    let results = stage.output("next", "results");
    assert_eq!(results[0], 500_500);
    assert_eq!(results[1]["status"], 200);
}

#[test]
fn memory_is_bounded() {
    names(
        &failing("{ do: allocate, bytes: 1000000000 }"),
        &["512 MiB", "memory"],
    );
}

#[test]
fn a_step_can_have_more_than_is_usual() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, limits: { memory: 1GiB }, with: { actions: [{ do: allocate, bytes: 600000000 }] } }]")
        .ok();
    assert!(stage.output("a", "results")[0].as_u64().unwrap() >= 600_000_000);
}

#[test]
fn a_step_can_have_less_than_is_usual() {
    let stage = Stage::new();
    let lowered = |limits: &str, action: &str, words: &[&str]| {
        stage
            .run(&format!(
                "steps: [{{ id: a, uses: puppet, credentials: {{ api: api }}, limits: {{ {limits} }}, with: {{ actions: [{action}] }} }}]"
            ))
            .exits(1);
        names(&stage.failure(), words);
    };
    lowered(
        "memory: 64MiB",
        "{ do: allocate, bytes: 100000000 }",
        &["64 MiB for memory; raise it with `limits: { memory: … }` on the step"],
    );
    lowered(
        "output: 1kB",
        "{ do: big_output, bytes: 2000 }",
        &["1000 bytes for output size; raise it with `limits: { output: … }`"],
    );
    lowered(
        "handles: 5",
        "{ do: open, slot: api, times: 10 }",
        &["5 for open handles; raise it with `limits: { handles: … }`"],
    );
    stage
        .run("steps: [{ id: a, uses: puppet, limits: { log_lines: 3 }, with: { actions: [{ do: many_logs, count: 9, message: line }] } }]")
        .ok();
    let lines = stage.lab.events_of("logged");
    assert_eq!(lines.len(), 4);
    names(
        lines[3]["message"].as_str().unwrap(),
        &["the limit of 3 log lines"],
    );
}

#[test]
fn requests_and_their_bodies_are_a_steps_to_set() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["GET,POST https://echo.simcloud.test/*"]
    limits: { requests: 3, request_body: 10B, response_body: 100kB }
    with:
      actions:
        - { do: send, method: POST, url: "https://echo.simcloud.test/long", body: 12345678901 }
        - { do: send, method: POST, url: "https://echo.simcloud.test/fits", body: 1234567890 }
        - { do: send, url: "https://echo.simcloud.test/third" }
        - { do: send, url: "https://echo.simcloud.test/fourth" }
"#,
        )
        .ok();
    let results = stage.output("a", "results");
    for (index, said) in [(0, "10 bytes"), (3, "3 requests")] {
        assert_eq!(results[index]["error"], "too-large", "{results}");
        names(results[index]["message"].as_str().unwrap(), &[said]);
    }
    assert_eq!(results[1]["status"], 200, "{results}");
    assert_eq!(stage.cloud.requests().len(), 2);
}

#[test]
fn all_that_an_attempt_sends_and_gets_is_bounded_together() {
    let stage = Stage::new();
    let send = |method: &str, body: &str| {
        format!(
            "        - {{ do: send, method: {method}, url: \"https://echo.simcloud.test/x\"{body} }}\n"
        )
    };
    let put = |bytes: usize| send("PUT", &format!(", body: {}", "x".repeat(bytes)));
    let step = "steps:
  - id: a
    uses: puppet
    allow: [\"PUT https://echo.simcloud.test/*\"]
    limits: { traffic: 250kB }
    with:
      actions:
";
    // An echo sends three times as much back: the second answer is more than what is left, and so is the third request.
    let (puts, larger) = (put(40_000).repeat(2), put(70_000));
    stage.run(&format!("{step}{puts}{larger}")).ok();
    let results = stage.output("a", "results");
    assert_eq!(results[0]["status"], 200, "{results}");
    for (index, said) in [
        (1, "the answer's body is larger than"),
        (2, "may carry 250000 bytes together"),
    ] {
        assert_eq!(results[index]["error"], "too-large", "{results}");
        let message = results[index]["message"].as_str().unwrap();
        names(message, &[said, "`limits: { traffic: … }`"]);
    }
    assert_eq!(stage.arrived("PUT").len(), 2);
}

#[test]
fn an_environment_caps_what_a_step_may_use() {
    let stage = Stage::new();
    let path = stage.lab.path("environments/test.yaml");
    let environment = std::fs::read_to_string(&path).unwrap();
    let capped = format!("{environment}limits: {{ memory: 64MiB, timeout: 1m }}\n");
    stage.lab.write("environments/test.yaml", &capped);
    stage.job("steps: [{ id: a, uses: puppet, timeout: 2m, limits: { memory: 1GiB }, with: { actions: [] } }]");
    for arguments in [
        &["check", "job", "--env", "test"][..],
        &["plan", "job", "--env", "test"],
        &["run", "job", "--env", "test"],
    ] {
        stage
            .lab
            .sandbook(arguments)
            .exits(2)
            .says("environment `test` allows at most 64MiB here")
            .says("environment `test` allows at most 1m here")
            .says("raise `limits.memory` in the environment");
    }
    // What a step doesn't say is cut.
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: allocate, bytes: 100000000 }] } }]")
        .exits(1);
    names(
        &stage.failure(),
        &["64 MiB for memory; the environment allows no more: raise `limits.memory` there first"],
    );
    let plan = ["plan", "job", "--env", "test"];
    let said = stage.lab.sandbook(&plan).ok().says("memory 64MiB");
    assert!(said.out.contains("at most 1m"), "{}", said.out);
}

#[test]
fn what_is_dropped_or_refused_says_where_its_limit_is_raised() {
    let stage = Stage::new();
    let path = stage.lab.path("environments/test.yaml");
    let environment = std::fs::read_to_string(&path).unwrap();
    let capped = format!("{environment}limits: {{ response_body: 1kB }}\n");
    stage.lab.write("environments/test.yaml", &capped);
    let body = "x".repeat(2_000);
    stage
        .run(&format!(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["PUT https://echo.simcloud.test/*"]
    limits: {{ request_body: 4kB, log_lines: 3 }}
    with:
      actions:
        - {{ do: send, method: PUT, url: "https://echo.simcloud.test/x", body: {body} }}
        - {{ do: send, method: PUT, url: "https://echo.simcloud.test/x", body: {body}{body}{body} }}
        - {{ do: many_logs, count: 9, message: line }}
"#
        ))
        .ok();
    let results = stage.output("a", "results");
    for (index, said) in [
        (
            0,
            "the environment allows no more: raise `limits.response_body` there first",
        ),
        (1, "raise it with `limits: { request_body: … }` on the step"),
    ] {
        names(results[index]["message"].as_str().unwrap(), &[said]);
    }
    let lines = stage.lab.events_of("logged");
    names(
        lines.last().unwrap()["message"].as_str().unwrap(),
        &[
            "3 log lines",
            "raise it with `limits: { log_lines: … }` on the step",
        ],
    );
}

#[test]
fn the_stack_is_bounded() {
    names(
        &failing("{ do: recurse }"),
        &["1 MiB for stack", "no step can have more"],
    );
}

#[test]
fn output_is_bounded() {
    names(
        &failing("{ do: big_output, bytes: 2000000 }"),
        &["1 MiB", "output"],
    );
}

#[test]
fn handles_are_bounded() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    with: { actions: [{ do: open, slot: api, times: 100000 }] }
"#,
        )
        .exits(1);
    names(&stage.failure(), &["1000", "handles"]);
}

#[test]
fn log_lines_are_bounded_and_say_so() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: many_logs, count: 20000, message: line }] } }]")
        .ok();
    let lines = stage.lab.events_of("logged");
    assert!(lines.len() <= 10_001, "{}", lines.len());
    assert!(
        lines.last().unwrap()["message"]
            .as_str()
            .unwrap()
            .contains("limit"),
        "{:?}",
        lines.last()
    );
}

#[test]
fn log_bytes_are_bounded_and_say_so() {
    let stage = Stage::new();
    let line = "x".repeat(1_000);
    stage
        .run(&format!(
            "steps: [{{ id: a, uses: puppet, with: {{ actions: [{{ do: many_logs, count: 3000, message: {line} }}] }} }}]"
        ))
        .ok();
    let lines = stage.lab.events_of("logged");
    let length = |line: &serde_json::Value| line["message"].as_str().unwrap().len();
    let bytes: usize = lines.iter().map(length).sum();
    assert!((900_000..1_100_000).contains(&bytes), "{bytes} bytes");
    let last = lines.last().unwrap()["message"].as_str().unwrap();
    names(last, &["limit"]);
}

#[test]
fn what_one_step_used_up_the_next_has_again() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - { id: memory, on_failure: continue, uses: puppet, with: { actions: [{ do: allocate, bytes: 1000000000 }] } }
  - { id: stack, on_failure: continue, uses: puppet, with: { actions: [{ do: recurse }] } }
  - { id: output, on_failure: continue, uses: puppet, with: { actions: [{ do: big_output, bytes: 2000000 }] } }
  - { id: lines, uses: puppet, with: { actions: [{ do: many_logs, count: 10001, message: line }] } }
  - id: last
    uses: puppet
    with: { actions: [{ do: allocate, bytes: 100000000 }, { do: recurse, depth: 1000 }, { do: log, message: still heard }] }
"#,
        )
        .ok();
    assert_eq!(stage.lab.events_of("step_failed").len(), 3);
    let results = stage.output("last", "results");
    assert!(results[0].as_u64().unwrap() >= 100_000_000);
    assert_eq!(results[1], 1_000);
    let last = stage.lab.events_of("logged").pop().unwrap();
    assert_eq!(last["message"], "still heard");
}

#[test]
fn a_panic_fails_its_step_and_says_why() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: panic, message: out of cheese }] } }]")
        .exits(1);
    names(&stage.failure(), &["crashed"]);
    let lines = stage.lab.events_of("logged");
    let why =
        |line: &serde_json::Value| line["message"].as_str().unwrap().contains("out of cheese");
    assert!(lines.iter().any(why), "{lines:?}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let stage = Stage::new();
    let said = stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    with:
      actions:
        - { do: log, message: "\e]0;owned\a\e[2J" }
        - { do: print, text: "\e[31mred", error: true }
        - { do: fail, message: "\e[31mred" }
"#,
        )
        .exits(1);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'));
}
