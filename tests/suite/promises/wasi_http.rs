//! A plugin with an HTTP client of its own: what it sends by `wasi:http` passes the same gate, in the order in which it
//! was handed over. That every refusal and every secret is treated alike is tested in `forbidden` and `spills`.

mod client;
mod hostile;
mod packed;

use serde_json::Value;

use super::stage::Stage;

/// A job with one step that does this, by `wasi:http`, with all that it needs.
fn job(actions: &str) -> String {
    format!(
        r#"steps:
  - id: a
    uses: puppet
    credentials: {{ api: api }}
    allow: ["* https://echo.simcloud.test/**", "* https://slow.simcloud.test/**", "* https://large.simcloud.test/**"]
    with:
      actions:
{actions}
"#
    )
    .replace("do: send", "do: send, by: wasi")
}

/// What reached the cloud, in its order: `METHOD PATH`.
fn arrived(stage: &Stage) -> Vec<String> {
    let requests = stage.cloud.requests().into_iter();
    requests
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

/// The kinds of the last run's events that are about requests.
fn recorded(stage: &Stage) -> Vec<String> {
    let events = stage.lab.events().into_iter();
    events
        .filter_map(|event| event["kind"].as_str().map(str::to_owned))
        .filter(|kind| kind.starts_with("request_"))
        .collect()
}

/// What the step's actions came to.
#[track_caller]
fn results(stage: &Stage) -> Value {
    stage.output("a", "results")
}
