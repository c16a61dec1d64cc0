//! Several people, one account: who did it is on record, the account's secrets stay its own, and nothing of a
//! person's decides what is run with them. With real users and sudo; left out, and said so, where there are none.

mod host;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use serde_json::{Value, json};

use self::host::{Host, IN_FILE, LITERAL, Person, each_below};
use crate::support::Said;
use crate::support::terminal::Terminal;

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
    // Programs that the engine starts by their names, in her folder.
    let note = account.home.join("hers-was-run");
    for name in ["git", "sh"] {
        let program = format!("#!/bin/sh\n: > {}\n", note.display());
        fs::write(mine.join(name), program).unwrap();
        fs::set_permissions(mine.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir(host.project(".git")).unwrap();
    // As the account itself, one chooses one's programs.
    let mut own = account.command(&host.binary);
    own.args(["--project", host.project("").to_str().unwrap()])
        .args(["run", "idle", "--env", "real"])
        .env("PATH", &mine);
    Said::from(own.output().unwrap()).ok();
    assert!(note.exists());
    fs::remove_file(&note).unwrap();
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
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert_eq!(host.cloud.requests().len(), 1);
    assert!(!note.exists());

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

/// What a helper of the account's sees: open files, variables, signals, the mode of new files, a limit.
const LOOK: &str = "\
{
  for file in /proc/self/fd/*; do echo \"open $(readlink $file)\"; done
  env
  grep -E '^Sig(Blk|Ign)' /proc/self/status
  echo \"umask $(umask)\"
  echo \"fsize $(ulimit -S -f)\"
}";

/// What a caller leaves a program with: no file of more than 4 KiB, everybody may do all with new ones, ignored signals.
const LEFT: &str = r#"ulimit -S -f 8; umask 0; trap "" HUP INT QUIT TERM USR1 USR2 ALRM CHLD; exec "$@" 7</etc/hostname 9</etc/hosts"#;

/// How a caller starts the engine as the account.
type Way<'a> = dyn Fn(&[&str]) -> std::process::Command + 'a;

/// Signals 32 and 33, which no program can set for itself.
const OF_THE_C_LIBRARY: u64 = 0b11 << 31;

#[test]
fn no_program_of_the_accounts_is_given_what_the_caller_has() {
    let Some(host) = Host::set_up() else { return };
    let Host { ana, account, .. } = &host;
    let (helper, seen) = (account.home.join("helper"), account.home.join("seen"));
    let look = format!(
        "#!/bin/sh\n{LOOK} > {}\necho the-secret-of-the-helper\n",
        seen.display()
    );
    host.write(&helper, &look, 0o700);
    host.write_helped(&helper, "PATH, HOME, SSL_CERT_FILE, TEAM_SECRET");
    let idle = ["run", "idle", "--env", "helped"];
    // By sudo, which keeps some of it out; then as sudo with other rules would have it.
    let by_sudo = |arguments: &[&str]| {
        let mut shell = ana.command("sh");
        shell.args(["-c", LEFT, "sh", "sudo", "-n", "-u", &account.name, "--"]);
        shell.arg(&host.binary).args(arguments);
        shell
    };
    let directly = |arguments: &[&str]| {
        let mut shell = account.command("sh");
        shell.args(["-c", LEFT, "sh"]).arg(&host.binary);
        shell.args(arguments).env("SUDO_UID", ana.uid.to_string());
        shell
    };
    let ways: [&Way<'_>; 2] = [&by_sudo, &directly];
    for way in ways {
        let run = |arguments: &[&str]| {
            let mut command = way(arguments);
            let command = command
                .env("SSL_CERT_FILE", "/x")
                .env("TEAM_SECRET", "hers");
            Said::from(command.output().unwrap()).ok();
        };
        // With a component to be compiled, by a child whose end has to be known.
        let cache = account.home.join(".local/state/sandbook/cache");
        let _ = fs::remove_dir_all(cache);
        run(&RUN);
        run(&idle);
        let said = fs::read_to_string(&seen).unwrap();
        fs::remove_file(&seen).unwrap();
        let has = |text: &str| said.lines().any(|line| line == text);
        assert!(!said.contains("/etc/host"), "{said}");
        assert!(!said.contains("SSL_CERT_FILE") && !said.contains("TEAM_SECRET"));
        assert!(has("PATH=/usr/local/bin:/usr/bin:/bin"), "{said}");
        assert!(has(&format!("HOME={}", account.home.display())), "{said}");
        assert!(has("SigBlk:\t0000000000000000"), "{said}");
        let ignored = said.lines().find_map(|line| line.strip_prefix("SigIgn:\t"));
        let ignored = u64::from_str_radix(ignored.unwrap(), 16).unwrap();
        assert_eq!(ignored & !OF_THE_C_LIBRARY, 0, "{said}");
        assert!(has("umask 0077"), "{said}");
        assert!(has("fsize unlimited"), "{said}");
    }
    let all = events(&host, ana);
    assert_eq!(event(&all, "run_started")["operator"], operator(ana));
    each_below(&account.home, &mut |path| {
        let metadata = fs::metadata(path).unwrap();
        assert_eq!(metadata.mode() & 0o077, 0, "{}", path.display());
    });
}

#[test]
fn no_size_of_a_terminal_is_believed() {
    let Some(host) = Host::set_up() else { return };
    for size in [(0, 0), (1, 1), (u16::MAX, u16::MAX)] {
        let plan = ["plan", "job", "--env", "practice"];
        let run = ["run", "job", "--env", "practice", "--yes"];
        for arguments in [&plan[..], &run] {
            let terminal = Terminal::start(host.command(&host.ana, arguments), size);
            let (status, screen) = terminal.end();
            assert!(status.success(), "{size:?}: {screen}");
        }
    }
}

/// Where a caller lets the account have no threads.
#[test]
fn without_threads_nothing_is_begun() {
    let Some(host) = Host::set_up() else { return };
    let Host { ana, account, .. } = &host;
    let mut limited = account.command("bash");
    limited
        .args(["-c", r#"ulimit -u 3; exec timeout 60 "$@""#, "bash"])
        .arg(&host.binary)
        .args(RUN)
        .env("SUDO_UID", ana.uid.to_string());
    let said = Said::from(limited.output().unwrap()).exits(5);
    said.says("error: ").says("ulimit -u");
    assert_eq!(host.cloud.requests().len(), 0);
}

#[test]
fn what_others_can_change_is_not_used() {
    let Some(host) = Host::set_up() else { return };
    let Host { ana, account, .. } = &host;
    let set =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let refused = |path: &Path| {
        let said = host.as_user(ana, &["list"]).exits(2);
        said.says(&format!("`{}`", path.display()));
    };
    set(&account.home, 0o755);
    for name in [
        "environments",
        "environments/practice.yaml",
        "plugins",
        "plugins/puppet.wasm",
        "job.yaml",
    ] {
        let path = host.project(name);
        let usual = fs::metadata(&path).unwrap().mode() & 0o777;
        set(&path, usual | 0o022);
        refused(&path);
        set(&path, usual);
    }
    host.as_user(ana, &["list"]).ok();

    // A helper of hers; then one of the account's that she can write to.
    let helper = ana.home.join("helper");
    fs::write(&helper, "#!/bin/sh\necho the-secret-of-the-helper\n").unwrap();
    set(&helper, 0o777);
    host.write_helped(&helper, "");
    let idle = ["run", "idle", "--env", "helped"];
    chown(&helper, Some(ana.uid), None).unwrap();
    host.as_user(ana, &idle).exits(2).says("belongs to user");
    chown(&helper, Some(account.uid), None).unwrap();
    host.as_user(ana, &idle).exits(2).says("has mode 0777");
    set(&helper, 0o755);
    host.as_user(ana, &idle).ok();

    // A project that a link has elsewhere, in a folder of hers.
    let hers = ana.home.join("project");
    fs::rename(account.home.join("project"), &hers).unwrap();
    std::os::unix::fs::symlink(&hers, account.home.join("project")).unwrap();
    refused(&ana.home);
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
