//! Signatures that are right, and all ways in which they aren't.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::digest::Digest;
use crate::image::NewImage;

/// A key of minisign, and its signature over `test`, from the documentation of the tool's author.
const MINISIGN: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const MINISIG: &str = "untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1633700835\tfile:test\tprehashed
wLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==
";

/// What cosign does with a key.
struct Signer {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    fn new() -> Signer {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
        Signer { pair, random }
    }

    fn key(&self) -> Key {
        let der = [&crate::key::P256_HEAD, self.pair.public_key().as_ref()].concat();
        let body = BASE64_STANDARD.encode(der);
        let (first, second) = body.split_at(64);
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n");
        Key::cosign(&pem).unwrap()
    }

    fn sign(&self, message: &[u8]) -> String {
        BASE64_STANDARD.encode(self.pair.sign(&self.random, message).unwrap())
    }

    fn image(&self, manifest: &str, payload: &Value) -> Signature {
        let payload = payload.to_string();
        Signature::Image {
            manifest: manifest.to_owned(),
            signature: self.sign(payload.as_bytes()),
            payload,
        }
    }
}

const COMPONENT: &[u8] = b"\0asm, more or less";

fn repository() -> Repository {
    Repository::new(
        Url::parse("https://registry.example.com:5000").unwrap(),
        "ops/purge",
    )
}

fn manifest(component: &[u8]) -> String {
    let image = NewImage {
        component: component.to_vec(),
        imports: Vec::new(),
        exports: Vec::new(),
        annotations: Default::default(),
    };
    String::from_utf8(image.written().manifest).unwrap()
}

fn payload(manifest: &str) -> Value {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.example.com:5000/ops/purge" },
            "image": { "docker-manifest-digest": Digest::of(manifest.as_bytes()).to_string() },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
}

fn verify(signature: &Signature, key: &Key, bytes: &[u8]) -> Result<(), SignatureError> {
    let repository = repository();
    signature.verify(
        key,
        &Signed {
            bytes,
            repository: Some(&repository),
        },
    )
}

#[test]
fn what_minisign_signed_is_what_it_signed() {
    let key = Key::minisign(MINISIGN).unwrap();
    let signature = |text: &str| Signature::Minisign(text.to_owned());
    let right = signature(MINISIG);
    assert_eq!(verify(&right, &key, b"test"), Ok(()));
    assert_eq!(verify(&right, &key, b"tesT"), Err(SignatureError::Wrong));
    // The comment that people read is signed too.
    let renamed = signature(&MINISIG.replace("file:test", "file:rest"));
    assert_eq!(verify(&renamed, &key, b"test"), Err(SignatureError::Wrong));
    let other = Key::minisign("RWRzOMDMeDuC3pn23UBBHL3LHzONXnnSxtbqkrFnMVBRkyN7/dUK7i7i");
    if let Ok(other) = other {
        assert_eq!(
            verify(&right, &other, b"test"),
            Err(SignatureError::OtherKey)
        );
    }
    for text in [
        "",
        "x",
        &MINISIG[..200],
        &MINISIG.replace("RUQf", "RUQ"),
        &MINISIG.replace("RUQ", "QUQ"),
    ] {
        let damaged = verify(&signature(text), &key, b"test");
        assert!(
            matches!(damaged, Err(SignatureError::Malformed(_))),
            "{text}: {damaged:?}"
        );
    }
    assert_eq!(
        verify(&right, &Signer::new().key(), b"test"),
        Err(SignatureError::OtherTool)
    );
}

#[test]
fn what_cosign_signed_as_a_file_is_what_it_signed() {
    let signer = Signer::new();
    let right = Signature::Blob(signer.sign(COMPONENT) + "\n");
    assert_eq!(verify(&right, &signer.key(), COMPONENT), Ok(()));
    assert_eq!(
        verify(&right, &signer.key(), b"other"),
        Err(SignatureError::Wrong)
    );
    assert_eq!(
        verify(&right, &Signer::new().key(), COMPONENT),
        Err(SignatureError::Wrong)
    );
    assert_eq!(
        verify(&right, &Key::minisign(MINISIGN).unwrap(), COMPONENT),
        Err(SignatureError::OtherTool)
    );
    let cut = Signature::Blob(signer.sign(COMPONENT)[..40].to_owned());
    assert_eq!(
        verify(&cut, &signer.key(), COMPONENT),
        Err(SignatureError::Wrong)
    );
    let damaged = Signature::Blob("<html>".to_owned());
    assert!(matches!(
        verify(&damaged, &signer.key(), COMPONENT),
        Err(SignatureError::Malformed(_))
    ));
}

#[test]
fn what_cosign_signed_as_an_image_holds_for_that_image_in_that_place() {
    let signer = Signer::new();
    let key = signer.key();
    let manifest = manifest(COMPONENT);
    let right = signer.image(&manifest, &payload(&manifest));
    assert_eq!(verify(&right, &key, COMPONENT), Ok(()));

    // Another component, with the true manifest, and with one of its own.
    assert_eq!(
        verify(&right, &key, b"other"),
        Err(SignatureError::OtherComponent)
    );
    let others = self::manifest(b"other");
    let exchanged = match right.clone() {
        Signature::Image {
            payload, signature, ..
        } => Signature::Image {
            manifest: others.clone(),
            payload,
            signature,
        },
        other => other,
    };
    assert_eq!(
        verify(&exchanged, &key, b"other"),
        Err(SignatureError::OtherImage)
    );
    // Signed, but for something else.
    for (place, value, error) in [
        (
            "/critical/image/docker-manifest-digest",
            json!(Digest::of(others.as_bytes()).to_string()),
            SignatureError::OtherImage,
        ),
        (
            "/critical/image/docker-manifest-digest",
            json!(""),
            SignatureError::OtherImage,
        ),
        (
            "/critical/identity/docker-reference",
            json!("registry.example.com/ops/purge"),
            SignatureError::OtherPlace("registry.example.com/ops/purge".to_owned()),
        ),
    ] {
        let mut changed = payload(&manifest);
        *changed.pointer_mut(place).unwrap() = value;
        assert_eq!(
            verify(&signer.image(&manifest, &changed), &key, COMPONENT),
            Err(error),
            "{place}"
        );
    }
    for (place, value) in [
        ("/critical/type", json!("atomic container signature")),
        ("/critical", json!({})),
    ] {
        let mut changed = payload(&manifest);
        *changed.pointer_mut(place).unwrap() = value;
        let refused = verify(&signer.image(&manifest, &changed), &key, COMPONENT);
        assert!(
            matches!(refused, Err(SignatureError::Malformed(_))),
            "{refused:?}"
        );
    }
    // Altered after it was signed, and signed by somebody else.
    let altered = match right.clone() {
        Signature::Image {
            manifest,
            payload,
            signature,
        } => Signature::Image {
            manifest,
            payload: payload.replace("null", "{}"),
            signature,
        },
        other => other,
    };
    assert_eq!(
        verify(&altered, &key, COMPONENT),
        Err(SignatureError::Wrong)
    );
    assert_eq!(
        verify(&right, &Signer::new().key(), COMPONENT),
        Err(SignatureError::Wrong)
    );
    // What was signed in a registry says nothing of a file, nor the other way round.
    let nowhere = Signed {
        bytes: COMPONENT,
        repository: None,
    };
    assert!(matches!(
        right.verify(&key, &nowhere),
        Err(SignatureError::OtherPlace(_))
    ));
}
