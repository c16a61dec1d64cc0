//! Public keys: whose word on a component is taken.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minisign_verify as minisign;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use crate::signature::SignatureError;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// One of minisign.
    Minisign(minisign::PublicKey),
    /// One of cosign: ECDSA over P-256 with SHA-256.
    Cosign(P256),
}

/// A point on the curve P-256, uncompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct P256(Vec<u8>);

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It isn't minisign's.
    #[error("this is not a public key of minisign")]
    Minisign,
    /// It is the other half, which nobody may see.
    #[error("this is a private key; the public one is wanted")]
    Private,
    /// It isn't PEM.
    #[error("this is not a public key in PEM")]
    Pem,
    /// It is of another kind.
    #[error(
        "this is a public key of another kind: only ECDSA on P-256 is known, which `cosign generate-key-pair` makes"
    )]
    Kind,
}

/// What stands before the point in the DER of every public key on P-256 (RFC 5480).
pub(crate) const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The length of an uncompressed point, in bytes.
const POINT: usize = 65;

impl Key {
    /// A key of minisign, as its tool writes it: `RW…`.
    ///
    /// # Errors
    ///
    /// It isn't one.
    pub fn minisign(text: &str) -> Result<Key, KeyError> {
        let key = minisign::PublicKey::from_base64(text.trim());
        key.map(Key::Minisign).map_err(|_| KeyError::Minisign)
    }

    /// A key of cosign, in PEM.
    ///
    /// # Errors
    ///
    /// It isn't one, or of another kind.
    pub fn cosign(pem: &str) -> Result<Key, KeyError> {
        if pem.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----");
        let body = body.and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"));
        let body: String = body
            .ok_or(KeyError::Pem)?
            .split_ascii_whitespace()
            .collect();
        let der = BASE64_STANDARD.decode(body).map_err(|_| KeyError::Pem)?;
        match der.strip_prefix(&P256_HEAD) {
            Some(point) if point.len() == POINT && point.first() == Some(&4) => {
                Ok(Key::Cosign(P256(point.to_vec())))
            }
            _ => Err(KeyError::Kind),
        }
    }
}

impl P256 {
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0);
        key.verify(message, signature)
            .map_err(|_| SignatureError::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_public_key_says_so() {
        let rsa = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf\n9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n-----END PUBLIC KEY-----\n";
        for (text, error) in [
            ("", KeyError::Pem),
            (
                "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
                KeyError::Pem,
            ),
            (
                "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
                KeyError::Pem,
            ),
            (
                "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAA==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----",
                KeyError::Private,
            ),
            (rsa, KeyError::Kind),
        ] {
            assert_eq!(Key::cosign(text), Err(error), "{text}");
        }
        assert_eq!(Key::minisign("RWQ"), Err(KeyError::Minisign));
        assert_eq!(Key::minisign(rsa), Err(KeyError::Minisign));
    }
}
