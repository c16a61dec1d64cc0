//! Grants only narrow, and nothing else opens a way out.

use super::stage::Stage;

#[test]
fn a_request_that_no_grant_covers_is_denied_and_recorded() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: [GET https://echo.simcloud.test/allowed/*]
    with:
      actions:
        - { do: send, url: "https://echo.simcloud.test/other" }
        - { do: send, method: POST, url: "https://echo.simcloud.test/allowed/x" }
        - { do: send, url: "https://status.simcloud.test/200" }
        - { do: send, url: "https://echo.simcloud.test/allowed/../other" }
        - { do: send, url: "https://echo.simcloud.test/allowed/x/y" }
        - { do: send, url: "https://echo.simcloud.test/allowed/x" }
"#,
        )
        .ok();
    let results = stage.output("a", "results");
    for denied in &results.as_array().unwrap()[..5] {
        assert_eq!(denied["error"], "denied", "{denied}");
    }
    assert_eq!(results[5]["status"], 200);
    let denied = stage.lab.events_of("request_denied");
    assert_eq!(denied.len(), 5);
    assert_eq!(denied[1]["asked"]["method"], "POST");
    assert!(denied.iter().all(|event| event["why"] != ""));
    let paths: Vec<_> = stage
        .cloud
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/allowed/x"]);
}

#[test]
fn without_allow_nothing_leaves() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    with: { actions: [{ do: send, url: "https://echo.simcloud.test/" }] }
"#,
        )
        .ok();
    assert_eq!(stage.output("a", "results")[0]["error"], "denied");
    assert!(stage.cloud.requests().is_empty());
}

#[test]
fn the_ceiling_narrows_what_a_step_is_granted() {
    let stage = Stage::new();
    stage.ceiling(&["GET https://echo.simcloud.test/**"]);
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["* https://echo.simcloud.test/**"]
    with:
      actions:
        - { do: send, method: DELETE, url: "https://echo.simcloud.test/x" }
        - { do: send, url: "https://echo.simcloud.test/x" }
"#,
        )
        .ok()
        .says("allows only a part of");
    assert!(stage.arrived("DELETE").is_empty());
    assert_eq!(stage.arrived("GET").len(), 1);
    let denied = stage.event("request_denied");
    assert!(denied["why"].as_str().unwrap().contains("ceiling"));
}

#[test]
fn a_redirect_is_not_followed() {
    let stage = Stage::new();
    stage
        .run(
            r#"steps:
  - id: a
    uses: puppet
    allow: [GET https://redirect.simcloud.test/]
    with:
      actions:
        - { do: send, url: "https://redirect.simcloud.test/?to=https://echo.simcloud.test/x&status=307" }
"#,
        )
        .ok();
    assert_eq!(stage.output("a", "results")[0]["status"], 307);
    assert_eq!(stage.cloud.requests().len(), 1);
}

#[test]
fn the_guest_sees_nothing_of_its_host() {
    let stage = Stage::new();
    stage
        .run("steps: [{ id: a, uses: puppet, with: { actions: [{ do: surroundings }] } }]")
        .ok();
    let seen = &stage.output("a", "results")[0];
    assert_eq!(seen["variables"], 0, "{seen}");
    assert_eq!(seen["files"], false, "{seen}");
    assert_eq!(seen["connects"], false, "{seen}");
}

#[test]
fn what_fills_a_grant_stays_in_its_place() {
    let stage = Stage::new();
    let job = r#"inputs: { page: { type: string } }
steps:
  - id: a
    uses: puppet
    allow: ["GET https://echo.simcloud.test/${{ inputs.page }}/view"]
    with: { actions: [{ do: send, url: "https://echo.simcloud.test/other/view" }] }
"#;
    for page in ["*", "**", "a/b", "..", ""] {
        let said = stage.run_with(job, &["-i", &format!("page={page}")]);
        let refused = said.status == Some(2);
        let denied = || stage.output("a", "results")[0]["error"] == "denied";
        assert!(refused || denied(), "{page}: {said:?}");
    }
    assert!(stage.cloud.requests().is_empty());
    stage.run_with(job, &["-i", "page=other"]).ok();
    assert_eq!(stage.cloud.requests().len(), 1);
}
