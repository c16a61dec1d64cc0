use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::*;
use crate::{
    pack::pack,
    packed::Packed,
    plugin::{sample, tests::Bench},
    sandbox::{Sandbox, Settings},
};

const KEY: [u8; 32] = [7; 32];

fn packed(summary: &str) -> Packed {
    Packed::read(pack(&sample::answering("", "{}", summary), b"{}").unwrap()).unwrap()
}

fn sandbox(dir: &Path, key: [u8; 32]) -> Sandbox {
    let cache = Some(Cache::open(dir.join("aot"), key).unwrap());
    Sandbox::new(&Settings {
        cache,
        ..Settings::default()
    })
    .unwrap()
}

/// Loads and runs the plugin in a sandbox of its own: what it says, and how often it was compiled.
fn load(dir: &Path, key: [u8; 32], packed: &Packed) -> (String, usize) {
    let sandbox = sandbox(dir, key);
    let summary = Bench::new(sandbox.load(packed).unwrap()).succeeds().summary;
    (summary, sandbox.compiled())
}

fn entry(dir: &Path) -> PathBuf {
    let mut entries = fs::read_dir(dir.join("aot")).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "one entry and nothing temporary");
    path
}

#[test]
fn the_second_load_compiles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(load(dir.path(), KEY, &packed("one")), ("one".to_owned(), 1));
    assert_eq!(load(dir.path(), KEY, &packed("one")), ("one".to_owned(), 0));
}

#[test]
fn an_entry_that_was_changed_or_cut_is_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path(), KEY, &packed("one"));
    let good = fs::read(entry(dir.path())).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let mut other_mac = good.clone();
    other_mac[20] ^= 1;
    for bad in [
        flipped,
        other_mac,
        good[..good.len() - 1].to_vec(),
        good[..10].to_vec(),
        Vec::new(),
    ] {
        fs::write(entry(dir.path()), bad).unwrap();
        assert_eq!(load(dir.path(), KEY, &packed("one")), ("one".to_owned(), 1));
        assert_eq!(
            fs::read(entry(dir.path())).unwrap(),
            good,
            "the entry was mended"
        );
    }
}

#[test]
fn an_entry_of_another_component_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (packed("one"), packed("two"));
    load(dir.path(), KEY, &one);
    let cache = Cache::open(dir.path().join("aot"), KEY).unwrap();
    let print = Fingerprint::of(&crate::engine::engine(None).unwrap());
    assert_eq!(cache.path(&print, one.digest()), entry(dir.path()));
    fs::copy(entry(dir.path()), cache.path(&print, two.digest())).unwrap();
    assert_eq!(load(dir.path(), KEY, &two), ("two".to_owned(), 1));
}

#[test]
fn an_entry_made_with_another_key_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path(), KEY, &packed("one"));
    assert_eq!(load(dir.path(), [8; 32], &packed("one")).1, 1);
}

#[test]
fn directory_and_entries_are_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    load(dir.path(), KEY, &packed("one"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("aot")), 0o700);
    assert_eq!(mode(&entry(dir.path())), 0o600);
}

#[test]
fn a_directory_that_others_can_enter_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Cache::open(open.clone(), KEY).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is open to others (mode 755); make it yours with `chmod 700`"),
        "{error}"
    );

    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&open, &link).unwrap();
    assert!(matches!(
        Cache::open(link, KEY),
        Err(CacheError::NotADirectory(_))
    ));
    assert!(matches!(
        Cache::open(dir.path().join("a/b"), KEY),
        Err(CacheError::Io { .. })
    ));
}

#[test]
fn nothing_is_lost_when_the_cache_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = sandbox(dir.path(), KEY);
    fs::remove_dir(dir.path().join("aot")).unwrap();
    assert_eq!(
        Bench::new(sandbox.load(&packed("one")).unwrap())
            .succeeds()
            .summary,
        "one"
    );
}

#[test]
fn the_key_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aot");
    let cache = Cache::open(path.clone(), KEY).unwrap();
    assert_eq!(
        format!("{cache:?}"),
        format!("Cache {{ dir: {path:?}, .. }}")
    );
}
