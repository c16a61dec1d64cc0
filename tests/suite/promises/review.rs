//! What a reviewer sees before the run, and that nothing from elsewhere comes in unseen.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Lab, Said, target};

/// A project, and a folder beside it where a stranger keeps a plugin.
struct Desk {
    lab: Lab,
    elsewhere: TempDir,
}

const FIRST: &str = "\
version: 1.0.0
inputs: { type: object, properties: { page: { type: string } } }
outputs: { type: object }
allow: [\"GET https://api.example.com/pages/{page}\"]
slots: { api: { description: An API key., optional: true } }
";

const WIDER: &str = "\
version: 1.1.0
inputs: { type: object, properties: { page: { type: string }, size: { type: integer } } }
outputs: { type: object }
allow: [\"GET https://api.example.com/pages/{page}\", \"* https://api.example.com/**\"]
slots: { api: { description: An API key., optional: true }, mail: A password. }
";

impl Desk {
    fn new() -> Desk {
        let desk = Desk {
            lab: Lab::new(),
            elsewhere: tempfile::tempdir().unwrap(),
        };
        desk.pack("stranger", FIRST);
        let plugin = desk.place("stranger");
        let project = format!(
            "state: .sandbook\nplugins:\n  stranger: {}\n  noop: built/noop.wasm\n",
            plugin.display()
        );
        desk.lab.write("sandbook.yaml", &project);
        desk.lab.write(
            "job.yaml",
            "name: job\nsteps: [{ id: a, uses: stranger }]\n",
        );
        desk
    }

    fn place(&self, name: &str) -> PathBuf {
        self.elsewhere.path().join(format!("{name}.wasm"))
    }

    /// Packs a component that does nothing with this manifest.
    fn pack(&self, name: &str, manifest: &str) {
        let noop = target().join("guests/wasm32-wasip2/release/noop.wasm");
        let whole = format!(
            "name: stranger\ndescription: Somebody else's.\ncontract: sandbook:step@0.1.0\n{manifest}"
        );
        self.lab.write("manifest.yaml", &whole);
        let to = self.place(name);
        self.lab
            .sandbook(&[
                "plugin",
                "pack",
                noop.to_str().unwrap(),
                "--manifest",
                "manifest.yaml",
                "--to",
                to.to_str().unwrap(),
            ])
            .ok();
        fs::remove_file(self.lab.path("manifest.yaml")).unwrap();
    }

    fn accept(&self) -> Said {
        self.lab
            .sandbook(&["plugin", "accept", "stranger", "--yes"])
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.lab.path("sandbook.lock")).unwrap()
    }

    /// Asserts that nothing uses the plugin, and that each says so.
    #[track_caller]
    fn refuses(&self, says: &[&str]) {
        for arguments in [&["check"][..], &["plan", "job"], &["run", "job"]] {
            let mut said = self.lab.sandbook(arguments).exits(2);
            for text in says.iter().chain(&["sandbook plugin accept stranger"]) {
                said = said.says(text);
            }
        }
        assert!(!self.lab.path(".sandbook/journal.db").exists());
    }
}

#[test]
fn a_plugin_from_elsewhere_is_used_once_it_was_accepted_and_as_it_was() {
    let desk = Desk::new();
    desk.refuses(&["doesn't lie in the project", "no entry"]);
    let looks = [&["plugin", "list"][..], &["plugin", "inspect", "stranger"]];
    let shown = |says: &str| {
        for look in looks {
            desk.lab.sandbook(look).ok().says(says);
        }
    };
    shown("outside, not accepted");
    desk.lab.sandbook(looks[0]).ok().says("the project");
    // Nobody is there to be asked.
    desk.lab
        .sandbook(&["plugin", "accept", "stranger"])
        .exits(2)
        .says("--yes");
    assert!(!desk.lab.path("sandbook.lock").exists());

    desk.accept()
        .ok()
        .says("+ request GET https://api.example.com/pages/{page}")
        .says("+ credential `api` (optional): An API key.");
    desk.lab.sandbook(&["check"]).ok();
    shown("outside, accepted");
    desk.lab
        .sandbook(&["plugin", "check", "stranger"])
        .ok()
        .says("can be loaded");
    desk.accept().ok().says("accepted as it is");
    let first = desk.lock();
    assert!(first.contains("digest: sha256:"), "{first}");

    // Another component, with other wishes.
    desk.pack("stranger", WIDER);
    desk.refuses(&[
        "not what `sandbook.lock` says",
        "~ digest sha256:",
        "~ version 1.1.0, was 1.0.0",
        "+ request * https://api.example.com/**",
        "+ credential `mail`: A password.",
    ]);
    // A lock that says other wishes of the same component.
    desk.pack("stranger", FIRST);
    let digest_only = first.replace("/pages/{page}", "/pages/7");
    assert_ne!(first, digest_only);
    desk.lab.write("sandbook.lock", &digest_only);
    desk.refuses(&["+ request GET https://api.example.com/pages/{page}"]);

    // Of two entries none counts.
    let (_, entry) = first.split_once("  stranger:").unwrap();
    desk.lab
        .write("sandbook.lock", &format!("{first}  stranger:{entry}"));
    desk.lab
        .sandbook(&["run", "job"])
        .exits(2)
        .says("duplicate key `stranger`")
        .says("sandbook.lock:");

    desk.lab.write("sandbook.lock", &first);
    desk.lab.sandbook(&["run", "job"]).ok();
}

#[test]
fn a_change_is_shown_before_it_is_accepted() {
    let desk = Desk::new();
    desk.accept().ok();
    desk.pack("stranger", WIDER);
    let said = desk.accept().ok();
    assert!(said.err.contains("It asks for more:"), "{}", said.err);
    assert!(said.err.contains("was sha256:"), "{}", said.err);
    assert!(!said.err.contains("/pages/{page}"), "{}", said.err);
    assert!(desk.lock().contains("* https://api.example.com/**"));
    // What lies in the project is reviewed with it.
    desk.lab
        .sandbook(&["plugin", "accept", "noop", "--yes"])
        .exits(2)
        .says("lies in the project");
}

#[test]
fn a_run_goes_on_with_what_was_accepted_when_it_began() {
    let desk = Desk::new();
    desk.accept().ok();
    let job = "name: job\nsteps:\n  - id: ask\n    manual: { instructions: do it }\n  - { id: a, uses: stranger }\n";
    desk.lab.write("job.yaml", job);
    desk.lab.sandbook(&["run", "job"]).exits(3);
    fs::remove_file(desk.lab.path("sandbook.lock")).unwrap();
    desk.pack("stranger", WIDER);
    desk.lab
        .sandbook(&["decide", "@last", "done", "--reason", "seen to"])
        .ok();
    let ended = desk.lab.events_of("step_succeeded");
    assert!(ended.iter().any(|event| event["step"] == "a"), "{ended:?}");
}

#[test]
fn what_a_new_version_wants_beyond_is_marked() {
    let desk = Desk::new();
    desk.pack("wider", WIDER);
    let [old, new] = ["stranger", "wider"].map(|name| desk.place(name).display().to_string());
    let said = desk
        .lab
        .sandbook(&["plugin", "diff", "stranger", &new])
        .ok();
    let (wider, others) = said.out.split_once("It differs in:").unwrap();
    assert!(wider.contains("version  1.1.0, was 1.0.0"), "{wider}");
    let wider = wider.split_once("It asks for more:").unwrap().1;
    assert!(wider.contains("+ request * https://api.example.com/**"));
    assert!(wider.contains("+ credential `mail`: A password."));
    assert!(others.contains("+ input `size`"), "{others}");

    let json = |old: &str, new: &str| {
        let arguments = ["plugin", "diff", old, new, "--output", "json"];
        desk.lab.sandbook(&arguments).ok().json()
    };
    let wider = json(&old, &new);
    assert_eq!(wider["widens"], true);
    assert_eq!(wider["old"]["version"], "1.0.0");
    assert_eq!(
        wider["changes"][0],
        json!({ "subject": "request", "widens": true, "before": null, "after": "* https://api.example.com/**" })
    );
    let narrower = json(&new, &old);
    assert_eq!(narrower["widens"], false);
    assert_eq!(json(&old, &old)["changes"], json!([]));
}

#[test]
fn a_grant_that_is_wider_than_what_is_asked_is_warned_of() {
    let desk = Desk::new();
    desk.accept().ok();
    let job = |allow: &str| {
        let job =
            format!("name: job\nsteps:\n  - id: a\n    uses: stranger\n    allow: [\"{allow}\"]\n");
        desk.lab.write("job.yaml", &job);
        desk.lab.write(
            "environments/test.yaml",
            "name: test\nceiling: [\"* https://api.example.com/**\"]\n",
        );
        [
            desk.lab.sandbook(&["check", "job", "--env", "test"]).ok(),
            desk.lab.sandbook(&["plan", "job", "--env", "test"]).ok(),
        ]
    };
    for said in job("* https://api.example.com/**") {
        said.says("this grants more than plugin `stranger` asks for: `*` is every method, `/**` is the whole host")
            .says("job.yaml:5:13")
            .says("it asks for `GET https://api.example.com/pages/{page}`");
    }
    for said in job("GET https://api.example.com/pages/7") {
        assert!(!said.err.contains("warning"), "{}", said.err);
    }
}

#[test]
fn what_is_revealed_unasked_is_warned_of() {
    let desk = Desk::new();
    desk.accept().ok();
    desk.lab.write(
        "job.yaml",
        "name: job\nsteps:\n  - id: a\n    uses: stranger\n    credentials: { api: api }\n    reveal: [api]\n    limits: { requests: 7, memory: 64MiB }\n",
    );
    desk.lab.write(
        "environments/test.yaml",
        "name: test\nceiling: []\ncredentials: { api: { kind: bearer, secret: { env: API }, origins: [\"https://api.example.com\"] } }\n",
    );
    desk.lab
        .sandbook(&["check", "job", "--env", "test"])
        .ok()
        .says("plugin `stranger` doesn't ask for the plain text of a secret, and is granted it")
        .says("job.yaml:6:5");
    let plan = ["plan", "job", "--env", "test"];
    let shown = desk.lab.sandbook(&plan).ok();
    let plan = desk.lab.sandbook(&[&plan[..], &["-o", "json"]].concat());
    let step = &plan.ok().json()["steps"][0];
    assert_eq!(step["limits"], json!({ "requests": 7, "memory": "64MiB" }));
    // The first of a digest can be made to be anything.
    let digest = step["plugin"]["digest"].as_str().unwrap();
    assert!(shown.out.contains(digest), "{}", shown.out);
}

#[test]
fn who_accepts_at_the_same_time_loses_nothing() {
    let desk = Desk::new();
    let names: Vec<String> = (0..6).map(|number| format!("other-{number}")).collect();
    let mut project = fs::read_to_string(desk.lab.path("sandbook.yaml")).unwrap();
    for name in &names {
        project += &format!("  {name}: {}\n", desk.place("stranger").display());
    }
    desk.lab.write("sandbook.yaml", &project);
    let accept = |name: &String| desk.lab.start(&["plugin", "accept", name, "--yes"]);
    let accepting: Vec<_> = names.iter().map(accept).collect();
    for child in accepting {
        Said::from(child.wait_with_output().unwrap()).ok();
    }
    let lock = desk.lock();
    for name in &names {
        assert!(lock.contains(&format!("  {name}:")), "{lock}");
    }
}

#[test]
fn the_projects_own_runbooks_are_granted_no_more_than_their_plugins_ask_for() {
    let lab = Lab::flagship("127.0.0.1:9");
    for environment in [&[][..], &["--env", "demo"]] {
        lab.sandbook(&[&["check"], environment].concat())
            .ok()
            .says("no faults");
    }
}

#[test]
fn a_plan_says_what_is_asked_for_and_not_granted() {
    let lab = Lab::new();
    lab.write(
        "job.yaml",
        "name: job\nsteps: [{ id: a, uses: puppet, with: { actions: [] } }]\n",
    );
    let said = lab.sandbook(&["plan", "job"]).ok();
    for text in [
        "may not",
        "see the plain text of a secret, though the plugin asks for it",
    ] {
        assert!(said.out.contains(text), "{}", said.out);
    }
    let plan = lab
        .sandbook(&["plan", "job", "--output", "json"])
        .ok()
        .json();
    let plugin = &plan["steps"][0]["plugin"];
    assert_eq!(plugin["reveal_withheld"], true);
    assert!(plugin["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(
        plugin["unbound"]
            .as_array()
            .is_some_and(|slots| !slots.is_empty()),
        "{plugin}"
    );
}
