use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::Bench;

const RUN: [&str; 6] = ["run", "good", "--env", "real", "-i", "count=1"];

/// An environment that isn't a rehearsal, with this secret; its one origin is never reached.
fn real(secret: &str) -> String {
    format!(
        "name: real\ncredentials:\n  echo:\n    kind: bearer\n    secret: {secret}\n    origins: [https://echo.simcloud.test]\nceiling: [\"* https://echo.simcloud.test/**\"]\n"
    )
}

#[test]
fn an_environment_without_a_needed_credential() {
    let bench = Bench::new();
    bench.lab.write(
        "environments/real.yaml",
        "name: real\nceiling: [\"* https://echo.simcloud.test/**\"]\n",
    );
    bench.refuses_to(&RUN, &["`echo`", "good.yaml:8"]);
}

#[test]
fn a_secret_that_can_not_be_had() {
    let bench = Bench::new();
    bench
        .lab
        .write("environments/real.yaml", &real("{ env: THE_ECHO_TOKEN }"));
    bench.refuses_to(&RUN, &["`echo`", "THE_ECHO_TOKEN"]);
    let output = bench
        .lab
        .command(&RUN)
        .env("THE_ECHO_TOKEN", "")
        .output()
        .unwrap();
    crate::support::Said::from(output)
        .exits(2)
        .says("THE_ECHO_TOKEN")
        .says("empty");

    let secret = bench.lab.path("secret");
    bench.lab.write(
        "environments/real.yaml",
        &real(&format!("{{ file: {} }}", secret.display())),
    );
    let named = secret.display().to_string();
    bench.refuses_to(&RUN, &["`echo`", &named]);
    bench.lab.write("secret", "\n");
    bench.refuses_to(&RUN, &["`echo`", "chmod 600"]);
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    bench.refuses_to(&RUN, &["`echo`", "empty"]);
    std::fs::remove_file(&secret).unwrap();
    std::fs::create_dir(&secret).unwrap();
    bench.refuses_to(&RUN, &["`echo`", &named]);
    // Nothing was begun.
    assert!(bench.lab.sandbook(&["runs"]).ok().out.lines().count() <= 1);
}

#[test]
fn a_literal_secret_is_for_rehearsals_only() {
    let bench = Bench::new();
    bench
        .lab
        .write("environments/real.yaml", &real("{ literal: oh-no }"));
    let said = bench.refuses_to(&RUN, &["real.yaml", "literal"]);
    assert!(!said.err.is_empty());
}

#[test]
fn a_state_directory_that_can_not_be_written() {
    let bench = Bench::new();
    // A file stands where the directory should be: that holds for root, too.
    bench.lab.write("state", "a file");
    let said = bench.lab.sandbook(&[
        "--state",
        "state/below",
        "run",
        "good",
        "--env",
        "bench",
        "-i",
        "count=1",
    ]);
    said.exits(5)
        .says("state/below")
        .says("help: name a folder that you can write to, with `--state` or $SANDBOOK_HOME");
    assert!(bench.cloud.requests().is_empty());
}

#[test]
fn a_journal_of_a_newer_version() {
    let bench = Bench::new();
    let run = ["run", "good", "--env", "bench", "-i", "count=1"];
    bench.lab.sandbook(&run).ok();
    let sent = bench.cloud.requests().len();
    let journal = bench.lab.path(".sandbook/journal.db");
    let database = rusqlite::Connection::open(journal).unwrap();
    database.pragma_update(None, "user_version", 999).unwrap();
    drop(database);
    bench
        .lab
        .sandbook(&run)
        .exits(5)
        .says("journal.db")
        .says("newer");
    for look in [&["runs"][..], &["show", "@last"], &["log", "@last"]] {
        bench.lab.sandbook(look).exits(5).says("newer");
    }
    assert_eq!(bench.cloud.requests().len(), sent);
}

#[test]
fn a_journal_that_is_none() {
    let run = ["run", "good", "--env", "bench", "-i", "count=1"];
    let bench = Bench::new();
    bench.lab.sandbook(&run).ok();
    let sent = bench.cloud.requests().len();
    let foreign = |make: &dyn Fn(&std::path::Path)| {
        for file in ["journal.db-wal", "journal.db-shm", "journal.db"] {
            let _ = std::fs::remove_file(bench.lab.path(".sandbook").join(file));
        }
        make(&bench.lab.path(".sandbook/journal.db"));
        bench.lab.sandbook(&run).exits(5).says("journal");
        assert_eq!(bench.cloud.requests().len(), sent);
    };
    foreign(&|path| std::fs::write(path, "a letter to the operator, and no database").unwrap());
    foreign(&|path| std::fs::create_dir(path).unwrap());
    std::fs::remove_dir(bench.lab.path(".sandbook/journal.db")).unwrap();
    foreign(&|path| {
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE recipes (name)").unwrap();
    });
}
