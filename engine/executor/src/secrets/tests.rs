use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use age::x25519;

use super::*;

fn secrets(dir: &tempfile::TempDir) -> Secrets {
    Secrets {
        file: dir.path().join("secrets.age"),
        identity: dir.path().join("config/age-identity"),
    }
}

fn set(secrets: &Secrets, name: &str, value: &str) -> Stored {
    secrets
        .set(name, &Secret::from_bytes(value.into(), "a test").unwrap())
        .unwrap()
}

fn value(secrets: &Secrets, name: &str) -> String {
    let entries = secrets.open().unwrap();
    entries
        .secret(name, secrets.file())
        .unwrap()
        .expose()
        .to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_set_is_read_again_and_lies_nowhere_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    assert!(matches!(secrets.names(), Err(SecretsError::NoFile(_))));
    let odd = "a \"quoted\" \\ line\nand another: ü\u{7f}\u{85}\u{1f980}\t# end ";
    assert_eq!(
        set(&secrets, "api", "hunter22"),
        Stored {
            replaced: false,
            made_identity: true
        }
    );
    for (name, text) in [("odd", odd), ("on", "yes!"), ("number", "4711")] {
        assert!(!set(&secrets, name, text).made_identity);
    }
    assert!(set(&secrets, "api", "hunter23").replaced);
    assert_eq!(secrets.names().unwrap(), ["api", "number", "odd", "on"]);
    for (name, text) in [
        ("api", "hunter23"),
        ("odd", odd),
        ("on", "yes!"),
        ("number", "4711"),
    ] {
        assert_eq!(value(&secrets, name), text);
    }
    let sealed = fs::read_to_string(secrets.file()).unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
    assert_eq!(
        (mode(secrets.file()), mode(secrets.identity())),
        (0o600, 0o600)
    );
    assert_eq!(mode(secrets.identity().parent().unwrap()), 0o700);
    assert!(matches!(
        secrets.open().unwrap().secret("apj", secrets.file()),
        Err(SecretsError::Unknown { .. })
    ));
    assert!(matches!(
        secrets.set(
            "No Name",
            &Secret::from_bytes(b"hunter22".into(), "").unwrap()
        ),
        Err(SecretsError::Name(_))
    ));
}

#[test]
fn a_rotation_leaves_nothing_to_the_former_identity() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    let former = fs::read(secrets.identity()).unwrap();
    let before = fs::read(secrets.file()).unwrap();
    secrets.rotate().unwrap();
    assert_eq!(value(&secrets, "api"), "hunter22");

    let only_former = Secrets {
        identity: dir.path().join("former"),
        ..secrets.clone()
    };
    replace(&only_former.identity, &former, 0o600).unwrap();
    assert!(matches!(
        only_former.open(),
        Err(SecretsError::Sealed {
            source: age::DecryptError::NoMatchingKeys,
            ..
        })
    ));
    // An older copy of the file can still be opened.
    fs::write(secrets.file(), before).unwrap();
    assert_eq!(value(&secrets, "api"), "hunter22");
}

#[test]
fn what_can_not_be_replaced_stays_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let mut secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    // The identity is a file in a folder that is none.
    let identity = fs::read(secrets.identity()).unwrap();
    let elsewhere = dir.path().join("elsewhere");
    replace(&elsewhere, &identity, 0o600).unwrap();
    let before = fs::read(secrets.file()).unwrap();
    fs::write(secrets.file(), "no age file").unwrap();
    assert!(matches!(
        secrets.rotate(),
        Err(SecretsError::Damaged { .. })
    ));
    assert_eq!(fs::read(secrets.identity()).unwrap(), identity);
    assert_eq!(fs::read(secrets.file()).unwrap(), b"no age file");
    fs::write(secrets.file(), &before).unwrap();
    secrets.identity = dir.path().join("none");
    assert!(matches!(secrets.rotate(), Err(SecretsError::NoIdentity(_))));
    // With a file there, no other identity is made.
    let value = Secret::from_bytes(b"hunter23".into(), "").unwrap();
    assert!(matches!(
        secrets.set("api", &value),
        Err(SecretsError::NoIdentity(_))
    ));
    assert_eq!(fs::read(secrets.file()).unwrap(), before);
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().ends_with(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_file_that_is_damaged_is_told_from_one_for_somebody_else() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    let whole = fs::read(secrets.file()).unwrap();
    let half = whole.len() / 2;
    let mut changed = whole.clone();
    // Behind the lines that say to whom it is encrypted.
    changed[whole.len() * 3 / 4] ^= 1;
    for damaged in [&b""[..], b"\n", b"no age file", &whole[..half], &changed] {
        fs::write(secrets.file(), damaged).unwrap();
        let fault = secrets.names().unwrap_err();
        assert!(matches!(fault, SecretsError::Damaged { .. }), "{fault:?}");
        // Each cause is said once.
        let (mut said, mut cause) = (vec![fault.to_string()], fault.source());
        while let Some(error) = cause {
            assert!(!said.contains(&error.to_string()), "{said:?}");
            said.push(error.to_string());
            cause = error.source();
        }
    }
}

#[test]
fn a_file_that_others_can_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    for mode in [0o606, 0o660, 0o622] {
        fs::set_permissions(secrets.file(), fs::Permissions::from_mode(mode)).unwrap();
        let fault = secrets.names().unwrap_err();
        assert!(matches!(fault, SecretsError::Exposed { .. }), "{fault:?}");
    }
    fs::set_permissions(secrets.file(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(value(&secrets, "api"), "hunter22");
}

#[test]
fn an_identity_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    fs::set_permissions(secrets.identity(), fs::Permissions::from_mode(0o640)).unwrap();
    let fault = secrets.names().unwrap_err();
    assert!(matches!(
        fault,
        SecretsError::Identity(SecretError::Exposed { mode: 0o640, .. })
    ));
    fs::set_permissions(secrets.identity(), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(
        secrets.identity(),
        "# a comment\n\nAGE-SECRET-KEY-1NONSENSE\n",
    )
    .unwrap();
    let fault = secrets.names().unwrap_err().to_string();
    assert!(
        fault.contains("line 3") && !fault.contains("NONSENSE"),
        "{fault}"
    );
}

/// Encrypts as people do who use `age` itself.
fn by_hand(text: &str, recipients: &[&x25519::Recipient]) -> Vec<u8> {
    let recipients = recipients
        .iter()
        .map(|recipient| *recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).unwrap();
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).unwrap();
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap();
    sealed
}

#[test]
fn a_file_that_was_made_by_hand_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let secrets = secrets(&dir);
    set(&secrets, "api", "hunter22");
    let own = Identities::read(secrets.identity()).unwrap().recipient();
    let other = x25519::Identity::generate().to_public();
    let text = "# by hand\nplain: hunter2 two\nblock: |\n  a\n  b\n";
    fs::write(secrets.file(), by_hand(text, &[&own, &other])).unwrap();
    assert_eq!(value(&secrets, "plain"), "hunter2 two");
    assert_eq!(value(&secrets, "block"), "a\nb\n");
    let value = Secret::from_bytes(b"hunter23".into(), "").unwrap();
    for refused in [secrets.set("api", &value).map(drop), secrets.rotate()] {
        assert!(matches!(refused, Err(SecretsError::Shared(_))));
    }
    for (text, line) in [
        ("api: [hunter22]\n", "at its line 1"),
        ("a: text\nb: { hunter22: x }\n", "at its line 2"),
        ("hunter22", "else than names with texts"),
    ] {
        fs::write(secrets.file(), by_hand(text, &[&own])).unwrap();
        let fault = secrets.names().unwrap_err().to_string();
        assert!(
            fault.contains(line) && !fault.contains("hunter22"),
            "{fault}"
        );
    }
}
