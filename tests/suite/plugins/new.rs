//! What `sandbook plugin new` makes, in each language: the component does what it says, and whatever goes wrong in it is a
//! failure with its kind, never a crash. `cargo xtask examples` builds them.

use serde_json::{Value, json};

use super::built::example;
use super::services::{Answer, Asked, Services};
use crate::support::Lab;

const ORIGIN: &str = "https://www.example.com";

/// Steps by their ids, with what comes of each: its kind of failure, and the code.
fn outcomes(wrong_shape: &'static str) -> [(&'static str, &'static str, &'static str); 6] {
    [
        ("missing", "not_found", "Http404"),
        ("busy", "rate_limited", "Http429"),
        ("endless", "rate_limited", "Http429"),
        ("torn", "unavailable", "Http500"),
        ("text", "failed", "UnexpectedAnswer"),
        ("number", "failed", wrong_shape),
    ]
}

fn service(asked: &Asked) -> Answer {
    match asked.line.as_str() {
        "GET www.example.com/title" => {
            Answer::json(&json!({ "a": [1, { "title": "no" }], "title": " Hé \"x\" \u{1F600} " }))
        }
        "GET www.example.com/number" => Answer::json(&json!({ "title": 5 })),
        "GET www.example.com/text" => Answer::text(200, "hello"),
        "GET www.example.com/busy" => Answer::text(429, "later").with("retry-after", "7"),
        "GET www.example.com/endless" => {
            Answer::text(429, "later").with("retry-after", "99999999999999999999999")
        }
        "GET www.example.com/torn" => Answer::bytes(500, b"half a character: \xe2\x82"),
        _ => Answer::text(404, "nothing here"),
    }
}

/// A project with this plugin, which it calls `it`; none where it isn't built.
fn project_with(plugin: &str) -> Option<Lab> {
    let lab = Lab::new();
    std::fs::copy(example(plugin)?, lab.path("it.wasm")).unwrap();
    lab.write(
        "sandbook.yaml",
        "state: .sandbook\nplugins: { it: it.wasm }\n",
    );
    Some(lab)
}

/// The same with what `plugin new` makes, and a runbook `look` that has a step for each page.
fn project(language: &str, services: &Services) -> Option<Lab> {
    let lab = project_with(&format!("new-{language}"))?;
    let environment = services.environment("here", &json!({}), &[ORIGIN], &[("token", ORIGIN)]);
    lab.write("environments/here.yaml", &environment);
    let step = |page: &str| {
        json!({
            "id": page, "needs": [], "uses": "it", "on_failure": "continue",
            "with": { "url": format!("{ORIGIN}/{page}") }, "allow": [format!("GET {ORIGIN}/*")],
        })
    };
    let pages = ["missing", "busy", "endless", "torn", "text", "number"];
    let mut steps = pages.map(step).to_vec();
    let mut title = step("title");
    title["credentials"] = json!({ "api": "token" });
    steps.push(title);
    lab.write(
        "look.yaml",
        &json!({ "name": "look", "steps": steps }).to_string(),
    );
    Some(lab)
}

/// `wrong_shape` is what the plugin's own code calls it when a title is no text.
fn tells_what_went_wrong(language: &str, wrong_shape: &'static str) {
    let services = Services::start(service);
    let Some(lab) = project(language, &services) else {
        return;
    };
    lab.sandbook(&["run", "look", "--env", "here"]).ok();

    let succeeded = lab.events_of("step_succeeded");
    assert_eq!(succeeded.len(), 1, "{succeeded:?}");
    let title = succeeded[0]["outputs"]["title"]["value"].as_str().unwrap();
    assert_eq!(title.trim(), "Hé \"x\" \u{1F600}");
    assert_eq!(succeeded[0]["changed"], false);
    assert_eq!(succeeded[0]["summary"], "read the title");

    let failed = lab.events_of("step_failed");
    for (step, kind, code) in outcomes(wrong_shape) {
        let failure = &failed
            .iter()
            .find(|event| event["step"] == step)
            .unwrap_or_else(|| panic!("{step}: {failed:?}"))["failure"];
        assert_eq!(failure["kind"], kind, "{step}: {failure}");
        assert_eq!(failure["code"], code, "{step}: {failure}");
        let waits = if step == "busy" {
            json!(7_000)
        } else {
            Value::Null
        };
        assert_eq!(failure["retry_after_ms"], waits, "{step}: {failure}");
    }

    for asked in services.asked() {
        let token = asked
            .line
            .ends_with("/title")
            .then_some("Bearer the-token-of-token");
        assert_eq!(asked.authorization.as_deref(), token, "{}", asked.line);
    }
}

#[test]
fn in_rust() {
    tells_what_went_wrong("rust", "UnexpectedAnswer");
}

#[test]
fn in_typescript_what_is_thrown_is_a_failure() {
    tells_what_went_wrong("typescript", "TypeError");
}

#[test]
fn in_python_what_is_raised_is_a_failure() {
    tells_what_went_wrong("python", "AttributeError");
}

#[test]
fn in_go() {
    tells_what_went_wrong("go", "UnexpectedAnswer");
}

#[test]
fn in_go_an_error_and_a_panic_are_failures() {
    let Some(lab) = project_with("panicking") else {
        return;
    };
    let ways = [
        ("error", "failed", json!(null), "an error like others"),
        (
            "wrapped",
            "conflict",
            json!("Locked"),
            "the group: it is locked",
        ),
        ("panic", "failed", json!("Panic"), "no way on"),
        ("nil", "failed", json!("Panic"), "nil pointer"),
        ("torn", "failed", json!(null), "half a character: \u{fffd}"),
    ];
    let steps: Vec<Value> = ways
        .iter()
        .map(|(way, ..)| json!({ "id": way, "uses": "it", "with": { "how": way }, "on_failure": "continue" }))
        .collect();
    let runbook = json!({ "name": "fail", "steps": steps });
    lab.write("fail.yaml", &runbook.to_string());
    lab.sandbook(&["run", "fail"]).ok();
    let failed = lab.events_of("step_failed");
    for (way, kind, code, message) in ways {
        let event = failed.iter().find(|event| event["step"] == way);
        let failure = &event.unwrap_or_else(|| panic!("{way}: {failed:?}"))["failure"];
        assert_eq!(failure["kind"], kind, "{failure}");
        assert_eq!(failure["code"], code, "{failure}");
        let told = failure["message"].as_str().unwrap();
        assert!(told.contains(message), "{failure}");
    }
}

#[test]
fn in_c() {
    tells_what_went_wrong("c", "UnexpectedAnswer");
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let lab = Lab::new();
    lab.write("mine/notes.txt", "mine");
    lab.sandbook(&["plugin", "new", "mine", "--lang", "c"])
        .exits(2)
        .says("`mine` is not empty");
    let left = std::fs::read_dir(lab.path("mine")).unwrap().count();
    assert_eq!(left, 1);
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_written() {
    let lab = Lab::new();
    for name in ["Purge", "purge_cache", "../up", "a b"] {
        lab.sandbook(&["plugin", "new", name, "--lang", "go", "--to", "made"])
            .exits(2)
            .says(name);
    }
    assert!(!lab.path("made").exists());
}

#[test]
fn the_doctor_names_what_is_missing_and_how_to_get_it() {
    let lab = Lab::new();
    let mut command = lab.command(&["plugin", "doctor", "--lang", "go", "--output", "json"]);
    let said = crate::support::Said::from(command.env("PATH", lab.path("")).output().unwrap());
    let told = said.clone().exits(2).json();
    assert_eq!(told["ready"], false);
    for tool in told["tools"].as_array().unwrap() {
        assert_eq!(tool["ok"], false, "{tool}");
        let get = tool["get"].as_str().unwrap();
        assert!(get.contains("install"), "{tool}");
    }
}

#[test]
fn the_doctor_finds_a_tool_and_minds_its_version() {
    let lab = Lab::new();
    for (version, status) in [("0.25.1", 0), ("0.13.0", 2)] {
        lab.write(
            ".venv/bin/componentize-py",
            &format!("#!/bin/sh\necho componentize-py {version}\n"),
        );
        let script = lab.path(".venv/bin/componentize-py");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(script, executable).unwrap();
        lab.sandbook(&["plugin", "doctor", "--lang", "python"])
            .exits(status)
            .says(version);
    }
}

#[test]
fn a_build_without_its_toolchain_says_who_knows_more() {
    let lab = Lab::new();
    for language in ["rust", "typescript", "python", "go", "c"] {
        let arguments = [
            "plugin", "new", "bare", "--lang", language, "--to", language,
        ];
        lab.sandbook(&arguments).ok();
        // What the script itself needs, and nothing else.
        lab.write("bin/dirname", "#!/bin/sh\necho \"${1%/*}\"\n");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(lab.path("bin/dirname"), executable).unwrap();
        let said = std::process::Command::new("/bin/sh")
            .arg(lab.path(language).join("build.sh"))
            .env_clear()
            .env("PATH", lab.path("bin"))
            .output()
            .unwrap();
        let said = crate::support::Said::from(said).exits(2);
        let doctor = format!("`sandbook plugin doctor --lang {language}`");
        assert!(said.err.contains(&doctor), "{}", said.err);
    }
}
