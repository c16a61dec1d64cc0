//! An entry: code under a MAC that binds it to its component and to its engine.

use std::hash::{Hash as _, Hasher};

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::digest::Digest;

/// The format's name and version; a new one has another.
const MAGIC: &[u8] = b"sandbook aot 1\n\0";
const MAC_BYTES: usize = 32;

/// What engine compiled code is for: its version, its settings, its processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(engine: &Engine) -> Self {
        let mut sha = Sha(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut sha);
        Fingerprint(sha.0.finalize().into())
    }

    pub(super) fn short(&self) -> String {
        hex::encode(&self.0[..8])
    }
}

/// Feeds what is hashed to SHA-256, whose result is wider than a [`Hasher`]'s.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = self.0.clone().finalize().into();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// What stands before some code in its file.
pub(super) fn head(
    key: &[u8; 32],
    fingerprint: &Fingerprint,
    digest: Digest,
    code: &[u8],
) -> Vec<u8> {
    let mac = mac(key, fingerprint, digest, code).finalize().into_bytes();
    [MAGIC, &mac].concat()
}

/// The code in a file, if it was sealed with this key for this component and engine.
pub(super) fn authentic<'a>(
    key: &[u8; 32],
    fingerprint: &Fingerprint,
    digest: Digest,
    file: &'a [u8],
) -> Option<&'a [u8]> {
    let (found, code) = file.strip_prefix(MAGIC)?.split_at_checked(MAC_BYTES)?;
    mac(key, fingerprint, digest, code)
        .verify_slice(found)
        .ok()?;
    Some(code)
}

fn mac(key: &[u8; 32], fingerprint: &Fingerprint, digest: Digest, code: &[u8]) -> Hmac<Sha256> {
    // All parts but the last are of fixed length, so no two triples give the same bytes.
    let mac =
        Hmac::<Sha256>::new_from_slice(key).expect("invariant: HMAC takes keys of any length");
    mac.chain_update(MAGIC)
        .chain_update(fingerprint.0)
        .chain_update(digest.as_bytes())
        .chain_update(code)
}
