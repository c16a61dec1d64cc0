//! Signatures as the lock has them.

use sandbook_registry::Signature;
use serde::{Deserialize, Serialize};

/// A signature: of minisign, or of cosign; with `manifest` and `payload` it is one of an image.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireProof {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minisign: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cosign: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
}

impl WireProof {
    pub(super) fn of(signature: &Signature) -> WireProof {
        let none = WireProof {
            minisign: None,
            cosign: None,
            payload: None,
            manifest: None,
        };
        match signature.clone() {
            Signature::Minisign(text) => WireProof {
                minisign: Some(text),
                ..none
            },
            Signature::Blob(text) => WireProof {
                cosign: Some(text),
                ..none
            },
            Signature::Image {
                manifest,
                payload,
                signature,
            } => WireProof {
                cosign: Some(signature),
                payload: Some(payload),
                manifest: Some(manifest),
                ..none
            },
        }
    }

    pub(super) fn read(self) -> Result<Signature, String> {
        match self {
            WireProof {
                minisign: Some(text),
                cosign: None,
                payload: None,
                manifest: None,
            } => Ok(Signature::Minisign(text)),
            WireProof {
                minisign: None,
                cosign: Some(text),
                payload: None,
                manifest: None,
            } => Ok(Signature::Blob(text)),
            WireProof {
                minisign: None,
                cosign: Some(signature),
                payload: Some(payload),
                manifest: Some(manifest),
            } => Ok(Signature::Image {
                manifest,
                payload,
                signature,
            }),
            _ => Err("a signature is one of `minisign` or of `cosign`, the latter with both `payload` and `manifest` or neither".to_owned()),
        }
    }
}
