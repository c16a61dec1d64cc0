//! The command line as its users see it.

mod given;
mod look;
mod project;
mod run;
mod terminal;

use serde_json::json;
use simcloud::{Cloud, Options, world};

use crate::support::Lab;

/// A small project: one runbook that reads, changes and says something, and the cloud that it talks to.
fn desk() -> (Cloud, Lab) {
    let cloud = Cloud::start_thread(Options::healthy()).unwrap();
    let lab = Lab::new();
    let hooks = format!("https://{}", world::HOOKS_HOST);
    let environment = json!({
        "name": "drill",
        "ceiling": [format!("* {hooks}/**")],
        "network": { "reroute": { hooks.as_str(): cloud.origin() } },
    });
    lab.write("environments/drill.yaml", &environment.to_string());
    lab.write("tell.yaml", TELL);
    (cloud, lab)
}

const TELL: &str = "\
name: tell
description: Tells the team something.
inputs:
  text: { type: string, min: 1, max: 80, description: What to tell. }
  times: { type: integer, default: 1, min: 1, max: 3, description: How often. }
checks:
  - condition: ${{ inputs.text != 'nothing' }}
    message: there is nothing to tell
steps:
  - id: prepare
    uses: noop
  - id: post
    name: Post it
    uses: http-request
    with:
      method: POST
      url: https://hooks.example-shop.com/services/ops
      json: { text: \"${{ inputs.text }}\" }
    allow: [POST https://hooks.example-shop.com/services/ops]
    retry: { attempts: 2, delay: 10ms }
    timeout: 20s
  - id: again
    if: inputs.times > 1
    uses: noop
outputs: { told: \"${{ inputs.text }}\" }
";

const RUN: [&str; 6] = ["run", "tell", "--env", "drill", "-i", "text=all is well"];
