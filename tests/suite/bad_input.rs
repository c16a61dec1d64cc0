//! Bad input: each gets a message that names the place and the next step, and nothing is sent.

mod component;
mod document;
mod surroundings;

use serde_json::json;
use simcloud::{Cloud, Options, world};

use crate::support::{Lab, Said};

/// A project whose runbook `good` sends a request, and the cloud that would get it.
struct Bench {
    cloud: Cloud,
    lab: Lab,
}

impl Bench {
    fn new() -> Bench {
        let cloud = Cloud::start_thread(Options::healthy()).unwrap();
        let lab = Lab::new();
        let echo = format!("https://{}", world::ECHO_HOST);
        let environment = json!({
            "name": "bench",
            "credentials": {
                "echo": { "kind": "bearer", "secret": { "literal": "a-secret-of-the-bench" }, "origins": [echo] },
            },
            "ceiling": [format!("* {echo}/**")],
            "network": { "reroute": { echo.as_str(): cloud.origin() } },
        });
        lab.write("environments/bench.yaml", &environment.to_string());
        lab.write("good.yaml", GOOD);
        Bench { cloud, lab }
    }

    /// Writes a runbook and has it refused, with these words and nothing sent.
    #[track_caller]
    fn refuses(&self, runbook: &str, words: &[&str]) -> Said {
        self.lab.write("bad.yaml", runbook);
        self.refuses_to(&["run", "bad.yaml", "--env", "bench"], words)
    }

    #[track_caller]
    fn refuses_to(&self, arguments: &[&str], words: &[&str]) -> Said {
        let mut said = self.lab.sandbook(arguments).exits(2);
        for word in words {
            said = said.says(word);
        }
        assert!(self.cloud.requests().is_empty(), "something was sent");
        said
    }
}

const GOOD: &str = "\
name: good
inputs:
  count: { type: integer, min: 1, max: 3, description: How many. }
steps:
  - id: send
    uses: http-request
    with: { url: https://echo.simcloud.test/ }
    credentials: { auth: echo }
    allow: [GET https://echo.simcloud.test/]
";
