use insta::assert_snapshot;

use super::{RUN, desk};
use crate::support::plain::plain;

#[test]
fn a_run_is_shown_listed_and_logged() {
    let (_cloud, lab) = desk();
    lab.sandbook(&RUN).ok();
    let note = lab.sandbook(&["note", "@last", "the vendor was told"]).ok();
    assert_snapshot!("note", plain(&note.out, &lab));
    for command in [&["show", "@last"][..], &["runs"], &["log", "@last"]] {
        let said = lab.sandbook(command).ok();
        assert_snapshot!(command[0], plain(&said.out, &lab));
    }
}

#[test]
fn a_run_is_named_by_its_id_a_prefix_or_last() {
    let (_cloud, lab) = desk();
    lab.sandbook(&RUN).ok();
    let run = lab.events()[0]["run"].as_str().unwrap().to_owned();
    for name in [&run, &run[..6], "@last"] {
        let shown = lab.sandbook(&["show", name, "--output", "json"]).ok();
        assert!(shown.out.contains(&run), "{}", shown.out);
    }
    lab.sandbook(&["show", "zzzz"])
        .exits(2)
        .says("`sandbook runs` lists them");
}

#[test]
fn runs_as_json() {
    let (_cloud, lab) = desk();
    lab.sandbook(&RUN).ok();
    let runs = lab
        .sandbook(&["runs", "--output", "json"])
        .ok()
        .json_lines();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["status"], "succeeded");
    assert_eq!(runs[0]["environment"]["rehearsal"], true);
    lab.sandbook(&["runs", "another"])
        .ok()
        .says("No runs of `another` on record.");
}
