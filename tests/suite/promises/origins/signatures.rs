//! Who must have signed a plugin.

use std::fs;

use super::files::Files;
use super::signer::{Cosign, Minisign};
use super::{FIRST, SECOND, add, fetched, is_untouched, lab, packed, refuses, state, text};
use crate::support::Lab;

/// A project in which everything from outside must be signed by `ops`, whose key this is.
fn signed_lab(key: &str) -> Lab {
    let lab = lab();
    let project = format!("state: .sandbook\nkeys:\n  ops: {key}\nsigned_by: [ops]\n");
    lab.write("sandbook.yaml", &project);
    lab
}

/// Asserts that nothing of it was taken.
#[track_caller]
fn took_nothing(lab: &Lab) {
    for name in ["sandbook.lock", ".sandbook-plugins"] {
        assert!(!lab.path(name).exists(), "{name}");
    }
    assert!(!text(lab, "sandbook.yaml").contains("stranger"));
    is_untouched(lab);
}

#[test]
fn what_is_not_signed_as_it_must_be_is_not_taken() {
    let (minisign, cosign) = (Minisign::new(), Cosign::new());
    let files = Files::start();
    let url = files.url("/x.wasm");
    let keys = [
        (
            format!("{{ minisign: {} }}", minisign.public()),
            "/x.wasm.minisig",
            "minisign",
        ),
        (
            "{ cosign: keys/cosign.pub }".to_owned(),
            "/x.wasm.sig",
            "cosign",
        ),
    ];
    for (key, place, tool) in keys {
        let lab = signed_lab(&key);
        let first = packed(&lab, FIRST);
        files.put("/x.wasm", first.clone());
        files.take("/x.wasm.minisig");
        files.take("/x.wasm.sig");
        if tool == "cosign" {
            add(&lab, &url).exits(2).says("key `ops` is not there");
            lab.write("keys/cosign.pub", "no key\n");
            files.put(place, cosign.sign(&first));
            add(&lab, &url).exits(2).says("not a public key in PEM");
            lab.write("keys/cosign.pub", &cosign.public());
            files.take(place);
        }
        let sign = |bytes: &[u8]| match tool {
            "cosign" => cosign.sign(bytes),
            _ => minisign.sign(bytes),
        };
        let others = |bytes: &[u8]| match tool {
            "cosign" => Cosign::new().sign(bytes),
            _ => Minisign::new().sign(bytes),
        };
        let not_signed = "is not signed by `ops`";
        add(&lab, &url)
            .exits(2)
            .says(not_signed)
            .says(&format!("no signature of {tool}"));
        for (signature, says) in [
            (others(&first), "made with another key"),
            (sign(b"something else"), "for something else"),
            (
                sign(&first)[..30].to_owned(),
                if tool == "cosign" { "" } else { "damaged" },
            ),
            (String::new(), ""),
            ("\u{1b}[2J<html>".to_owned(), "damaged"),
        ] {
            files.put(place, signature);
            add(&lab, &url).exits(2).says(not_signed).says(says);
        }
        took_nothing(&lab);

        files.put(place, sign(&first));
        add(&lab, &url).ok().says("signed by  ops");
        lab.sandbook(&["check"]).ok();
        lab.sandbook(&["run", "job"]).ok();
        lab.sandbook(&["plugin", "verify"]).ok();
        // A new version that isn't signed.
        files.put("/x.wasm", packed(&lab, SECOND));
        lab.sandbook(&["plugin", "update", "--yes"])
            .exits(2)
            .says(not_signed);
        assert!(text(&lab, "sandbook.lock").contains("version: 1.0.0"));
    }
}

#[test]
fn the_signature_is_looked_at_whenever_the_plugin_is_used() {
    let minisign = Minisign::new();
    let (lab, files) = (
        signed_lab(&format!("{{ minisign: {} }}", minisign.public())),
        Files::start(),
    );
    let (first, second) = (packed(&lab, FIRST), packed(&lab, SECOND));
    files.put("/x.wasm", first.clone());
    files.put("/x.wasm.minisig", minisign.sign(&first));
    add(&lab, &files.url("/x.wasm")).ok();
    let (project, lock) = (text(&lab, "sandbook.yaml"), text(&lab, "sandbook.lock"));
    let not_signed = "is not signed by `ops`";

    // The key is another one now; another must have signed as well; nobody has signed.
    let other = Minisign::new().public();
    let both = project
        .replace("signed_by: [ops]", "signed_by: [ops, lead]")
        .replace(
            "keys:\n",
            &format!("keys:\n  lead: {{ minisign: {other} }}\n"),
        );
    lab.write("sandbook.yaml", &both);
    refuses(&lab, &["is not signed by `lead`"]);
    lab.write(
        "sandbook.yaml",
        &project.replace(&minisign.public(), &other),
    );
    assert_eq!(state(&lab), "unsigned");
    refuses(&lab, &[not_signed, "made with another key"]);
    lab.write("sandbook.yaml", &project);
    let bare = &lock[..lock.find("    signed_by:").unwrap()];
    lab.write("sandbook.lock", bare);
    refuses(&lab, &[not_signed, "no signature of minisign"]);
    // A signature that comes later is taken up by an update.
    lab.sandbook(&["plugin", "update", "--yes"]).ok();
    lab.sandbook(&["check"]).ok();

    // Something else that lies here, since another plugin may be unsigned, under the name of the signed one.
    let unsigned = format!("{{ from: \"{}\", signed_by: [] }}", files.url("/y.wasm"));
    files.put("/y.wasm", second);
    lab.write(
        "sandbook.yaml",
        &(project.clone() + &format!("  other: {unsigned}\n")),
    );
    lab.sandbook(&["plugin", "update", "other", "--yes"]).ok();
    let forged = text(&lab, "sandbook.lock");
    let digest = |name: &str| {
        let entry = &forged[forged.find(&format!("\n  {name}:\n")).unwrap()..];
        let at = entry.find("sha256:").unwrap();
        entry[at..at + 71].to_owned()
    };
    let forged = forged
        .replace(&digest("stranger"), &digest("other"))
        .replace("version: 1.0.0", "version: 1.1.0")
        .replace(
            "GET https://api.example.com/pages/{page}",
            "'* https://api.example.com/**'",
        );
    lab.write("sandbook.lock", &forged);
    refuses(&lab, &[not_signed, "it is wrong"]);
    lab.write("sandbook.lock", &lock);
    lab.write("sandbook.yaml", &project);
    lab.sandbook(&["check"]).ok();
}

#[test]
fn who_has_signed_is_shown_before_a_run() {
    let minisign = Minisign::new();
    let (lab, files) = (
        signed_lab(&format!("{{ minisign: {} }}", minisign.public())),
        Files::start(),
    );
    let first = packed(&lab, FIRST);
    let url = files.url("/x.wasm");
    files.put("/x.wasm", first.clone());
    files.put("/x.wasm.minisig", minisign.sign(&first));
    add(&lab, &url).ok();
    let shows = [
        &["plan", "job"][..],
        &["plugin", "inspect", "stranger"],
        &["plugin", "list"],
    ];
    for show in shows {
        let said = lab.sandbook(show).ok().says(&url);
        let is_signer = |line: &str| line.contains("ops");
        assert!(said.out.lines().any(is_signer), "{}", said.out);
    }
    lab.sandbook(&["plan", "job"]).ok().says("signed by  ops");
    let plan = lab.sandbook(&["plan", "job", "-o", "json"]).ok().json();
    let inspected = lab.sandbook(&["plugin", "inspect", "stranger", "-o", "json"]);
    for plugin in [&plan["steps"][0]["plugin"], &inspected.ok().json()] {
        assert_eq!(plugin["source"], url.as_str(), "{plugin}");
        assert_eq!(plugin["outside"], true, "{plugin}");
        assert_eq!(plugin["signed_by"], serde_json::json!(["ops"]), "{plugin}");
    }

    // Where nobody must have signed it, that is said; the name of a key isn't taken from the lock.
    let project = text(&lab, "sandbook.yaml");
    lab.write("sandbook.yaml", &project.replace("signed_by: [ops]\n", ""));
    lab.sandbook(&["plan", "job"])
        .ok()
        .says("nobody that sandbook.yaml asks for");
    let plan = lab.sandbook(&["plan", "job", "-o", "json"]).ok().json();
    let signed_by = &plan["steps"][0]["plugin"]["signed_by"];
    assert_eq!(*signed_by, serde_json::json!([]), "{plan}");

    // What isn't signed can be looked at, and isn't compiled.
    let other = project.replace(&minisign.public(), &Minisign::new().public());
    lab.write("sandbook.yaml", &other);
    lab.sandbook(&["plugin", "inspect", "stranger"])
        .ok()
        .says("outside, not signed as it must be");
    lab.sandbook(&["plugin", "check", "stranger"])
        .exits(2)
        .says("is not signed by `ops`");
    is_untouched(&lab);
}

#[test]
fn a_fresh_clone_needs_the_signature_too() {
    let minisign = Minisign::new();
    let (lab, files) = (
        signed_lab(&format!("{{ minisign: {} }}", minisign.public())),
        Files::start(),
    );
    let first = packed(&lab, FIRST);
    files.put("/x.wasm", first.clone());
    files.put("/x.wasm.minisig", minisign.sign(&first));
    add(&lab, &files.url("/x.wasm")).ok();
    // What the lock has of it is enough, also when the source has it no more; `verify` says so.
    files.take("/x.wasm.minisig");
    fs::remove_file(fetched(&lab)).unwrap();
    lab.sandbook(&["plugin", "fetch"]).ok();
    lab.sandbook(&["check"]).ok();
    lab.sandbook(&["plugin", "verify"])
        .exits(2)
        .says("is not signed by `ops`");
    // Without any, not even what is pinned is kept.
    fs::remove_file(fetched(&lab)).unwrap();
    let lock = text(&lab, "sandbook.lock");
    lab.write(
        "sandbook.lock",
        &lock[..lock.find("    signed_by:").unwrap()],
    );
    lab.sandbook(&["plugin", "fetch"])
        .exits(2)
        .says("is not signed by `ops`");
    assert_eq!(
        fs::read_dir(lab.path(".sandbook-plugins")).unwrap().count(),
        1
    );
}

#[test]
fn a_file_may_have_to_be_signed_as_well() {
    let minisign = Minisign::new();
    let lab = lab();
    let first = packed(&lab, FIRST);
    fs::write(lab.path("x.wasm"), &first).unwrap();
    let project = format!(
        "state: .sandbook\nkeys: {{ ops: {{ minisign: {} }} }}\nplugins:\n  stranger: {{ from: x.wasm, signed_by: [ops] }}\n",
        minisign.public()
    );
    lab.write("sandbook.yaml", &project);
    refuses(&lab, &["is not signed by `ops`"]);
    lab.write("x.wasm.minisig", &minisign.sign(b"x"));
    refuses(&lab, &["is not signed by `ops`", "it is wrong"]);
    lab.write("x.wasm.minisig", &minisign.sign(&first));
    lab.sandbook(&["check"]).ok();
    // What is said of all from outside is not said of the project's own.
    let project =
        project.replace("{ from: x.wasm, signed_by: [ops] }", "x.wasm") + "signed_by: [ops]\n";
    lab.write("sandbook.yaml", &project);
    fs::remove_file(lab.path("x.wasm.minisig")).unwrap();
    lab.sandbook(&["check"]).ok();
    // But of a file that lies elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    let place = elsewhere.path().join("x.wasm");
    fs::write(&place, &first).unwrap();
    lab.write(
        "sandbook.yaml",
        &project.replace(
            "stranger: x.wasm",
            &format!("stranger: {}", place.display()),
        ),
    );
    lab.sandbook(&["plugin", "accept", "stranger", "--yes"])
        .exits(2)
        .says("is not signed by `ops`");
    fs::write(
        elsewhere.path().join("x.wasm.minisig"),
        minisign.sign(&first),
    )
    .unwrap();
    lab.sandbook(&["plugin", "accept", "stranger", "--yes"])
        .ok();
    lab.sandbook(&["check"]).ok();
    fs::write(elsewhere.path().join("x.wasm.minisig"), minisign.sign(b"x")).unwrap();
    refuses(&lab, &["is not signed by `ops`"]);
}
