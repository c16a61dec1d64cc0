//! One step of a plugin, run against a simulated cloud of its own.

use std::fmt;

use serde_json::{Value, json};
use simcloud::{Cloud, Logged, Options, Region, world};

use super::{Lab, Said};

/// A cloud, and a project whose environment `trial` reroutes everything to it.
pub(crate) struct Trial {
    /// The cloud, for its faults and its state.
    pub(crate) cloud: Cloud,
    /// The project.
    pub(crate) lab: Lab,
}

/// How the step ended.
pub(crate) struct Tried {
    /// What the binary said.
    pub(crate) said: Said,
    /// The step's last event.
    pub(crate) end: Value,
    /// What was recorded, and what reached the cloud: to be read when a test fails.
    story: String,
}

impl Trial {
    /// A trial in a world that begins like this.
    pub(crate) fn new(options: Options) -> Trial {
        let cloud = Cloud::start_thread(options).unwrap();
        let lab = Lab::new();
        lab.write("environments/trial.yaml", &environment(&cloud.origin()));
        Trial { cloud, lab }
    }

    /// Runs this one step: a JSON object with `uses`, `with`, `credentials` and whatever else a step has. It is granted
    /// everything that the environment allows.
    pub(crate) fn step(&self, mut step: Value) -> Tried {
        step["id"] = json!("tried");
        step["allow"] = json!(origins().map(|origin| format!("* {origin}/**")));
        if step["timeout"].is_null() {
            step["timeout"] = json!("30s");
        }
        let runbook = json!({ "name": "trial", "steps": [step] });
        // JSON is YAML.
        self.lab.write("trial.yaml", &runbook.to_string());
        let said = self.lab.sandbook(&["run", "trial", "--env", "trial"]);
        let events = self.lab.events();
        let ends = |event: &&Value| {
            let kind = event["kind"].as_str().unwrap_or_default();
            ["step_succeeded", "step_failed", "step_waiting"].contains(&kind)
        };
        let end = events
            .iter()
            .rev()
            .find(ends)
            .unwrap_or_else(|| panic!("the step has no end: {said:?}"));
        Tried {
            end: end.clone(),
            story: self.story(&events),
            said,
        }
    }

    /// Everything that happened, a line each.
    fn story(&self, events: &[Value]) -> String {
        let recorded = events.iter().map(Value::to_string);
        let arrived = self.cloud.requests().into_iter().map(|request| {
            let Logged {
                time,
                method,
                path,
                status,
                fault,
                ..
            } = request;
            format!("{time} {method} {path} -> {status:?} {fault:?}")
        });
        recorded.chain(arrived).collect::<Vec<_>>().join("\n")
    }

    /// The requests with this method whose path contains this.
    pub(crate) fn asked(&self, method: &str, path: &str) -> Vec<Logged> {
        self.cloud
            .requests()
            .into_iter()
            .filter(|request| request.method == method && request.path.contains(path))
            .collect()
    }
}

impl Tried {
    /// Asserts that the step succeeded, and whether it changed something.
    #[track_caller]
    pub(crate) fn succeeded(self, changed: bool) -> Tried {
        assert_eq!(self.end["kind"], "step_succeeded", "{self}");
        assert_eq!(self.end["changed"], changed, "{self}");
        assert_eq!(self.said.status, Some(0), "{self}");
        self
    }

    /// Asserts that the step failed, and how.
    #[track_caller]
    pub(crate) fn failed(self, kind: &str) -> Tried {
        assert_eq!(self.end["kind"], "step_failed", "{self}");
        assert_eq!(self.end["failure"]["kind"], kind, "{self}");
        assert_eq!(self.said.status, Some(1), "{self}");
        self
    }

    /// Asserts that the step waits, since nobody knows what came of one of its requests.
    #[track_caller]
    pub(crate) fn in_doubt(self) -> Tried {
        assert_eq!(self.end["kind"], "step_waiting", "{self}");
        assert!(self.end["waiting"]["in_doubt"].is_object(), "{self}");
        assert_eq!(self.said.status, Some(3), "{self}");
        self
    }

    /// Asserts the failure's code.
    #[track_caller]
    pub(crate) fn code(self, code: &str) -> Tried {
        assert_eq!(self.end["failure"]["code"], code, "{}", self.end);
        self
    }

    /// An output of the step.
    #[track_caller]
    pub(crate) fn output(&self, name: &str) -> &Value {
        &self.end["outputs"][name]["value"]
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}\n{}", self.said, self.story)
    }
}

fn origins() -> [String; 10] {
    let https = |host: &str| format!("https://{host}");
    [
        https(world::LOGIN_HOST),
        https(world::MANAGEMENT_HOST),
        https(world::CLOUDFLARE_HOST),
        https(world::STATUSPAGE_HOST),
        https(world::SITE_HOST),
        https(world::HOOKS_HOST),
        https(world::ECHO_HOST),
        https(world::STATUS_HOST),
        https(Region::East.patroni_host()),
        https(Region::West.patroni_host()),
    ]
}

fn environment(cloud: &str) -> String {
    let azure = |secret: &str| {
        json!({
            "kind": "oauth2_client_credentials",
            "token_url": format!("https://{}/{}/oauth2/v2.0/token", world::LOGIN_HOST, world::TENANT),
            "client_id": world::CLIENT_ID,
            "scope": world::SCOPE,
            "secret": { "literal": secret },
            "origins": [format!("https://{}", world::MANAGEMENT_HOST)],
        })
    };
    let statuspage = |secret: &str| {
        json!({
            "kind": "header", "header": "Authorization", "prefix": "OAuth ",
            "secret": { "literal": secret },
            "origins": [format!("https://{}", world::STATUSPAGE_HOST)],
        })
    };
    let bearer = |secret: &str, host: &str| json!({ "kind": "bearer", "secret": { "literal": secret }, "origins": [format!("https://{host}")] });
    let reroute: serde_json::Map<String, Value> = origins()
        .into_iter()
        .map(|origin| (origin, json!(cloud)))
        .collect();
    json!({
        "name": "trial",
        "credentials": {
            "azure": azure(world::CLIENT_SECRET),
            "statuspage": statuspage(world::STATUSPAGE_KEY),
            "wrong_statuspage": statuspage("not-the-statuspage-key"),
            "cloudflare": bearer(world::CLOUDFLARE_TOKEN, world::CLOUDFLARE_HOST),
            "wrong_cloudflare": bearer("not-the-cloudflare-token", world::CLOUDFLARE_HOST),
            "echo": bearer("the-echo-token", world::ECHO_HOST),
        },
        "ceiling": origins().map(|origin| format!("* {origin}/**")),
        "network": { "reroute": reroute },
    })
    .to_string()
}
