//! Plugins by URL.

use std::fs;

use super::files::Files;
use super::{FIRST, SECOND, add, fetched, is_untouched, lab, packed, refuses, state, text};

#[test]
fn a_plugin_is_added_once_and_then_needs_no_network() {
    let (lab, files) = (lab(), Files::start());
    files.put("/x-1.0.0.wasm", packed(&lab, FIRST));
    let url = files.url("/x-1.0.0.wasm");
    // Nobody is there to be asked.
    lab.sandbook(&["plugin", "add", "stranger", &url])
        .exits(2)
        .says("--yes");
    assert!(!lab.path("sandbook.lock").exists() && !lab.path(".sandbook-plugins").exists());
    assert!(!text(&lab, "sandbook.yaml").contains("plugins"));

    add(&lab, &url)
        .ok()
        .says("+ request GET https://api.example.com/pages/{page}")
        .says(&url);
    let project = text(&lab, "sandbook.yaml");
    assert_eq!(
        project,
        format!("# mine\nstate: .sandbook\n\nplugins:\n  stranger: {url}\n")
    );
    assert!(text(&lab, "sandbook.lock").contains(&format!("source: {url}\n")));
    assert_eq!(
        text(&lab, ".sandbook-plugins/.gitignore").lines().last(),
        Some("*")
    );
    lab.sandbook(&["plugin", "add", "stranger", &url, "--yes"])
        .exits(2)
        .says("already");

    let before = files.asked();
    lab.sandbook(&["check"]).ok();
    lab.sandbook(&["plan", "job"]).ok();
    is_untouched(&lab);
    lab.sandbook(&["run", "job"]).ok();
    lab.sandbook(&["plugin", "list"])
        .ok()
        .says("outside, accepted")
        .says(&url);
    lab.sandbook(&["plugin", "inspect", "stranger"])
        .ok()
        .says("1.0.0");
    lab.sandbook(&["plugin", "fetch"])
        .ok()
        .says("`stranger` is here");
    assert_eq!(files.asked(), before);
}

#[test]
fn a_fresh_clone_fetches_the_very_same_and_nothing_else() {
    let (lab, files) = (lab(), Files::start());
    let first = packed(&lab, FIRST);
    files.put("/x.wasm", first.clone());
    add(&lab, &files.url("/x.wasm")).ok();
    fs::remove_dir_all(lab.path(".sandbook-plugins")).unwrap();
    assert_eq!(state(&lab), "not_fetched");
    refuses(&lab, &["was not fetched", "sandbook plugin fetch stranger"]);
    lab.sandbook(&["plugin", "fetch"]).ok().says("is fetched");
    lab.sandbook(&["check"]).ok();

    // Altered on the disk.
    let place = fetched(&lab);
    for bytes in [packed(&lab, SECOND), b"\0asm".to_vec(), Vec::new()] {
        fs::write(&place, bytes).unwrap();
        assert_eq!(state(&lab), "altered");
        refuses(
            &lab,
            &["was altered on this disk", "sandbook plugin fetch stranger"],
        );
    }
    lab.sandbook(&["plugin", "verify"]).exits(2).says("altered");
    lab.sandbook(&["plugin", "fetch"]).ok().says("is fetched");
    assert_eq!(fs::read(&place).unwrap(), first);

    // Altered at its source.
    fs::remove_file(&place).unwrap();
    files.put("/x.wasm", packed(&lab, SECOND));
    lab.sandbook(&["plugin", "fetch"])
        .exits(2)
        .says("something else than what is wanted")
        .says("sandbook plugin update");
    assert!(!place.exists());
    files.take("/x.wasm");
    lab.sandbook(&["plugin", "fetch"])
        .exits(2)
        .says("answers 404");
}

#[test]
fn a_new_version_is_used_once_it_was_shown_and_accepted() {
    let (lab, files) = (lab(), Files::start());
    files.put("/x.wasm", packed(&lab, FIRST));
    add(&lab, &files.url("/x.wasm")).ok();
    lab.sandbook(&["plugin", "update"])
        .ok()
        .says("accepted as it is");
    lab.sandbook(&["plugin", "verify"])
        .ok()
        .says("here and at its source");

    files.put("/x.wasm", packed(&lab, SECOND));
    lab.sandbook(&["plugin", "verify"])
        .exits(2)
        .says("is not what")
        .says("sandbook plugin update stranger");
    // What was accepted goes on to be used until then.
    lab.sandbook(&["check"]).ok();
    lab.sandbook(&["plugin", "update", "stranger"])
        .exits(2)
        .says("It asks for more:")
        .says("* https://api.example.com/**")
        .says("--yes");
    assert!(text(&lab, "sandbook.lock").contains("version: 1.0.0"));
    lab.sandbook(&["plugin", "update", "stranger", "--yes"])
        .ok();
    assert!(text(&lab, "sandbook.lock").contains("version: 1.1.0"));
    lab.sandbook(&["run", "job"]).ok();
}

#[test]
fn a_source_that_was_changed_by_hand_is_not_used_before_it_was_accepted() {
    let (lab, files) = (lab(), Files::start());
    files.put("/x.wasm", packed(&lab, FIRST));
    files.put("/y.wasm", packed(&lab, SECOND));
    add(&lab, &files.url("/x.wasm")).ok();
    let project = text(&lab, "sandbook.yaml");
    lab.write("sandbook.yaml", &project.replace("/x.wasm", "/y.wasm"));
    assert_eq!(state(&lab), "changed");
    let update = "sandbook plugin update stranger";
    refuses(&lab, &["/y.wasm`, and what was accepted came from", update]);
    lab.sandbook(&["plugin", "fetch"]).exits(2).says(update);
    lab.sandbook(&["plugin", "accept", "stranger"])
        .exits(2)
        .says(update);
    lab.sandbook(&["plugin", "update", "--yes"]).ok();
    lab.sandbook(&["check"]).ok();

    // As after a crash between the two files: named and not accepted, accepted and not named.
    fs::remove_file(lab.path("sandbook.lock")).unwrap();
    assert_eq!(state(&lab), "not_accepted");
    refuses(&lab, &["no entry for it", update]);
    lab.sandbook(&["plugin", "update", "--yes"]).ok();
    lab.write("sandbook.yaml", "state: .sandbook\n");
    refuses(&lab, &["no plugin `stranger`"]);
    add(&lab, &files.url("/y.wasm")).ok();
    lab.sandbook(&["check"]).ok();
}

#[test]
fn a_plugin_in_use_is_not_removed() {
    let (lab, files) = (lab(), Files::start());
    files.put("/x.wasm", packed(&lab, FIRST));
    add(&lab, &files.url("/x.wasm")).ok();
    lab.sandbook(&["plugin", "remove", "stranger"])
        .exits(2)
        .says("is used by `job`")
        .says("--force");
    lab.write("job.yaml", "name: job\nsteps: [{ id: a\n");
    lab.sandbook(&["plugin", "remove", "stranger"])
        .exits(2)
        .says("can't be told");
    lab.write("job.yaml", "name: job\nsteps: [{ id: a, wait: 1ms }]\n");
    lab.sandbook(&["plugin", "remove", "strange"])
        .exits(2)
        .says("did you mean `stranger`?");
    lab.sandbook(&["plugin", "remove", "stranger"]).ok();
    assert_eq!(
        text(&lab, "sandbook.yaml"),
        "# mine\nstate: .sandbook\n\nplugins: {}\n"
    );
    assert!(!text(&lab, "sandbook.lock").contains("stranger"));
    lab.sandbook(&["check"]).ok();
}

#[test]
fn what_is_added_from_the_project_itself_needs_no_entry() {
    let lab = lab();
    fs::write(lab.path("x.wasm"), packed(&lab, FIRST)).unwrap();
    add(&lab, "../x.wasm")
        .exits(2)
        .says("leaves the project's folder");
    add(&lab, "y.wasm").exits(2).says("can't be read");
    add(&lab, "http://example.com/x.wasm")
        .exits(2)
        .says("in clear");
    add(&lab, "oci://h/x")
        .exits(2)
        .says("neither a tag nor a digest");
    add(&lab, "x.wasm").ok();
    assert!(!lab.path("sandbook.lock").exists());
    assert_eq!(state(&lab), "inside");
    lab.sandbook(&["run", "job"]).ok();
    lab.sandbook(&["plugin", "update", "stranger"])
        .exits(2)
        .says("lies in the project");
    lab.sandbook(&["plugin", "update"])
        .ok()
        .says("no plugins from outside");
}

#[test]
fn what_is_no_plugin_is_not_taken() {
    let (lab, files) = (lab(), Files::start());
    for (bytes, says) in [
        (&b"<html>"[..], "not WebAssembly"),
        (b"\0asm\x01\0\0\0", "core module"),
        (b"", "not WebAssembly"),
    ] {
        files.put("/x.wasm", bytes);
        add(&lab, &files.url("/x.wasm")).exits(2).says(says);
    }
    add(&lab, &files.url("/y.wasm"))
        .exits(2)
        .says("answers 404");
    assert!(!lab.path("sandbook.lock").exists() && !lab.path(".sandbook-plugins").exists());
}
