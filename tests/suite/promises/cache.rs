//! Compiled code is kept, authenticated, and random numbers are a step's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::stage::Stage;

const RANDOM: &str = r#"steps:
  - id: a
    retry: { attempts: 2, delay: 10ms }
    uses: puppet
    with:
      actions:
        - { do: random }
        - { do: context }
        - { do: fail_unless, attempt: 2, message: again }
  - { id: b, uses: puppet, with: { actions: [{ do: random }, { do: context }] } }
"#;

/// The cache's entries, with when each was written.
fn entries(stage: &Stage) -> BTreeMap<PathBuf, SystemTime> {
    fs::read_dir(stage.lab.path(".sandbook/cache"))
        .unwrap()
        .flatten()
        .map(|entry| (entry.path(), entry.metadata().unwrap().modified().unwrap()))
        .collect()
}

#[test]
fn the_second_run_compiles_nothing() {
    let stage = Stage::cold();
    stage.run(RANDOM).ok();
    let first = entries(&stage);
    assert_eq!(first.len(), 1, "two steps, one component");
    stage.run(RANDOM).ok();
    assert_eq!(entries(&stage), first);
}

#[test]
fn a_cache_entry_that_was_tampered_with_is_not_run() {
    let stage = Stage::cold();
    stage.run(RANDOM).ok();
    let (path, _) = entries(&stage).pop_first().unwrap();
    let honest = fs::read(&path).unwrap();
    for place in [0, honest.len() / 2, honest.len() - 1] {
        let mut tampered = honest.clone();
        tampered[place] ^= 1;
        fs::write(&path, &tampered).unwrap();
        stage.run(RANDOM).ok();
        assert_ne!(fs::read(&path).unwrap(), tampered, "byte {place}");
    }
    fs::write(&path, &honest[..honest.len() / 2]).unwrap();
    stage.run(RANDOM).ok();
    assert!(fs::metadata(&path).unwrap().len() > honest.len() as u64 / 2);
}

#[test]
fn random_numbers_and_idempotency_keys_are_a_steps_own() {
    let stage = Stage::cold();
    stage.run(RANDOM).ok();
    let drawn: Vec<_> = stage
        .lab
        .events_of("logged")
        .into_iter()
        .filter(|line| line["step"] == "a")
        .map(|line| line["message"].clone())
        .collect();
    assert_eq!(drawn.len(), 2, "each attempt of `a` says what it drew");
    assert_eq!(drawn[0], drawn[1]);
    let (a, b) = (stage.output("a", "results"), stage.output("b", "results"));
    assert_eq!(a[1]["attempt"], 2);
    assert_ne!(a[0], b[0]);
    assert_ne!(a[1]["idempotency_key"], b[1]["idempotency_key"]);
    stage.run(RANDOM).ok();
    assert_ne!(stage.output("a", "results")[0], a[0]);
}
