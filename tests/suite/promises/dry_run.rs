//! A dry run changes nothing, and says what it would have.

use super::stage::Stage;

#[test]
fn a_dry_run_reads_and_holds_back_the_rest() {
    let stage = Stage::new();
    stage
        .run_with(
            r#"steps:
  - id: look
    uses: puppet
    allow: [GET https://echo.simcloud.test/*]
    with: { actions: [{ do: send, url: "https://echo.simcloud.test/look", must: true }] }
  - id: change
    uses: puppet
    allow: [POST https://echo.simcloud.test/*]
    with: { actions: [{ do: send, method: POST, url: "https://echo.simcloud.test/change", must: true }] }
  - id: depends
    uses: puppet
    with: { actions: "${{ steps.change.outputs.results }}" }
  - { id: pause, wait: 1h }
"#,
            &["--dry-run"],
        )
        .ok()
        .says("POST https://echo.simcloud.test/change");
    let paths: Vec<_> = stage
        .cloud
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(paths, ["/look"]);
    let held = stage.event("request_held");
    assert_eq!(held["step"], "change");
    let skipped = stage.lab.events_of("step_skipped");
    assert_eq!(skipped[0]["step"], "depends");
    assert_eq!(
        skipped[0]["reason"]["listed"]["unknown"][0],
        "steps.change.outputs.results"
    );
    assert_eq!(skipped[1]["step"], "pause");
    assert_eq!(skipped[1]["reason"], "listed_only");
}

#[test]
fn a_dry_run_holds_back_whatever_the_plugin_calls_repeatable() {
    let stage = Stage::new();
    stage
        .run_with(
            r#"steps:
  - id: a
    uses: puppet
    allow: ["* https://echo.simcloud.test/*"]
    with:
      actions:
        - { do: send, method: PUT, url: "https://echo.simcloud.test/x" }
        - { do: send, method: POST, repeatable: true, url: "https://echo.simcloud.test/x" }
        - { do: send, method: DELETE, url: "https://echo.simcloud.test/x" }
"#,
            &["--dry-run"],
        )
        .ok();
    assert!(stage.cloud.requests().is_empty());
    assert_eq!(stage.lab.events_of("request_held").len(), 3);
}
