//! What an honest client has of it.

use rustix::process::{Pid, Signal, kill_process};
use simcloud::{Effect, Fault};

use super::{arrived, job, recorded, results};
use crate::promises::stage::{SECRET, Stage, until};

#[test]
fn a_request_is_sent_as_it_was_written_and_with_the_credential_that_it_names() {
    let stage = Stage::new();
    stage
        .run(&job(
            r#"        - { do: send, method: POST, url: "https://echo.simcloud.test/x?y=z", slot: api, body: hello, headers: { X-Own: mine, Content-Length: "5" }, must: true }
        - { do: send, url: "https://echo.simcloud.test/plain", must: true }
"#,
        ))
        .ok();
    let requests = stage.cloud.requests();
    assert_eq!(arrived(&stage), ["POST /x?y=z", "GET /plain"]);
    let bearer = format!("Bearer {SECRET}");
    assert_eq!(requests[0].header("authorization"), Some(bearer.as_str()));
    assert_eq!(requests[0].header("x-own"), Some("mine"));
    assert_eq!(requests[0].header("sandbook-credential"), None);
    assert_eq!(requests[1].header("authorization"), None);
    let answer = &results(&stage)[0];
    assert_eq!(answer["status"], 200);
    let body = answer["body"].as_str().unwrap();
    assert!(body.contains("hello") && !body.contains(SECRET), "{body}");
    let begun = stage.event("request_begun");
    assert_eq!(begun["asked"]["slot"], "api", "{begun}");
    assert_eq!(
        recorded(&stage),
        ["request_begun", "request_ended", "request_read"]
    );
}

#[test]
fn requests_pass_in_the_order_in_which_they_were_handed_over() {
    let stage = Stage::new();
    // Both interfaces take turns: the second waits for all that the first was given.
    stage
        .run(&job(
            r#"        - { do: misuse, how: backwards, count: 5, method: PUT, url: "https://echo.simcloud.test/N" }
        - { do: misuse, how: drop_futures, count: 3, method: PUT, url: "https://echo.simcloud.test/dropped/N" }
        - { do: send, method: PUT, url: "https://echo.simcloud.test/last" }
"#,
        ).replace("do: send, by: wasi", "do: send"))
        .ok();
    let numbered = (0..5).map(|number| format!("PUT /{number}"));
    let dropped = (0..3).map(|number| format!("PUT /dropped/{number}"));
    let all: Vec<String> = numbered
        .chain(dropped)
        .chain(["PUT /last".to_owned()])
        .collect();
    assert_eq!(arrived(&stage), all);
    assert_eq!(
        results(&stage)[0],
        serde_json::json!([200, 200, 200, 200, 200])
    );
}

#[test]
fn a_dry_run_holds_back_what_could_change_something() {
    let stage = Stage::new();
    stage
        .run_with(
            &job(
                r#"        - { do: send, url: "https://echo.simcloud.test/look" }
        - { do: send, method: POST, repeatable: true, url: "https://echo.simcloud.test/change" }
"#,
            ),
            &["--dry-run"],
        )
        .ok()
        .says("POST https://echo.simcloud.test/change");
    assert_eq!(arrived(&stage), ["GET /look"]);
    let logged = stage.event("logged");
    assert_eq!(logged["level"], "warn");
    assert_eq!(
        logged["message"],
        "wasi:http: held back: `POST https://echo.simcloud.test/change`: this is a dry run"
    );
}

#[test]
fn a_retry_is_answered_from_the_record() {
    let stage = Stage::new();
    let retried = job(
        r#"        - { do: send, method: POST, url: "https://echo.simcloud.test/x", body: hello, must: true }
        - { do: fail_unless, attempt: 2 }
        - { do: send, method: POST, url: "https://echo.simcloud.test/y", must: true }
"#,
    );
    let retried = retried.replace(
        "    uses:",
        "    retry: { attempts: 2, delay: 10ms }\n    uses:",
    );
    stage.run(&retried).ok();
    assert_eq!(arrived(&stage), ["POST /x", "POST /y"]);
    assert!(
        results(&stage)[0]["body"]
            .as_str()
            .unwrap()
            .contains("hello")
    );
}

#[test]
fn a_run_that_died_is_answered_from_the_record() {
    let stage = Stage::new();
    let mut child = stage.start(&job(
        r#"        - { do: send, method: POST, url: "https://echo.simcloud.test/one", body: x, must: true }
        - { do: in_attempt, attempt: 1, then: { do: sleep, milliseconds: 60000 } }
        - { do: send, method: POST, url: "https://echo.simcloud.test/two", must: true }
"#,
    ));
    until("the first request is through", || {
        stage.count("request_ended") == 1
    });
    kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
    child.wait().unwrap();
    stage.lab.sandbook(&["resume", "@last"]).ok();
    assert_eq!(arrived(&stage), ["POST /one", "POST /two"]);
    assert_eq!(results(&stage)[0]["status"], 200);
}

#[test]
fn a_lost_answer_is_a_doubt_unless_the_request_says_that_it_is_none() {
    let lost = |more: &str| {
        let stage = Stage::new();
        stage.cloud.fail(Fault::new(Effect::DropAfter));
        let send = format!(
            "        - {{ do: send, method: POST, url: \"https://echo.simcloud.test/x\"{more} }}"
        );
        (stage.run(&job(&send)), stage)
    };
    let (said, stage) = lost("");
    said.exits(3).says("in doubt");
    assert_eq!(arrived(&stage), ["POST /x"]);
    let (said, stage) = lost(", repeatable: true");
    said.ok();
    assert_eq!(results(&stage)[0]["error"], "unreachable");
}

#[test]
fn a_client_gets_the_code_that_comes_closest() {
    let stage = Stage::new();
    let large = "        - { do: send, url: \"https://large.simcloud.test/9000000\" }\n";
    let late = "        - { do: send, url: \"https://slow.simcloud.test/60000\", timeout_milliseconds: 50 }\n";
    let refused = "        - { do: send, url: \"https://status.simcloud.test/200\" }\n";
    stage.run(&job(&[large, late, refused].concat())).ok();
    let results = results(&stage);
    let errors: Vec<_> = (0..3).map(|at| results[at]["error"].clone()).collect();
    assert_eq!(errors, ["too-large", "timed-out", "denied"]);
    let told: Vec<String> = stage
        .lab
        .events_of("logged")
        .iter()
        .map(|event| event["message"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        told[0].contains("`limits: { response_body: … }`"),
        "{told:?}"
    );
    assert!(told[1].contains("within 50ms"), "{told:?}");
    assert!(told[2].contains("is not granted"), "{told:?}");
}
