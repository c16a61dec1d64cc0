//! What hostile steps took is given back.

use std::fs;

use crate::promises::stage::{Stage, until};

const WAITING: &str = "
  - { id: last, uses: puppet, with: { actions: [{ do: sleep, milliseconds: 60000 }] } }";

/// What the engine's process holds in memory while the last of these steps sleeps, in KiB.
fn resident(steps: &str) -> u64 {
    let stage = Stage::new();
    let mut child = stage.start(&format!("steps:{steps}{WAITING}"));
    until("the last step runs", || {
        let log = stage.lab.sandbook(&["log", "@last", "-o", "json"]).out;
        log.lines()
            .any(|line| line.contains("step_started") && line.contains("\"last\""))
    });
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

#[test]
fn memory_is_given_back_after_hostile_steps() {
    let hostile: String = [
        "{ do: allocate, bytes: 1000000000 }",
        "{ do: recurse }",
        "{ do: big_output, bytes: 2000000 }",
        "{ do: allocate, bytes: 500000000 }",
        "{ do: flood, lines: 20000, bytes: 5000000 }",
        "{ do: abort }",
        "{ do: allocate, bytes: 1000000000 }",
    ]
    .iter()
    .enumerate()
    .map(|(number, action)| {
        format!("\n  - {{ id: a{number}, on_failure: continue, uses: puppet, with: {{ actions: [{action}] }} }}")
    })
    .collect();
    let (innocent, after) = (resident(""), resident(&hostile));
    assert!(
        after < innocent + 64 * 1024,
        "{innocent} KiB without hostile steps, {after} KiB after them"
    );
}
