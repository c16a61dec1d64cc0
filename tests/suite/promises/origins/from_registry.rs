//! Plugins from a registry.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::images::{cosign, pull, push, sign};
use super::registry::{Kind, Registry};
use super::signer::{Cosign, Minisign, digest, payload};
use super::{FIRST, SECOND, add, fetched, lab, packed, state, text};
use crate::support::{Lab, Said};

const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// Publishes a component; what it says of it.
#[track_caller]
fn publish(lab: &Lab, bytes: &[u8], to: &str, more: &[&str]) -> Value {
    fs::write(lab.path("x.wasm"), bytes).unwrap();
    let arguments = [&["plugin", "publish", "x.wasm", to, "-o", "json"], more].concat();
    let said = lab.sandbook(&arguments).ok().json();
    fs::remove_file(lab.path("x.wasm")).unwrap();
    said
}

fn image(published: &Value) -> &str {
    published["image"].as_str().unwrap()
}

#[test]
fn what_is_published_is_added_and_updated() {
    let Some(registry) = Registry::start(Kind::Open) else {
        return;
    };
    let lab = lab();
    let (first, second) = (packed(&lab, FIRST), packed(&lab, SECOND));
    let tag = registry.image("ops/purge:1.0");
    let published = publish(&lab, &first, &tag, &[]);
    assert_eq!(published["component"], digest(&first).as_str());
    assert_eq!(published["was_there"], false);
    // The same again changes nothing; another one is refused.
    assert_eq!(publish(&lab, &first, &tag, &[])["was_there"], true);
    fs::write(lab.path("x.wasm"), &second).unwrap();
    lab.sandbook(&["plugin", "publish", "x.wasm", &tag])
        .exits(2)
        .says("is there already")
        .says("--replace");

    add(&lab, &tag).ok().says(&tag);
    let lock = text(&lab, "sandbook.lock");
    assert!(
        lock.contains(&format!(
            "image: {}",
            image(&published).split_once('@').unwrap().1
        )),
        "{lock}"
    );
    lab.sandbook(&["run", "job"]).ok();
    lab.sandbook(&["plugin", "verify"])
        .ok()
        .says("here and at its source");
    fs::remove_file(fetched(&lab)).unwrap();
    lab.sandbook(&["plugin", "fetch"]).ok().says("is fetched");
    assert_eq!(fs::read(fetched(&lab)).unwrap(), first);

    // The tag moves.
    publish(&lab, &second, &tag, &["--replace"]);
    lab.sandbook(&["plugin", "verify"])
        .ok()
        .says("the tag means another one by now");
    fs::remove_file(fetched(&lab)).unwrap();
    lab.sandbook(&["plugin", "fetch"]).ok();
    assert_eq!(fs::read(fetched(&lab)).unwrap(), first);
    lab.sandbook(&["plugin", "update", "--yes"])
        .ok()
        .says("It asks for more:");
    lab.sandbook(&["check"]).ok();

    // By its digest it doesn't.
    lab.sandbook(&["plugin", "remove", "stranger", "--force"])
        .ok();
    let pinned = registry.image(image(&published).split_once('/').unwrap().1);
    add(&lab, &pinned).ok();
    lab.sandbook(&["plugin", "update"])
        .ok()
        .says("accepted as it is");
    add(&lab, &tag).exits(2).says("already");
    lab.sandbook(&["plugin", "add", "none", &registry.image("ops/purge:9")])
        .exits(2)
        .says("MANIFEST_UNKNOWN");
    // A registry whose disk was altered.
    fs::remove_dir_all(lab.path(".sandbook-plugins")).unwrap();
    fs::write(registry.blob(&digest(&first)), &second).unwrap();
    let said = lab.sandbook(&["plugin", "fetch"]).exits(2);
    assert!(!lab.path(".sandbook-plugins").exists(), "{said:?}");
}

#[test]
fn images_are_those_of_other_tools_for_components() {
    let Some(registry) = Registry::start(Kind::Open) else {
        return;
    };
    let lab = lab();
    let first = packed(&lab, FIRST);
    publish(&lab, &first, &registry.image("ops/ours:1"), &[]);
    let (manifest, config, layers) = pull(&registry, "ops/ours:1");
    assert_eq!(layers, std::slice::from_ref(&first));
    assert_eq!(
        manifest["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(manifest["config"]["mediaType"], CONFIG);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.version"],
        "1.0.0"
    );
    let imports = config["component"]["imports"].clone();
    assert!(
        imports
            .as_array()
            .is_some_and(|imports| !imports.is_empty())
    );
    // As `oci-wasm` has it, key by key: it refuses a config without one of them.
    assert_eq!(
        config,
        json!({
            "created": "1970-01-01T00:00:00Z", "author": null, "architecture": "wasm", "os": "wasip2",
            "layerDigests": [digest(&first)],
            "component": { "exports": ["step"], "imports": imports, "target": null },
        })
    );

    // As `wkg` writes it: another time, an author, no annotations.
    let theirs = config
        .to_string()
        .replace("1970", "2026")
        .replace("\"author\":null", "\"author\":\"me\"");
    let layer = || ("application/wasm", first.as_slice(), BTreeMap::new());
    push(
        &registry,
        "ops/theirs:1",
        (CONFIG, theirs.as_bytes()),
        &[layer()],
    );
    add(&lab, &registry.image("ops/theirs:1")).ok();
    assert_eq!(fs::read(fetched(&lab)).unwrap(), first);
    lab.sandbook(&["run", "job"]).ok();

    // Images of other things.
    let tar = || {
        (
            "application/vnd.oci.image.layer.v1.tar",
            first.as_slice(),
            BTreeMap::new(),
        )
    };
    let container = "application/vnd.oci.image.config.v1+json";
    for (config, layers, says) in [
        (container, vec![layer()], "it is no component"),
        (CONFIG, vec![layer(), tar()], "2 layers"),
        (CONFIG, vec![tar()], "layer.v1.tar"),
    ] {
        push(&registry, "ops/odd:1", (config, b"{}"), &layers);
        let odd = registry.image("ops/odd:1");
        lab.sandbook(&["plugin", "add", "odd", &odd, "--yes"])
            .exits(2)
            .says(says);
    }
}

/// A project in which all from outside is signed by `ops`, with this key of cosign.
fn signed_lab(key: &Cosign) -> Lab {
    let lab = lab();
    lab.write("cosign.pub", &key.public());
    lab.write(
        "sandbook.yaml",
        "state: .sandbook\nkeys: { ops: { cosign: cosign.pub } }\nsigned_by: [ops]\n",
    );
    lab
}

#[test]
fn a_signature_in_the_registry_is_for_that_image_in_that_place() {
    let Some(registry) = Registry::start(Kind::Open) else {
        return;
    };
    let key = Cosign::new();
    let lab = signed_lab(&key);
    let (first, second) = (packed(&lab, FIRST), packed(&lab, SECOND));
    let tag = registry.image("ops/purge:1.0");
    let published = publish(&lab, &first, &tag, &[]);
    let right = image(&published);
    let other = publish(&lab, &second, &registry.image("ops/purge:2.0"), &[]);
    let not_signed = "is not signed by `ops`";
    add(&lab, &tag)
        .exits(2)
        .says(not_signed)
        .says("no signature of cosign");

    let signed = |payload: &str| key.sign(payload.as_bytes());
    let elsewhere = payload(&right.replace("ops/purge", "ops/other"));
    let others = payload(image(&other));
    let mine = payload(right);
    for (payload, signature, says) in [
        (
            &mine,
            Cosign::new().sign(mine.as_bytes()),
            "made with another key",
        ),
        (&others, signed(&others), "made for another image"),
        (&elsewhere, signed(&elsewhere), "/ops/other`"),
        (&mine, signed(&others), "it is wrong"),
        (&mine, signed(&mine)[..40].to_owned(), "it is wrong"),
        (&"{}".to_owned(), signed("{}"), "no payload of cosign"),
        (&mine, "\u{1b}[2J".to_owned(), "not base64"),
    ] {
        cosign(&registry, right, payload, &signature);
        add(&lab, &tag).exits(2).says(not_signed).says(says);
    }
    assert!(!lab.path("sandbook.lock").exists() && !lab.path(".sandbook-plugins").exists());

    sign(&registry, right, &key);
    add(&lab, &tag).ok().says("signed by  ops");
    lab.sandbook(&["run", "job"]).ok();
    lab.sandbook(&["plugin", "verify"]).ok();
    fs::remove_file(fetched(&lab)).unwrap();
    lab.sandbook(&["plugin", "fetch"]).ok();
    // Another key, of another kind: nothing there is signed with it.
    let minisign = format!("{{ minisign: {} }}", Minisign::new().public());
    let project = text(&lab, "sandbook.yaml");
    lab.write(
        "sandbook.yaml",
        &project.replace("{ cosign: cosign.pub }", &minisign),
    );
    lab.sandbook(&["check"])
        .exits(2)
        .says("no signature of minisign");
    lab.write("sandbook.yaml", &project);
    // The signature is not the one that was accepted any more.
    cosign(
        &registry,
        right,
        &mine,
        &Cosign::new().sign(mine.as_bytes()),
    );
    lab.sandbook(&["check"]).ok();
    lab.sandbook(&["plugin", "verify"])
        .exits(2)
        .says(not_signed);
}

#[test]
fn a_signature_of_minisign_goes_along() {
    let Some(registry) = Registry::start(Kind::Open) else {
        return;
    };
    let (lab, key) = (lab(), Minisign::new());
    lab.write(
        "sandbook.yaml",
        &format!(
            "state: .sandbook\nkeys: {{ ops: {{ minisign: {} }} }}\n",
            key.public()
        ),
    );
    let first = packed(&lab, FIRST);
    lab.write("x.wasm.minisig", &key.sign(&first));
    let tag = registry.image("purge:1.0");
    assert_eq!(publish(&lab, &first, &tag, &[])["minisig"], true);
    let add = |signer: &str| {
        lab.sandbook(&[
            "plugin",
            "add",
            "stranger",
            &tag,
            "--signed-by",
            signer,
            "--yes",
        ])
    };
    add("opps").exits(2).says("did you mean `ops`?");
    add("ops").ok();
    assert!(text(&lab, "sandbook.yaml").contains(&format!(
        "stranger: {{ from: \"{tag}\", signed_by: [ops] }}"
    )));
    lab.sandbook(&["run", "job"]).ok();
}

#[test]
fn a_private_registry_is_told_who_asks_and_nobody_else_is() {
    let Some(registry) = Registry::start(Kind::Private) else {
        return;
    };
    let lab = lab();
    let first = packed(&lab, FIRST);
    fs::write(lab.path("x.wasm"), &first).unwrap();
    let tag = registry.image("ops/purge:1.0");
    let publish = ["plugin", "publish", "x.wasm", &tag];
    let hidden = |said: Said| {
        for text in [Registry::PASSWORD, "aHVudGVy", "YW5hOm"] {
            assert!(
                !said.out.contains(text) && !said.err.contains(text),
                "{said:?}"
            );
        }
        said
    };
    let log_in = |host: &str, password: &str| {
        let user = Registry::USER;
        let config =
            format!(r#"{{"auths":{{"{host}":{{"username":"{user}","password":"{password}"}}}}}}"#);
        lab.write(".docker/config.json", &config);
    };
    hidden(lab.sandbook(&publish).exits(2))
        .says("wants credentials")
        .says("docker login");
    log_in(&registry.host(), "wrong-4711");
    hidden(lab.sandbook(&publish).exits(2)).says("does not let these credentials in");
    log_in("127.0.0.1", Registry::PASSWORD);
    hidden(lab.sandbook(&publish).exits(2)).says("wants credentials");
    lab.write(
        ".docker/config.json",
        "{\"auths\": {\"h\": {\"auth\": \"aHVudGVy",
    );
    hidden(lab.sandbook(&publish).exits(2)).says("config.json");
    log_in(&registry.host(), Registry::PASSWORD);
    hidden(lab.sandbook(&publish).ok());
    hidden(add(&lab, &tag).ok());
    assert!(!text(&lab, "sandbook.lock").contains("hunter"));
    // What is on the disk needs nobody's leave.
    fs::remove_dir_all(lab.path(".docker")).unwrap();
    lab.sandbook(&["run", "job"]).ok();
    // Docker's folder may lie elsewhere.
    log_in(&registry.host(), Registry::PASSWORD);
    fs::rename(lab.path(".docker"), lab.path("elsewhere")).unwrap();
    lab.sandbook(&["plugin", "verify"]).exits(2);
    let mut command = lab.command(&["plugin", "verify"]);
    command.env("DOCKER_CONFIG", lab.path("elsewhere"));
    hidden(Said::from(command.output().unwrap()).ok());
}

#[test]
fn a_registry_shows_a_certificate_that_is_believed() {
    let Some(registry) = Registry::start(Kind::Secure) else {
        return;
    };
    let lab = lab();
    fs::write(lab.path("x.wasm"), packed(&lab, FIRST)).unwrap();
    let tag = registry.image("ops/purge:1.0");
    let believing = |arguments: &[&str], certificate: &std::path::Path| {
        let mut command = lab.command(arguments);
        command.env("SSL_CERT_FILE", certificate);
        Said::from(command.output().unwrap())
    };
    let publish = ["plugin", "publish", "x.wasm", &tag];
    lab.sandbook(&publish).exits(2).says("can't be reached");
    believing(&publish, &registry.certificate()).ok();
    let other = Registry::start(Kind::Secure).unwrap();
    let add = ["plugin", "add", "stranger", &tag, "--yes"];
    believing(&add, &other.certificate())
        .exits(2)
        .says("can't be reached");
    believing(&add, &registry.certificate()).ok();
    lab.sandbook(&["run", "job"]).ok();
    assert_eq!(state(&lab), "accepted");
    // In clear it isn't asked.
    let clear = tag.replace("oci://", "oci+http://");
    lab.sandbook(&["plugin", "add", "clear", &clear, "--yes"])
        .exits(2);
    lab.sandbook(&["check"]).ok();
}
