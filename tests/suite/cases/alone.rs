//! A plugin that is run alone, and the case that such a run becomes.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::json;
use simcloud::{Options, Region, world};

use crate::support::plain::plain;
use crate::support::target;
use crate::support::trial::Trial;

const ECHO: &str = "https://echo.simcloud.test";

fn post_status<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let usual = [
        "plugin",
        "run",
        "post-status",
        "--env",
        "trial",
        "--credential",
        "api=statuspage",
        "-i",
        "title=The shop is unavailable",
    ];
    [&usual[..], more].concat()
}

fn page() -> String {
    format!("page={}", world::PAGE)
}

#[test]
fn a_run_is_shown_recorded_and_told_as_any_other() {
    let trial = Trial::new(Options::healthy());
    let (lab, page) = (&trial.lab, page());
    let said = lab.sandbook(&post_status(&["-i", &page, "--dry-run"])).ok();
    assert_eq!(trial.cloud.counts().changes, 0);
    assert!(
        said.out
            .contains("POST https://api.statuspage.io/v1/pages/"),
        "{}",
        said.out
    );
    let said = lab.sandbook(&post_status(&["-i", &page])).ok();
    assert_eq!(trial.asked("POST", "/incidents").len(), 1);
    let out = said.out.replace(world::PAGE, "PAGE");
    let incident = trial.cloud.state()["statuspage"]["incidents"][0]["id"].to_string();
    let out = out.replace(incident.trim_matches('"'), "INCIDENT");
    let err = said.err.replace(world::PAGE, "PAGE");
    assert_snapshot!(plain(&(err + "---\n" + &out), lab));
    let started = &lab.events_of("run_started")[0];
    assert_eq!(started["runbook"]["name"], "plugin-post-status");
    lab.sandbook(&["audit", "verify"]).ok();
}

#[test]
fn what_a_run_may_not_have_is_refused_before_anything_is_sent() {
    let trial = Trial::new(Options::healthy());
    let lab = &trial.lab;
    let run = ["plugin", "run", "post-status", "--env", "trial"];
    let with = |more: &[&str]| lab.sandbook(&[&run[..], more].concat()).exits(2);
    let page = page();
    with(&["-i", &page]).says("--credential api=NAME");
    with(&["-c", "api=statuspage"]).says("`page` is missing");
    with(&["-c", "api=statuspage", "-i", "page=a/b"]).says("page");
    with(&["-c", "api=statuspage", "-i", "page=**"]).says("page");
    with(&["-c", "api=statuspage", "-i", &page, "-i", "notify=maybe"])
        .says("`maybe` is not true or false");
    with(&["-c", "key=statuspage", "-i", &page]).says("its slots: `api`");
    with(&["-c", "api=nobodys", "-i", &page]).says("nobodys");
    lab.write("there.yaml", "");
    with(&[
        "-c",
        "api=statuspage",
        "-i",
        &page,
        "--record",
        "there.yaml",
    ])
    .says("`there.yaml` is there already");
    assert!(trial.cloud.requests().is_empty());
}

/// Tries what was recorded: it goes as in the run, and nothing reaches the cloud.
fn goes_as_recorded(trial: &Trial, file: &str) {
    let before = trial.cloud.requests().len();
    let said = trial.lab.sandbook(&["plugin", "test", file]).ok();
    said.says("1 case: all went as expected");
    assert_eq!(trial.cloud.requests().len(), before);
}

fn recorded(trial: &Trial, file: &str) -> String {
    let text = fs::read_to_string(trial.lab.path(file)).unwrap();
    for secret in [
        world::STATUSPAGE_KEY,
        world::CLIENT_SECRET,
        world::CLOUDFLARE_TOKEN,
        "the-echo-token",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

#[test]
fn a_recorded_run_is_a_case_that_passes() {
    let trial = Trial::new(Options::healthy());
    let page = page();
    let run = post_status(&["-i", &page, "--record", "posted.yaml"]);
    trial
        .lab
        .sandbook(&run)
        .ok()
        .says("Recorded in `posted.yaml`");
    let text = recorded(&trial, "posted.yaml");
    assert!(text.contains("credential: api"), "{text}");
    goes_as_recorded(&trial, "posted.yaml");

    let run = post_status(&[
        "-i",
        &page,
        "-i",
        "status=identified",
        "-n",
        "--record",
        "dry.yaml",
    ]);
    trial.lab.sandbook(&run).ok();
    assert!(recorded(&trial, "dry.yaml").contains("held_back:"));
    goes_as_recorded(&trial, "dry.yaml");

    let refused = [
        "plugin",
        "run",
        "post-status",
        "--env",
        "trial",
        "-c",
        "api=wrong_statuspage",
        "-i",
        "title=x",
        "-i",
        page.as_str(),
        "--record",
        "refused.yaml",
    ];
    trial.lab.sandbook(&refused).exits(1);
    assert!(recorded(&trial, "refused.yaml").contains("kind: unauthorized"));
    goes_as_recorded(&trial, "refused.yaml");
}

#[test]
fn a_recorded_operation_is_followed_without_waiting() {
    let trial = Trial::new(Options::healthy());
    let inputs = json!({
        "target": "azure_sql",
        "subscription": world::SUBSCRIPTION,
        "resource_group": world::RESOURCE_GROUP,
        "server": Region::West.sql_server(),
        "failover_group": world::FAILOVER_GROUP,
    });
    trial.lab.write("inputs.yaml", &inputs.to_string());
    let run = |file| {
        let usual = [
            "plugin",
            "run",
            "failover-sql",
            "--env",
            "trial",
            "-c",
            "azure=azure",
        ];
        let more = ["--inputs", "inputs.yaml", "--record", file];
        trial.lab.sandbook(&[&usual[..], &more].concat())
    };
    run("missing/moved.yaml")
        .exits(2)
        .says("there is no folder `missing`");
    assert!(trial.cloud.requests().is_empty());
    run("moved.yaml").ok();
    assert!(recorded(&trial, "moved.yaml").contains("/failoverGroupAzureAsyncOperation/"));
    goes_as_recorded(&trial, "moved.yaml");
}

#[test]
fn what_a_service_echoes_is_in_no_recording() {
    let trial = Trial::new(Options::healthy());
    let actions = json!([
        { "do": "send", "url": format!("{ECHO}/x"), "slot": "api" },
        { "do": "spill", "slot": "api", "to": "send", "url": format!("{ECHO}/raw") },
    ]);
    let actions = format!("actions={actions}");
    let grant = format!("* {ECHO}/**");
    trial
        .lab
        .sandbook(&[
            "plugin",
            "run",
            "puppet",
            "--env",
            "trial",
            "-c",
            "api=echo",
            "--reveal",
            "api",
            "--allow",
            &grant,
            "-i",
            &actions,
            "--record",
            "echoed.yaml",
        ])
        .ok();
    let text = recorded(&trial, "echoed.yaml");
    assert!(text.contains("[secret echo]"), "{text}");
}

/// A puppet of which an address, a number and an output are sensitive.
fn vault(trial: &Trial) {
    let manifest = "name: vault
version: 0.1.0
description: Keeps things.
contract: sandbook:step@0.1.0
wasi_http: true
inputs:
  type: object
  properties:
    url: { type: string, sensitive: true }
    pin: { type: integer, sensitive: true }
    actions: { type: array }
outputs: { type: object, properties: { text: { type: string, sensitive: true } } }
allow: ['POST {url}']
";
    trial.lab.write("vault.yaml", manifest);
    let puppet = target().join("guests/wasm32-wasip2/release/puppet.wasm");
    let pack = ["plugin", "pack", puppet.to_str().unwrap()];
    let packed = ["--manifest", "vault.yaml", "--to", "vault.wasm"];
    trial.lab.sandbook(&[&pack[..], &packed].concat()).ok();
}

/// All files in a folder, however deep.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let found = entries.map(|entry| entry.path());
    found
        .flat_map(|path| match path.is_dir() {
            true => files(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn a_sensitive_address_is_not_granted_and_nowhere_on_record() {
    let trial = Trial::new(Options::healthy());
    vault(&trial);
    let url = format!("url={ECHO}/the-secret-path");
    let run = ["plugin", "run", "./vault.wasm", "--env", "trial"];
    let more = ["-i", &url, "-i", "actions=[]"];
    let said = trial.lab.sandbook(&[&run[..], &more].concat()).ok();
    let said = said
        .says("asks for `POST {url}`, and is not granted it")
        .says("--allow 'POST ");
    assert!(!format!("{said:?}").contains("the-secret-path"), "{said:?}");
    for file in files(&trial.lab.path(".sandbook")) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes
            .windows("the-secret-path".len())
            .any(|window| window == b"the-secret-path");
        assert!(!found, "{}", file.display());
    }
}

#[test]
fn nothing_sensitive_is_in_a_recording() {
    const TOKEN: &str = "correct-horse-battery";
    let trial = Trial::new(Options::healthy());
    vault(&trial);
    let actions = json!([
        { "do": "send", "method": "POST", "url": format!("{ECHO}/x"), "body": { "token": TOKEN, "pin": 471_123 } },
        { "do": "return", "data": { "text": TOKEN } },
    ]);
    let actions = format!("actions={actions}");
    let (url, grant) = (format!("url={ECHO}/hook"), format!("POST {ECHO}/**"));
    let run = ["plugin", "run", "./vault.wasm", "--env", "trial"];
    let inputs = ["-i", &url, "-i", "pin=471123", "-i", &actions];
    let record = ["--allow", &grant, "--record", "kept.yaml"];
    trial
        .lab
        .sandbook(&[&run[..], &inputs, &record].concat())
        .ok();
    let text = recorded(&trial, "kept.yaml");
    for secret in [TOKEN, "471123", "/hook"] {
        assert!(!text.contains(secret), "{text}");
    }
    goes_as_recorded(&trial, "kept.yaml");
}

#[test]
fn what_cannot_be_recorded_is_said_and_the_run_counts() {
    let trial = Trial::new(Options::healthy());
    let actions = json!([{ "do": "send", "url": format!("https://{}/700", world::STATUS_HOST) }]);
    let actions = format!("actions={actions}");
    let grant = format!("* https://{}/**", world::STATUS_HOST);
    let run = ["plugin", "run", "puppet", "--env", "trial", "-i", &actions];
    let record = ["--allow", &grant, "--record", "odd.yaml"];
    trial
        .lab
        .sandbook(&[&run[..], &record].concat())
        .ok()
        .says("warning: nothing was written to `odd.yaml`")
        .says("has the status 700");
    assert!(!trial.lab.path("odd.yaml").exists());
    std::os::unix::fs::symlink("nowhere", trial.lab.path("link.yaml")).unwrap();
    let record = ["--allow", &grant, "--record", "link.yaml"];
    trial
        .lab
        .sandbook(&[&run[..], &record].concat())
        .exits(2)
        .says("`link.yaml` is there already");
}
