//! Images put into a registry and taken from it byte by byte, as other tools do it. The registry itself is the judge of
//! what it is given.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::registry::Registry;
use super::signer::{Cosign, digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layer: media type, bytes, annotations.
pub(super) type Layer<'a> = (&'a str, &'a [u8], BTreeMap<&'a str, &'a str>);

/// A request, and the answer: status, the field `Location`, body.
fn ask(
    registry: &Registry,
    line: &str,
    fields: &str,
    body: &[u8],
) -> (u16, Option<String>, Vec<u8>) {
    let host = registry.host();
    let mut stream = TcpStream::connect(&host).unwrap();
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n{fields}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let location = head
        .lines()
        .find_map(|line| line.strip_prefix("Location: "));
    (
        status,
        location.map(str::to_owned),
        answer[end + 4..].to_vec(),
    )
}

fn put_blob(registry: &Registry, name: &str, bytes: &[u8]) {
    let (status, location, _) = ask(
        registry,
        &format!("POST /v2/{name}/blobs/uploads/"),
        "",
        b"",
    );
    assert_eq!(status, 202);
    let place = location.unwrap();
    let place = place
        .split_once(&registry.host())
        .map_or(place.as_str(), |(_, path)| path);
    let line = format!("PUT {place}&digest={}", digest(bytes));
    let (status, ..) = ask(
        registry,
        &line,
        "content-type: application/octet-stream\r\n",
        bytes,
    );
    assert_eq!(status, 201);
}

/// An image with this config and these layers, under `NAME:TAG`.
pub(super) fn push(
    registry: &Registry,
    image: &str,
    (kind, config): (&str, &[u8]),
    layers: &[Layer<'_>],
) {
    let (name, tag) = image.split_once(':').unwrap();
    put_blob(registry, name, config);
    let mut written = Vec::new();
    for (kind, bytes, annotations) in layers {
        put_blob(registry, name, bytes);
        written.push(json!({
            "mediaType": kind, "digest": digest(bytes), "size": bytes.len(), "annotations": annotations,
        }));
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": kind, "digest": digest(config), "size": config.len() },
        "layers": written,
    });
    let line = format!("PUT /v2/{name}/manifests/{tag}");
    let (status, _, said) = ask(
        registry,
        &line,
        &format!("content-type: {MANIFEST}\r\n"),
        manifest.to_string().as_bytes(),
    );
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&said));
}

/// The manifest, the config and the layers of `NAME:TAG`.
pub(super) fn pull(registry: &Registry, image: &str) -> (Value, Value, Vec<Vec<u8>>) {
    let (name, tag) = image.split_once(':').unwrap();
    let (status, _, manifest) = ask(
        registry,
        &format!("GET /v2/{name}/manifests/{tag}"),
        &format!("accept: {MANIFEST}\r\n"),
        b"",
    );
    assert_eq!(status, 200);
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap();
        let (status, _, bytes) = ask(registry, &format!("GET /v2/{name}/blobs/{digest}"), "", b"");
        assert_eq!(status, 200);
        bytes
    };
    let config = serde_json::from_slice(&blob(&manifest["config"])).unwrap();
    let layers = manifest["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(blob)
        .collect();
    (manifest, config, layers)
}

/// `cosign sign --key` of `HOST/REPOSITORY@sha256:…`, where the signature may be one over something else.
pub(super) fn cosign(registry: &Registry, image: &str, payload: &str, signature: &str) {
    let (repository, manifest) = image.split_once('@').unwrap();
    let name = repository.split_once('/').unwrap().1;
    let place = format!("{name}:{}.sig", manifest.replace(':', "-"));
    let annotations = BTreeMap::from([("dev.cosignproject.cosign/signature", signature)]);
    let layer = (
        "application/vnd.dev.cosign.simplesigning.v1+json",
        payload.as_bytes(),
        annotations,
    );
    let config = ("application/vnd.oci.image.config.v1+json", b"{}".as_slice());
    push(registry, &place, config, &[layer]);
}

/// The same, as it should be.
pub(super) fn sign(registry: &Registry, image: &str, key: &Cosign) {
    let payload = super::signer::payload(image);
    cosign(registry, image, &payload, &key.sign(payload.as_bytes()));
}
