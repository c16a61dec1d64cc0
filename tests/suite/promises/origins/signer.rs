//! What people do with `minisign` and `cosign`, to the byte.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// A key of minisign.
pub(super) struct Minisign(minisign::KeyPair);

impl Minisign {
    pub(super) fn new() -> Minisign {
        Minisign(minisign::KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// The public key, as `sandbook.yaml` has it.
    pub(super) fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    /// `minisign -S`: the text of `FILE.minisig`.
    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        let signed = minisign::sign(Some(&self.0.pk), &self.0.sk, bytes, Some("file:x"), None);
        signed.unwrap().into_string()
    }
}

/// A key of cosign.
pub(super) struct Cosign {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

/// What stands before the point in the DER of a public key on P-256.
const HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

impl Cosign {
    pub(super) fn new() -> Cosign {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
        Cosign { pair, random }
    }

    /// The text of `cosign.pub`.
    pub(super) fn public(&self) -> String {
        let der = [&hex::decode(HEAD).unwrap(), self.pair.public_key().as_ref()].concat();
        let body = BASE64_STANDARD.encode(der);
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    /// `cosign sign-blob`: what it prints.
    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        BASE64_STANDARD.encode(self.pair.sign(&self.random, bytes).unwrap())
    }
}

/// What `cosign sign` signs of `HOST/REPOSITORY@sha256:…`.
pub(super) fn payload(image: &str) -> String {
    let (repository, digest) = image.split_once('@').unwrap();
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string()
}

pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
