//! The cases of the examples, of the guide's step and of what `plugin new` makes. `cargo xtask examples` builds them.

use super::built::example;
use crate::support::{Lab, target};

/// Runs the cases that lie in each project.
fn go_as_their_cases_say(rooms: &[&str]) {
    let lab = Lab::new();
    for room in rooms {
        if example(room).is_none() {
            continue;
        }
        let cases = target().join(format!("examples/{room}/project/cases.yaml"));
        let said = lab.sandbook(&["plugin", "test", cases.to_str().unwrap()]);
        said.ok().says("all went as expected");
    }
}

#[test]
fn in_rust() {
    go_as_their_cases_say(&["new-rust", "retire-pool-rust"]);
}

#[test]
fn in_typescript() {
    go_as_their_cases_say(&["new-typescript", "retire-pool-typescript", "slack-notify"]);
}

#[test]
fn in_python() {
    go_as_their_cases_say(&["new-python", "retire-pool-python", "read-status"]);
}

#[test]
fn in_go() {
    go_as_their_cases_say(&["new-go", "retire-pool-go", "purge-cache"]);
}

#[test]
fn in_c() {
    go_as_their_cases_say(&["new-c", "retire-pool-c", "fingerprint"]);
}
