//! Several people, one account: who did it is on record, the account's secrets stay its own, and nothing of a
//! person's decides what is run with them. With real users and sudo; left out, and said so, where there are none.

mod host;

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};

use self::host::{Host, IN_FILE, LITERAL, Person, each_below};
use crate::support::Said;

const RUN: [&str; 4] = ["run", "job", "--env", "practice"];

/// The person as the record has one.
fn operator(person: &Person) -> Value {
    json!({ "uid": person.uid, "name": person.name })
}

fn events(host: &Host, person: &Person) -> Vec<Value> {
    let log = ["log", "@last", "--output", "json"];
    host.as_user(person, &log).ok().json_lines()
}

#[track_caller]
fn event<'a>(events: &'a [Value], kind: &str) -> &'a Value {
    let found = events.iter().find(|event| event["kind"] == kind);
    found.unwrap_or_else(|| panic!("no `{kind}` in {events:#?}"))
}

#[test]
fn who_did_it_is_on_record_and_the_account_owns_it() {
    let Some(host) = Host::set_up() else { return };
    let Host {
        ana, ben, account, ..
    } = &host;
    host.as_user(ana, &RUN).ok();
    host.as_user(ben, &["note", "@last", "seen"]).ok();
    let both = events(&host, ben);
    assert_eq!(event(&both, "run_started")["operator"], operator(ana));
    assert_eq!(event(&both, "noted")["by"], operator(ben));

    // A name that one gives oneself is none.
    let forged = host
        .command(ana, &RUN)
        .env("SUDO_UID", ben.uid.to_string())
        .env("SUDO_USER", &ben.name)
        .output();
    Said::from(forged.unwrap()).ok();
    let forged = events(&host, ana);
    assert_eq!(event(&forged, "run_started")["operator"], operator(ana));

    // The secrets are not hers to see to.
    let said = host.as_user(ana, &["secrets", "list"]).exits(2);
    said.says("`secrets` is not accepted from you: the secrets are the account's");
    // What is on record of her, she doesn't erase, nor carry away.
    for upkeep in [
        &["prune", "--older-than", "90d", "--yes"][..],
        &["audit", "export", "--with-contents"],
    ] {
        let said = host.as_user(ana, upkeep).exits(2);
        let said = said.says("is not accepted from you: the record is the account's");
        assert_eq!(said.out, "");
    }
    host.as_user(ana, &["audit", "verify"]).ok();

    let who = host.as_user(ana, &["whoami", "-o", "json"]).ok().json();
    let state = account.home.join(".local/state/sandbook");
    assert_eq!(
        who,
        json!({
            "operator": operator(ana),
            "account": operator(account),
            "delegated": true,
            "project": host.project("").to_str().unwrap().trim_end_matches('/'),
            "state": state,
        })
    );
    host.as_user(ben, &["whoami"])
        .ok()
        .says("accepted are names");

    each_below(&account.home, &mut |path| {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(metadata.uid(), account.uid, "{}", path.display());
        assert_eq!(metadata.mode() & 0o077, 0, "{}", path.display());
    });
}

#[test]
fn no_path_and_no_surroundings_of_a_callers_count() {
    let Some(host) = Host::set_up() else { return };
    let Host { ana, account, .. } = &host;
    // A project of her own, which the account could read.
    let mine = ana.home.join("mine");
    fs::create_dir_all(mine.join("environments")).unwrap();
    fs::write(mine.join("sandbook.yaml"), "plugins: {}\nstate: .state\n").unwrap();
    fs::write(
        mine.join("evil.yaml"),
        "name: evil\nsteps: [{ id: a, wait: 1ms }]\n",
    )
    .unwrap();
    fs::write(mine.join("inputs.yaml"), "text: hers\n").unwrap();
    let practice = fs::read(host.project("environments/practice.yaml")).unwrap();
    fs::write(mine.join("environments/practice.yaml"), practice).unwrap();
    let place = |name: &str| mine.join(name).to_str().unwrap().to_owned();
    let (evil, inputs, project) = (place("evil.yaml"), place("inputs.yaml"), place(""));
    let value = format!("text=@{inputs}");
    for arguments in [
        &["run", &evil][..],
        &["run", "./evil.yaml"],
        &["run", "job", "--env", "practice", "--inputs", &inputs],
        &["run", "job", "--env", "practice", "-i", &value],
        &["run", "job", "--env", "practice", "--state", &project],
        &["--project", &project, "run", "evil"],
        &["plan", &evil],
        &["check", "job", &evil],
        &["plugin", "inspect", "./x.wasm"],
        &["plugin", "check", &evil],
        &["plugin", "pack", &evil, "--manifest", &evil, "--to", &evil],
        &["init", &place("made")],
        &["audit", "import", &project],
        &["decide", "@last", "happened", "--answer", &inputs],
    ] {
        let said = host.as_user(ana, arguments).exits(2);
        let rule = format!(
            "no path is accepted from you: the engine runs as `{}`",
            account.name
        );
        let said = said.says(&rule).says("help: ");
        assert_eq!(said.out, "");
    }
    host.as_user(ana, &["run", "evil"])
        .exits(2)
        .says("there is no runbook `evil`");
    let elsewhere = "../../../ana/mine/environments/practice";
    let said = host.as_user(ana, &["run", "job", "--env", elsewhere]);
    said.exits(2).says("there is no environment");

    // From the midst of her project, and sudo passes all of this on.
    let surrounded = |arguments: &[&str]| {
        let mut command = host.command(ana, arguments);
        command.current_dir(&mine);
        for name in ["SANDBOOK_PROJECT", "HOME"] {
            command.env(name, &mine);
        }
        for name in ["SANDBOOK_HOME", "XDG_STATE_HOME"] {
            command.env(name, mine.join("state"));
        }
        command
            .env("PATH", &mine)
            .env("SSL_CERT_FILE", &inputs)
            .env("TEAM_SECRET", "a-secret-of-hers");
        command
    };
    let surrounded = |arguments: &[&str]| {
        // Sudo itself has to be found.
        let mut command = surrounded(arguments);
        command.env("PATH", format!("{}:/usr/bin:/bin", mine.display()));
        Said::from(command.output().unwrap())
    };
    let list = surrounded(&["list"]).ok().says("job");
    assert!(!list.out.contains("evil"), "{}", list.out);
    surrounded(&RUN).ok();
    let idle = surrounded(&["run", "idle", "--env", "callers"]);
    idle.exits(2).says("`TEAM_SECRET` is not set");
    let runs = host.as_user(ana, &["runs", "-o", "json"]).ok().json_lines();
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(host.cloud.requests().len(), 1);

    // A limit of a caller's that sudo lets pass: no file of more than 4 KiB.
    let mut limited = account.command("sh");
    limited
        .args(["-c", r#"ulimit -S -f 8; exec "$@""#, "sh"])
        .arg(&host.binary)
        .args(RUN)
        .env("SUDO_UID", ana.uid.to_string());
    Said::from(limited.output().unwrap()).ok();
    let all = events(&host, ana);
    assert_eq!(event(&all, "run_started")["operator"], operator(ana));
    each_below(&ana.home, &mut |path| {
        assert_ne!(
            fs::metadata(path).unwrap().uid(),
            account.uid,
            "{}",
            path.display()
        );
    });
}

#[test]
fn a_secret_is_used_by_whoever_runs_it_and_read_by_nobody() {
    let Some(host) = Host::set_up() else { return };
    let Host { ana, account, .. } = &host;
    let secret = account.home.join("secrets/api");
    for file in [&secret, &host.project("environments/practice.yaml")] {
        let read = Said::from(ana.command("cat").arg(file).output().unwrap());
        assert_eq!((read.status, read.out.as_str()), (Some(1), ""));
        // Nor as the account, since the rule is for the engine alone.
        let mut sudo = ana.command("sudo");
        sudo.args(["-n", "-u", &account.name, "cat"]).arg(file);
        let read = Said::from(sudo.output().unwrap());
        assert_eq!((read.status, read.out.as_str()), (Some(1), ""));
    }
    host.as_user(ana, &RUN).ok();
    let sent = host.cloud.requests();
    let header = sent[0].header("authorization").unwrap();
    assert_eq!(header, format!("Bearer {LITERAL}"));

    let idle = ["run", "idle", "--env", "real"];
    host.as_user(ana, &idle).ok();
    for arguments in [&["show", "@last"][..], &["log", "@last", "-o", "json"]] {
        let said = host.as_user(ana, arguments).ok();
        assert!(
            !said.out.contains(IN_FILE) && !said.out.contains(LITERAL),
            "{}",
            said.out
        );
    }
    // It was read for that: without it there is no run.
    fs::remove_file(secret).unwrap();
    host.as_user(ana, &idle).exits(2).says("secrets/api");
}

#[test]
fn who_may_not_enter_gets_nothing() {
    let Some(host) = Host::set_up() else { return };
    let Host {
        ana, cat, account, ..
    } = &host;
    host.as_user(ana, &RUN).ok();
    let refused = host.as_user(cat, &RUN).exits(1);
    assert_eq!(refused.out, "");
    assert_eq!(host.cloud.requests().len(), 1);

    let own = |arguments: &[&str]| {
        let mut command = cat.command(&host.binary);
        command.args(arguments);
        command
    };
    let said = |mut command: std::process::Command| Said::from(command.output().unwrap());
    let project = host.project("");
    let project = project.to_str().unwrap();
    said(own(&["--project", project, "list"]))
        .exits(2)
        .says("can't");
    let state = account.home.join(".local/state/sandbook");
    let looked = said(own(&["--state", state.to_str().unwrap(), "runs"]));
    assert!(!looked.out.contains("job"), "{looked:?}");

    // To call oneself somebody else leads to one's own home, with less accepted than before.
    let mut forged = own(&["list"]);
    forged.env("SUDO_UID", account.uid.to_string());
    let home = cat.home.display().to_string();
    said(forged).exits(2).says("has no project").says(&home);
    let mut odd = own(&["list"]);
    odd.env("SUDO_UID", &account.name);
    said(odd).exits(2).says("which is no uid");
    let whoami = said(own(&["whoami", "-o", "json"])).ok().json();
    assert_eq!(whoami["operator"], operator(cat));
    assert_eq!(whoami["delegated"], false);
}
