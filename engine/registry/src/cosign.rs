//! Signatures of images as `cosign sign --key` keeps them in a registry: an image of its own, with the tag
//! `sha256-….sig`, a layer for each signature, and in it what was signed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::digest::Digest;
use crate::error::FetchError;
use crate::fetch::same;
use crate::image::{MANIFEST, Manifest, WireManifest, short};
use crate::key::P256;
use crate::session::Session;
use crate::signature::{Signature, SignatureError, Signed};

/// The media type of what is signed.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// The annotation that holds the signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// What a payload calls itself.
const TYPE: &str = "cosign container image signature";

/// The signatures that a registry has of the image with this manifest.
pub(crate) async fn of_image(
    session: &mut Session<'_>,
    digest: &Digest,
    manifest: &str,
) -> Result<Vec<Signature>, FetchError> {
    let limits = session.web.limits.clone();
    let repository = session.repository;
    let place = format!("manifests/sha256-{}.sig", digest.hex());
    let found = match session.get(&place, MANIFEST).await {
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        found => found?.bytes(limits.document).await?,
    };
    let odd = |what| FetchError::Protocol {
        url: repository.url(&place).to_string(),
        what,
    };
    let wire: WireManifest = serde_json::from_slice(&found)
        .map_err(|_| odd("the image's signatures are not a manifest"))?;
    let mut signatures = Vec::new();
    for mut layer in wire.layers.into_iter().take(limits.signatures) {
        let Some(signature) = layer.annotations.remove(SIGNATURE) else {
            continue;
        };
        if layer.media_type != PAYLOAD {
            continue;
        }
        let wanted: Digest = layer
            .digest
            .parse()
            .map_err(|_| odd("what was signed is known by no digest of SHA-256"))?;
        let blob = format!("blobs/{wanted}");
        let payload = session
            .get(&blob, PAYLOAD)
            .await?
            .bytes(limits.signature)
            .await?;
        same(&repository.url(&blob), &payload, &wanted)?;
        signatures.push(Signature::Image {
            manifest: manifest.to_owned(),
            payload: String::from_utf8(payload).map_err(|_| odd("what was signed is not text"))?,
            signature,
        });
    }
    Ok(signatures)
}

/// Checks a signature over the bytes themselves: `cosign sign-blob --key`.
pub(crate) fn verify_blob(
    key: &P256,
    signature: &str,
    signed: &Signed<'_>,
) -> Result<(), SignatureError> {
    key.verify(signed.bytes, &decoded(signature)?)
}

/// Checks a signature over an image, from the signature down to the component.
pub(crate) fn verify_image(
    key: &P256,
    (manifest, payload, signature): (&str, &str, &str),
    signed: &Signed<'_>,
) -> Result<(), SignatureError> {
    key.verify(payload.as_bytes(), &decoded(signature)?)?;
    let Payload { critical } = serde_json::from_str(payload)
        .map_err(|_| SignatureError::Malformed("what was signed is no payload of cosign"))?;
    if critical.kind != TYPE {
        return Err(SignatureError::Malformed(
            "what was signed calls itself something else",
        ));
    }
    let is = Digest::of(manifest.as_bytes());
    if critical.image.digest != is.to_string() {
        return Err(SignatureError::OtherImage);
    }
    let repository = signed.repository.map(ToString::to_string);
    if repository.as_deref() != Some(critical.identity.reference.as_str()) {
        let said = short(&critical.identity.reference);
        return Err(SignatureError::OtherPlace(said));
    }
    match Manifest::read(manifest.as_bytes()) {
        Ok(manifest) if manifest.component == Digest::of(signed.bytes) => Ok(()),
        _ => Err(SignatureError::OtherComponent),
    }
}

fn decoded(signature: &str) -> Result<Vec<u8>, SignatureError> {
    let joined: String = signature.split_ascii_whitespace().collect();
    BASE64_STANDARD
        .decode(joined)
        .map_err(|_| SignatureError::Malformed("it is not base64"))
}

#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}
