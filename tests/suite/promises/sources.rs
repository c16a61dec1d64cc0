//! Where secrets come from, by the binary: an encrypted file, a helper, a vault. Nothing is sent; `check --live` obtains
//! what runs would use.

mod bao;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use self::bao::Bao;
use crate::support::{Lab, Said};

const SECRET: &str = "tr0ub4dor+and/three=words";

/// A project with one runbook, whose step uses the credential `api` of the environment `real`.
fn lab(source: &str) -> Lab {
    let lab = Lab::new();
    lab.write(
        "job.yaml",
        "name: job
steps:
  - id: a
    uses: puppet
    credentials: { api: api }
    allow: [GET https://api.example.com/x]
    with: { actions: [] }
",
    );
    with_source(&lab, source);
    lab
}

fn with_source(lab: &Lab, source: &str) {
    lab.write(
        "environments/real.yaml",
        &format!(
            "name: real
credentials:
  api: {{ kind: bearer, origins: [https://api.example.com], secret: {source} }}
ceiling: [GET https://api.example.com/**]
network: {{ private: [127.0.0.1/32] }}
"
        ),
    );
}

const LIVE: [&str; 5] = ["check", "job", "--env", "real", "--live"];

#[track_caller]
fn obtained(said: Said) {
    hidden(&said.ok().says("1 credential obtained: `api`."));
}

/// Neither the secret nor what opens it is said.
#[track_caller]
fn hidden(said: &Said) {
    for text in ["tr0ub4dor", "AGE-SECRET", "4711"] {
        assert!(
            !said.out.contains(text) && !said.err.contains(text),
            "{said:?}"
        );
    }
}

fn handing_in(lab: &Lab, arguments: &[&str], text: &str) -> Said {
    let mut command = lab.command(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses may be gone before it has read this.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    Said::from(child.wait_with_output().unwrap())
}

fn mode(lab: &Lab, name: &str) -> u32 {
    fs::metadata(lab.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn secrets_are_kept_in_the_project_and_read_from_there() {
    const IDENTITY: &str = ".config/sandbook/age-identity";
    let lab = lab("{ age: statuspage }");
    lab.sandbook(&["secrets", "list"])
        .exits(2)
        .says("`sandbook secrets set NAME` makes it");
    let said = lab.sandbook(&LIVE).exits(2);
    hidden(&said.says("credential `api`: there is no secrets file"));

    let set = ["secrets", "set", "statuspage"];
    let said = handing_in(&lab, &set, &format!("{SECRET}\n")).ok();
    hidden(
        &said
            .says("`statuspage` is set in")
            .says("keep a copy of it"),
    );
    assert_eq!(mode(&lab, IDENTITY), 0o600);
    assert_eq!(mode(&lab, "secrets.age"), 0o600);
    obtained(lab.sandbook(&LIVE));
    // A value is no argument, and no value is one that can't be hidden.
    lab.sandbook(&["secrets", "set", "statuspage", SECRET])
        .exits(2);
    handing_in(&lab, &set, "abc\n")
        .exits(2)
        .says("shorter than 4 bytes");
    let said = handing_in(&lab, &["secrets", "set", "another"], SECRET).ok();
    hidden(&said);
    let said = lab.sandbook(&["secrets", "list"]).ok();
    assert_eq!(said.out, "another\nstatuspage\n");

    let whole = fs::read(lab.path("secrets.age")).unwrap();
    for damaged in [&b""[..], b"no age file", &whole[..whole.len() / 2]] {
        lab.write("secrets.age", std::str::from_utf8(damaged).unwrap());
        let said = lab.sandbook(&["secrets", "list"]).exits(2);
        let said = said.says("is no whole age file").says("put it back");
        assert!(!said.err.contains("SANDBOOK_AGE_IDENTITY"), "{}", said.err);
        assert_eq!(said.err.matches("because:").count(), 1, "{}", said.err);
    }
    fs::write(lab.path("secrets.age"), whole).unwrap();

    let before = fs::read(lab.path(IDENTITY)).unwrap();
    let sealed = fs::read(lab.path("secrets.age")).unwrap();
    hidden(&lab.sandbook(&["secrets", "rotate"]).ok());
    assert_ne!(fs::read(lab.path("secrets.age")).unwrap(), sealed);
    obtained(lab.sandbook(&LIVE));
    fs::write(lab.path("former"), &before).unwrap();
    fs::set_permissions(lab.path("former"), fs::Permissions::from_mode(0o600)).unwrap();
    let mut former = lab.command(&LIVE);
    former.env("SANDBOOK_AGE_IDENTITY", lab.path("former"));
    let said = Said::from(former.output().unwrap()).exits(2);
    hidden(&said.says("can't be opened with").says("former"));

    with_source(&lab, "{ age: statuspag }");
    let said = lab.sandbook(&LIVE).exits(2);
    hidden(&said.says("there is no secret `statuspag` in"));
    with_source(&lab, "{ age: statuspage }");
    fs::set_permissions(lab.path(IDENTITY), fs::Permissions::from_mode(0o644)).unwrap();
    let said = lab.sandbook(&LIVE).exits(2);
    hidden(&said.says("has mode 0644"));
}

#[test]
fn the_project_says_where_its_secrets_are() {
    let lab = lab("{ age: statuspage }");
    let project = fs::read_to_string(lab.path("sandbook.yaml")).unwrap();
    let places = "secrets: { file: private/all.age, identity: private/key }\n";
    lab.write("sandbook.yaml", &format!("{project}{places}"));
    fs::create_dir(lab.path("private")).unwrap();
    handing_in(&lab, &["secrets", "set", "statuspage"], SECRET).ok();
    assert!(lab.path("private/all.age").is_file() && lab.path("private/key").is_file());
    assert!(!lab.path(".config").exists());
    obtained(lab.sandbook(&LIVE));
}

fn helper(lab: &Lab, script: &str) -> String {
    lab.write("helper", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(lab.path("helper"), fs::Permissions::from_mode(0o755)).unwrap();
    lab.path("helper").display().to_string()
}

#[test]
fn a_helper_prints_a_secret() {
    let lab = lab("{ env: UNUSED }");
    let path = helper(&lab, &format!("echo '{SECRET}'"));
    with_source(
        &lab,
        &format!("{{ exec: {{ command: [{path}, show, x] }} }}"),
    );
    obtained(lab.sandbook(&LIVE));
    for (script, says) in [
        ("exit 4", "failed with exit status: 4"),
        (
            "echo tr0ub4dor; echo \"no such entry: tr0ub4dor\" >&2; exit 1",
            "no such entry: [secret helper]",
        ),
        ("true", "is empty"),
        ("sleep 600", "gave no secret within 1s and was killed"),
    ] {
        helper(&lab, script);
        with_source(
            &lab,
            &format!("{{ exec: {{ command: [{path}], timeout: 1s }} }}"),
        );
        let said = lab.sandbook(&LIVE).exits(2);
        hidden(&said.says("credential `api`: ").says(says).says(&path));
    }
}

#[test]
fn a_vault_is_asked() {
    let Some(bao) = Bao::start() else { return };
    let (address, token) = (bao.address(), Bao::TOKEN);
    bao.run(
        &[
            "kv",
            "put",
            "secret/ops/status",
            &format!("api_key={SECRET}"),
            "port=5432",
        ],
        "",
    );
    let vault =
        |more: &str| format!("{{ vault: {{ address: \"{address}\", path: ops/status, {more} }} }}");
    let lab = lab(&vault("field: api_key, token: { env: VAULT_TOKEN }"));
    let live = |token: &str| {
        let mut command = lab.command(&LIVE);
        Said::from(command.env("VAULT_TOKEN", token).output().unwrap())
    };
    obtained(live(token));
    let said = live("wrong-token-4711").exits(2);
    hidden(&said.says("answered reading `ops/status` with 403: permission denied"));
    for (more, says) in [
        ("field: apikey", "a secret that has no field `apikey`"),
        (
            "mount: other, field: api_key",
            "answered reading `ops/status` with",
        ),
    ] {
        with_source(
            &lab,
            &vault(&format!("{more}, token: {{ env: VAULT_TOKEN }}")),
        );
        hidden(&live(token).exits(2).says(says));
    }

    bao.run(&["auth", "enable", "approle"], "");
    let policy = "path \"secret/data/ops/*\" { capabilities = [\"read\"] }";
    bao.run(&["policy", "write", "ops", "-"], policy);
    bao.run(
        &["write", "auth/approle/role/ops", "token_policies=ops"],
        "",
    );
    let role = bao.run(
        &["read", "-field=role_id", "auth/approle/role/ops/role-id"],
        "",
    );
    let make = [
        "write",
        "-f",
        "-field=secret_id",
        "auth/approle/role/ops/secret-id",
    ];
    let secret_id = bao.run(&make, "");
    lab.write("secret-id", &secret_id);
    fs::set_permissions(lab.path("secret-id"), fs::Permissions::from_mode(0o600)).unwrap();
    let by_role =
        format!("field: api_key, approle: {{ role_id: {role}, secret_id: {{ file: secret-id }} }}");
    with_source(&lab, &vault(&by_role));
    obtained(lab.sandbook(&LIVE));
    fs::write(lab.path("secret-id"), "wrong-secret-id-4711").unwrap();
    let said = lab.sandbook(&LIVE).exits(2);
    hidden(&said.says("answered the login by AppRole with 400: invalid"));
    drop(bao);
    let said = lab.sandbook(&LIVE).exits(2);
    hidden(&said.says("gave no answer to the login by AppRole: no connection"));
}
