//! The image that holds a component: one layer that is the component itself, as `oci-wasm` and `wkg` write and read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The media type of an image's manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of what describes a component.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The media type of a component.
const LAYER: &str = "application/wasm";

/// The annotation of a manifest that holds a signature of minisign over the component: the text of `FILE.minisig`.
pub const MINISIG_ANNOTATION: &str = "sandbook.minisig";

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestFault {
    /// It isn't JSON of the right shape.
    #[error("its manifest is not one of an image")]
    Shape(#[source] serde_json::Error),
    /// It is an index of several images, or something else.
    #[error("its manifest has the type `{0}`, not `{MANIFEST}`")]
    Type(String),
    /// It describes something else.
    #[error("its config has the type `{0}`, not `{CONFIG}`: it is no component")]
    Config(String),
    /// It has several layers, or none.
    #[error("it has {0} layers, not the one that is the component")]
    Layers(usize),
    /// Its layer is something else.
    #[error("its layer has the type `{0}`, not `{LAYER}`")]
    Layer(String),
    /// Its layer has no digest that is known.
    #[error("its layer is known by `{0}`, not by `sha256:` and 64 hexadecimal digits")]
    Digest(String),
    /// Its layer is another one than it says.
    #[error("its layer has {found} bytes, and the manifest says {said}")]
    Size {
        /// What came.
        found: usize,
        /// What was said.
        said: u64,
    },
}

/// What a manifest says of its component.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The digest of the component.
    pub(crate) component: Digest,
    /// How large it is, in bytes.
    pub(crate) size: u64,
    /// The signature of minisign that came along.
    pub(crate) minisig: Option<String>,
}

/// A description of some bytes that lie in the registry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A manifest as it is written. Keys that aren't known are let pass, as the specification asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireManifest {
    schema_version: u32,
    media_type: Option<String>,
    config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads the manifest of an image that holds a component.
    pub(crate) fn read(bytes: &[u8]) -> Result<Manifest, ManifestFault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Kind {
            media_type: Option<String>,
        }
        // An index is told by its type, before its shape is found wanting.
        let kind: Kind = serde_json::from_slice(bytes).map_err(ManifestFault::Shape)?;
        if let Some(kind) = kind.media_type.filter(|kind| kind != MANIFEST) {
            return Err(ManifestFault::Type(short(&kind)));
        }
        let wire: WireManifest = serde_json::from_slice(bytes).map_err(ManifestFault::Shape)?;
        if wire.config.media_type != CONFIG {
            return Err(ManifestFault::Config(short(&wire.config.media_type)));
        }
        let [layer] = wire.layers.as_slice() else {
            return Err(ManifestFault::Layers(wire.layers.len()));
        };
        if layer.media_type != LAYER {
            return Err(ManifestFault::Layer(short(&layer.media_type)));
        }
        let component = layer.digest.parse();
        Ok(Manifest {
            component: component.map_err(|_| ManifestFault::Digest(short(&layer.digest)))?,
            size: layer.size,
            minisig: wire.annotations.get(MINISIG_ANNOTATION).cloned(),
        })
    }
}

/// A component that is to be published.
#[derive(Debug)]
pub struct NewImage {
    /// The component.
    pub component: Vec<u8>,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// What people are told of it.
    pub annotations: BTreeMap<String, String>,
}

/// An image as a registry keeps it.
pub(crate) struct Written {
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

impl NewImage {
    /// The same component comes to the same image, byte for byte: publishing it again changes nothing, and what was
    /// signed stays so. That is why its time is none.
    pub(crate) fn written(&self) -> Written {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Config<'a> {
            created: &'static str,
            author: Option<&'static str>,
            architecture: &'static str,
            os: &'static str,
            layer_digests: [String; 1],
            component: Component<'a>,
        }
        #[derive(Serialize)]
        struct Component<'a> {
            exports: &'a [String],
            imports: &'a [String],
            target: Option<&'static str>,
        }
        let layer = Descriptor::of(LAYER, &self.component);
        let config = json(&Config {
            created: "1970-01-01T00:00:00Z",
            author: None,
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [layer.digest.clone()],
            component: Component {
                exports: &self.exports,
                imports: &self.imports,
                target: None,
            },
        });
        let manifest = json(&WireManifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: Descriptor::of(CONFIG, &config),
            layers: vec![layer],
            annotations: self.annotations.clone(),
        });
        Written { config, manifest }
    }
}

impl Descriptor {
    fn of(kind: &str, bytes: &[u8]) -> Descriptor {
        Descriptor {
            media_type: kind.to_owned(),
            digest: Digest::of(bytes).to_string(),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
        }
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("invariant: texts, numbers and lists of them are JSON")
}

/// A stranger's word, on one line and as long as is of use.
pub(crate) fn short(text: &str) -> String {
    let shown = text.chars().filter(|character| !character.is_control());
    shown.take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn image() -> NewImage {
        NewImage {
            component: b"\0asm".to_vec(),
            imports: vec!["sandbook:step/http@0.1.0".to_owned()],
            exports: vec!["step".to_owned()],
            annotations: BTreeMap::from([(MINISIG_ANNOTATION.to_owned(), "signed".to_owned())]),
        }
    }

    #[test]
    fn what_is_written_is_read_and_always_the_same() {
        let written = image().written();
        assert_eq!(written.manifest, image().written().manifest);
        let read = Manifest::read(&written.manifest).unwrap();
        assert_eq!(read.component, Digest::of(b"\0asm"));
        assert_eq!((read.size, read.minisig.as_deref()), (4, Some("signed")));
        let config: Value = serde_json::from_slice(&written.config).unwrap();
        assert_eq!(config["layerDigests"], json!([read.component.to_string()]));
        assert_eq!(
            config["component"]["imports"],
            json!(["sandbook:step/http@0.1.0"])
        );
    }

    #[test]
    fn an_image_of_another_kind_says_what_it_is() {
        let whole: Value = serde_json::from_slice(&image().written().manifest).unwrap();
        let with = |place: &str, value: Value| {
            let mut changed = whole.clone();
            *changed.pointer_mut(place).unwrap() = value;
            Manifest::read(&serde_json::to_vec(&changed).unwrap())
                .unwrap_err()
                .to_string()
        };
        let layer = whole["layers"][0].clone();
        for (place, value, says) in [
            (
                "/mediaType",
                json!("application/vnd.oci.image.index.v1+json"),
                "image.index",
            ),
            (
                "/config/mediaType",
                json!("application/vnd.oci.image.config.v1+json"),
                "image.config",
            ),
            ("/layers", json!([]), "0 layers"),
            ("/layers", json!([layer, layer]), "2 layers"),
            (
                "/layers/0/mediaType",
                json!("application/vnd.oci.image.layer.v1.tar"),
                "layer.v1.tar",
            ),
            ("/layers/0/digest", json!("sha256:abc"), "sha256:abc"),
            (
                "/layers/0/digest",
                json!(format!("sha512:{}", "a".repeat(128))),
                "sha512",
            ),
            ("/layers/0/size", json!(-1), "not one of an image"),
            ("/layers", json!("x"), "not one of an image"),
        ] {
            let said = with(place, value);
            assert!(said.contains(says), "{said}");
        }
        assert!(Manifest::read(b"[]").is_err());
        // Two parsers may differ in which of two they take.
        let twice = String::from_utf8(image().written().manifest)
            .unwrap()
            .replacen("\"layers\":", "\"layers\":[],\"layers\":", 1);
        assert!(Manifest::read(twice.as_bytes()).is_err());
    }
}
