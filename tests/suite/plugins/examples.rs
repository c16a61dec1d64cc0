//! The examples of `plugins/examples`, as components, against services on loopback. `cargo xtask examples` builds them.

use std::fs;

use serde_json::{Value, json};

use super::built::example;
use super::services::{Answer, Asked, Services};
use crate::support::{Lab, repository};

const SITE: &str = "https://www.example.com";
const STATUS: &str = "https://www.cloudflarestatus.com";
const AZURE: &str = "https://management.azure.com";
const CLOUDFLARE: &str = "https://api.cloudflare.com";
const SLACK: &str = "https://slack.com";

const EXAMPLES: [&str; 4] = ["fingerprint", "purge-cache", "read-status", "slack-notify"];

/// A project with the examples, whose environment `here` reroutes to the services; none where they aren't built.
fn project(services: &Services) -> Option<Lab> {
    let lab = Lab::new();
    let mut file = "state: .sandbook\nplugins:\n".to_owned();
    for name in EXAMPLES {
        fs::copy(example(name)?, lab.path(&format!("{name}.wasm"))).unwrap();
        file.push_str(&format!("  {name}: {name}.wasm\n"));
    }
    lab.write("sandbook.yaml", &file);
    let vars = json!({
        "site": "www.example.com", "cdn_status": "www.cloudflarestatus.com", "zone": "z1", "channel": "ops",
        "front_door": { "subscription": "s1", "resource_group": "web", "profile": "edge", "endpoint": "site" },
    });
    let origins = [SITE, STATUS, AZURE, CLOUDFLARE, SLACK];
    let tokens = [
        ("azure", AZURE),
        ("cloudflare", CLOUDFLARE),
        ("slack", SLACK),
    ];
    let environment = services.environment("here", &vars, &origins, &tokens);
    lab.write("environments/here.yaml", &environment);
    Some(lab)
}

/// A world in which the purge takes two looks, and the page is another one when it is through.
fn world() -> impl FnMut(&Asked) -> Answer + Send {
    let (mut looks, mut purged) = (0, false);
    move |asked| {
        let (method, place) = asked.line.split_once(' ').unwrap();
        match (method, place) {
            ("GET", "www.example.com/price") => {
                Answer::text(200, if purged { "10 EUR" } else { "10 USD" })
            }
            ("GET", "www.cloudflarestatus.com/api/v2/summary.json") => Answer::json(&json!({
                "components": [{ "id": "c1", "name": "CDN/Cache", "status": "degraded_performance" }],
                "incidents": [{ "name": "Slow purges", "impact": "minor", "components": [{ "id": "c1" }] }],
            })),
            ("POST", place) if place.starts_with("management.azure.com/subscriptions/s1/") => {
                let operation = format!("{AZURE}/subscriptions/s1/operations/o1");
                Answer::text(202, "")
                    .with("azure-asyncoperation", &operation)
                    .with("retry-after", "1")
            }
            ("GET", "management.azure.com/subscriptions/s1/operations/o1") => {
                looks += 1;
                let status = if looks < 2 { "InProgress" } else { "Succeeded" };
                Answer::json(&json!({ "status": status })).with("retry-after", "1")
            }
            ("POST", "api.cloudflare.com/client/v4/zones/z1/purge_cache") => {
                purged = true;
                Answer::json(&json!({ "success": true, "errors": [], "result": { "id": "z1" } }))
            }
            ("POST", "slack.com/api/chat.postMessage") => Answer::json(
                &json!({ "ok": true, "channel": "C024BE91L", "ts": "1503435956.000247" }),
            ),
            _ => Answer::text(404, "nothing here"),
        }
    }
}

/// Runs one step, granted what its manifest asks for, and gives its last event.
fn step(lab: &Lab, uses: &str, with: &Value, credentials: &Value) -> Value {
    let allow: Vec<String> = [SITE, STATUS, AZURE, CLOUDFLARE, SLACK]
        .iter()
        .map(|origin| format!("* {origin}/**"))
        .collect();
    let step = json!({
        "id": "tried", "uses": uses, "with": with, "credentials": credentials, "allow": allow, "timeout": "1m",
    });
    let runbook = json!({ "name": "trial", "steps": [step] });
    lab.write("trial.yaml", &runbook.to_string());
    lab.sandbook(&["run", "trial", "--env", "here"]);
    let ends = ["step_succeeded", "step_failed", "step_waiting"];
    let end = lab
        .events()
        .into_iter()
        .rfind(|event| ends.contains(&event["kind"].as_str().unwrap_or_default()));
    end.expect("a step ends")
}

#[test]
fn no_description_ends_at_its_comma() {
    let manifests = [
        "engine/cli/templates/plugin.yaml",
        "plugins/examples/c/plugin.yaml",
        "plugins/examples/go/plugin.yaml",
        "plugins/examples/python/plugin.yaml",
        "plugins/examples/retire-pool/all/plugin.yaml",
        "plugins/examples/typescript/plugin.yaml",
    ];
    for manifest in manifests {
        let text = fs::read_to_string(repository().join(manifest)).unwrap();
        // In braces a comma ends a text that has no quotation marks; what follows is another key, without a value.
        for line in text.lines().filter(|line| line.contains('{')) {
            let description = line.split_once("description: ").map(|(_, text)| text);
            let is_whole =
                description.is_none_or(|text| text.starts_with('"') || !text.contains(','));
            assert!(is_whole, "{manifest}: {line}");
        }
    }
}

#[test]
fn a_runbook_uses_them_all() {
    let services = Services::start(world());
    let Some(lab) = project(&services) else {
        return;
    };
    let runbook = fs::read_to_string(repository().join("plugins/examples/refresh-site.yaml"));
    lab.write("refresh-site.yaml", &runbook.unwrap());
    lab.sandbook(&["check", "refresh-site.yaml", "--env", "here"])
        .ok();

    let run = ["run", "refresh-site", "--env", "here", "-i", "path=/price"];
    // What a dry run would change is listed, and nothing of it is sent.
    let told = lab.sandbook(&[&run[..], &["--dry-run"]].concat()).ok().out;
    for held in ["afdEndpoints/site/purge", "zones/z1/purge_cache"] {
        assert!(told.contains(held), "{told}");
    }
    assert!(
        services
            .asked()
            .iter()
            .all(|asked| asked.line.starts_with("GET "))
    );

    lab.sandbook(&run).ok();
    let asked = services.asked();
    let changing: Vec<&Asked> = asked
        .iter()
        .filter(|asked| asked.line.starts_with("POST "))
        .collect();
    let [front_door, cloudflare, slack] = &changing[..] else {
        panic!("{changing:?}");
    };
    assert_eq!(
        front_door.body,
        json!({ "contentPaths": ["/price"], "domains": ["www.example.com"] })
    );
    assert_eq!(
        cloudflare.body,
        json!({ "files": [format!("{SITE}/price")] })
    );
    assert_eq!(
        slack.body["text"],
        "/price was purged: visitors get a new page."
    );
    for (asked, token) in [
        (front_door, "azure"),
        (cloudflare, "cloudflare"),
        (slack, "slack"),
    ] {
        let expected = format!("Bearer the-token-of-{token}");
        assert_eq!(asked.authorization.as_deref(), Some(expected.as_str()));
    }
    let purge = lab
        .events_of("step_succeeded")
        .into_iter()
        .find(|event| event["step"] == "purge")
        .unwrap();
    assert_eq!(purge["outputs"]["waited_ms"]["value"], 2_000);
}

#[test]
fn slack_says_what_it_did_not_do_with_the_status_200() {
    let services = Services::start(|asked| {
        let error = asked.body["channel"].clone();
        Answer::json(&json!({ "ok": false, "error": error }))
    });
    let Some(lab) = project(&services) else {
        return;
    };
    for (error, kind) in [
        ("channel_not_found", "not_found"),
        ("invalid_auth", "unauthorized"),
        ("is_archived", "conflict"),
        ("fatal_error", "failed"),
    ] {
        let with = json!({ "channel": error, "text": "Hello" });
        let end = step(&lab, "slack-notify", &with, &json!({ "slack": "slack" }));
        assert_eq!(end["failure"]["kind"], kind, "{end}");
        assert_eq!(end["failure"]["code"], error, "{end}");
    }
}

#[test]
fn a_status_page_is_read_and_decided_upon() {
    let services = Services::start(|_| {
        Answer::json(&json!({
            "components": [
                { "id": "g1", "name": "DNS", "status": "operational", "group": true },
                { "id": "c1", "name": "CDN/Cache", "status": "partial_outage" },
                { "id": "c2", "name": "DNS", "status": "operational" },
                { "id": "c3", "name": "Moon", "status": "eclipsed" },
            ],
            "incidents": [
                { "name": "Slow purges", "impact": "minor", "components": [{ "id": "c1" }] },
                { "name": "Errors in Europe", "impact": "major", "components": [{ "id": "c1" }] },
            ],
        }))
    });
    let Some(lab) = project(&services) else {
        return;
    };
    let read = |component: &str| {
        let with = json!({ "host": STATUS.trim_start_matches("https://"), "component": component });
        step(&lab, "read-status", &with, &json!({}))
    };
    let outputs = read("cdn/cache")["outputs"].clone();
    assert_eq!(outputs["degraded"]["value"], true);
    assert_eq!(
        outputs["incidents"]["value"],
        json!(["Errors in Europe", "Slow purges"])
    );
    assert_eq!(read("DNS")["outputs"]["degraded"]["value"], false);
    for (component, kind, code) in [
        ("Mars", "not_found", "ComponentUnknown"),
        ("Moon", "failed", "StateUnknown"),
    ] {
        let end = read(component);
        assert_eq!(end["failure"]["kind"], kind, "{end}");
        assert_eq!(end["failure"]["code"], code, "{end}");
    }
}

#[test]
fn a_purge_that_fails_behind_leaves_the_cache_before_alone() {
    let services = Services::start(|asked| {
        if asked.line.starts_with("POST ") {
            let operation = format!("{AZURE}/subscriptions/s1/operations/o1");
            return Answer::text(202, "")
                .with("azure-asyncoperation", &operation)
                .with("retry-after", "1");
        }
        Answer::json(
            &json!({ "status": "Failed", "error": { "code": "TooMany", "message": "too many purges" } }),
        )
    });
    let Some(lab) = project(&services) else {
        return;
    };
    let with = json!({
        "host": "www.example.com", "paths": ["/*"], "zone": "z1",
        "front_door": { "subscription": "s1", "resource_group": "web", "profile": "edge", "endpoint": "site" },
    });
    let credentials = json!({ "azure": "azure", "cloudflare": "cloudflare" });
    let end = step(&lab, "purge-cache", &with, &credentials);
    assert_eq!(end["failure"]["code"], "TooMany", "{end}");
    let message = end["failure"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Front Door: ") && message.contains("too many purges"),
        "{message}"
    );
    let asked = services.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.line.contains("management.azure.com")),
        "{asked:?}"
    );
}

#[test]
fn a_fingerprint_tells_pages_apart() {
    let services = Services::start(|asked| match asked.line.as_str() {
        "GET www.example.com/empty" => Answer::text(200, ""),
        _ => Answer::text(200, "hello"),
    });
    let Some(lab) = project(&services) else {
        return;
    };
    for (path, before, fingerprint, same) in [
        ("page", "a430d84680aabd0b", "a430d84680aabd0b", true),
        ("page", "cbf29ce484222325", "a430d84680aabd0b", false),
        ("empty", "cbf29ce484222325", "cbf29ce484222325", true),
    ] {
        let with = json!({ "url": format!("{SITE}/{path}"), "before": before });
        let outputs = step(&lab, "fingerprint", &with, &json!({}))["outputs"].clone();
        assert_eq!(outputs["fingerprint"]["value"], fingerprint, "{path}");
        assert_eq!(outputs["same"]["value"], same, "{path}");
    }
}
