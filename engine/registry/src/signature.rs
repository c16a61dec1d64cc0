//! Signatures, and whether they are right.

use minisign_verify as minisign;

use crate::cosign;
use crate::key::Key;
use crate::repository::Repository;

/// A signature as its source has it. It says nothing until it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// What `minisign -S` makes: the text of `FILE.minisig`.
    Minisign(String),
    /// What `cosign sign-blob --key` makes: base64.
    Blob(String),
    /// What `cosign sign --key` makes of an image.
    Image {
        /// The image's manifest, to the byte.
        manifest: String,
        /// What was signed, to the byte.
        payload: String,
        /// The signature: base64.
        signature: String,
    },
}

/// What must have been signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The component.
    pub bytes: &'a [u8],
    /// Where it comes from, if that is a registry.
    pub repository: Option<&'a Repository>,
}

/// Why a signature isn't one of this key over this component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key is for another tool.
    #[error("it is of another tool than the key")]
    OtherTool,
    /// It isn't one at all.
    #[error("it is damaged: {0}")]
    Malformed(&'static str),
    /// It was made with another key.
    #[error("it was made with another key")]
    OtherKey,
    /// It doesn't belong to these bytes and this key.
    #[error("it is wrong: made with another key, or for something else")]
    Wrong,
    /// It was made for another image.
    #[error("it was made for another image")]
    OtherImage,
    /// It was made for an image in another place.
    #[error("it was made for `{0}`")]
    OtherPlace(String),
    /// It was made for an image that holds another component.
    #[error("it was made for an image with another component")]
    OtherComponent,
}

impl Signature {
    /// Whether whoever holds this key has signed this component.
    ///
    /// # Errors
    ///
    /// They haven't, as far as this signature tells.
    pub fn verify(&self, key: &Key, signed: &Signed<'_>) -> Result<(), SignatureError> {
        match (self, key) {
            (Signature::Minisign(text), Key::Minisign(key)) => {
                verify_minisign(key, text, signed.bytes)
            }
            (Signature::Blob(text), Key::Cosign(key)) => cosign::verify_blob(key, text, signed),
            (
                Signature::Image {
                    manifest,
                    payload,
                    signature,
                },
                Key::Cosign(key),
            ) => cosign::verify_image(key, (manifest, payload, signature), signed),
            (Signature::Minisign(_), Key::Cosign(_))
            | (Signature::Blob(_) | Signature::Image { .. }, Key::Minisign(_)) => {
                Err(SignatureError::OtherTool)
            }
        }
    }
}

fn verify_minisign(
    key: &minisign::PublicKey,
    text: &str,
    bytes: &[u8],
) -> Result<(), SignatureError> {
    let signature = minisign::Signature::decode(text)
        .map_err(|_| SignatureError::Malformed("it is not what `minisign -S` writes"))?;
    key.verify(bytes, &signature, false)
        .map_err(|error| match error {
            minisign::Error::UnexpectedKeyId => SignatureError::OtherKey,
            minisign::Error::UnexpectedAlgorithm => SignatureError::Malformed(
                "it was made in the legacy way (`minisign -l`), which is not taken",
            ),
            _ => SignatureError::Wrong,
        })
}

#[cfg(test)]
#[path = "signature/tests.rs"]
mod tests;
