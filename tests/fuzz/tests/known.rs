//! Every target over its seeds, over what was found before, and over the same variations of both each time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target, Variations};

/// How many variations of a target's texts are read.
const VARIATIONS: usize = 1000;

fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(target);
    let Ok(entries) = fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn walk(target: Target) {
    let mut texts = Vec::new();
    for file in [files("corpus", target.name), files("found", target.name)].concat() {
        let text = fs::read(&file).unwrap();
        let read = catch_unwind(|| (target.read)(&text));
        assert!(read.is_ok(), "`{}` fails", file.display());
        texts.push(text);
    }
    assert!(!texts.is_empty(), "`{}` has no seeds", target.name);
    for text in Variations::of(&texts, 1).take(VARIATIONS) {
        let read = catch_unwind(|| (target.read)(&text));
        assert!(read.is_ok(), "{:?}", String::from_utf8_lossy(&text));
    }
}

macro_rules! each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                walk(*TARGETS.iter().find(|target| target.name == stringify!($name)).unwrap());
            }
        )*

        #[test]
        fn every_target_is_walked() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

each!(runbook allow_line expression journal manifest request);

#[test]
fn what_lies_beside_the_targets_belongs_to_one() {
    for folder in ["corpus", "found"] {
        for name in files(folder, "") {
            let name = name.file_name().unwrap().to_string_lossy().into_owned();
            assert!(TARGETS.iter().any(|target| target.name == name), "{name}");
        }
    }
}
