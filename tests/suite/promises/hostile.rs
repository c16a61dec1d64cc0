//! Plugins that an attacker wrote: the worst that happens is that the step fails, with words for it. After each, an
//! innocent step comes to what it should.

mod compiling;
mod guest;
mod manifest;
mod memory;
mod terminal;

use super::stage::Stage;

/// Runs an innocent step, and has its result be right.
#[track_caller]
fn all_is_well_after(stage: &Stage) {
    stage
        .run(
            r#"steps:
  - id: innocent
    uses: puppet
    allow: [GET https://echo.simcloud.test/*]
    with: { actions: [{ do: compute, rounds: 1001 }, { do: send, url: "https://echo.simcloud.test/innocent", must: true }] }
"#,
        )
        .ok();
    let results = stage.output("innocent", "results");
    assert_eq!(results[0], 500_500);
    assert_eq!(results[1]["status"], 200);
}
