//! A plugin as it lies on disk, looked at without compiling it or running any of it.

mod component;
mod signature;
mod world;

use std::ops::Range;

use crate::digest::Digest;

pub(crate) use component::Shape;

/// The custom section that holds a plugin's manifest.
pub const MANIFEST_SECTION: &str = "sandbook:manifest";

/// The largest component, in bytes: 64 MiB. It bounds the time that compiling one may take.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;

/// The largest manifest, in bytes: 256 KiB.
pub const MAX_MANIFEST_BYTES: usize = 256 << 10;

/// A component of the world `sandbook:step/step` with its manifest inside it.
#[derive(Clone)]
pub struct Packed {
    bytes: Vec<u8>,
    digest: Digest,
    imports: Vec<String>,
    manifest: Range<usize>,
}

impl Packed {
    /// Looks at the bytes of a file. None of the component's code runs, nothing is compiled, and
    /// function bodies aren't looked at.
    ///
    /// # Errors
    ///
    /// The bytes are no plugin; says what they are instead, and what is missing.
    pub fn read(bytes: Vec<u8>) -> Result<Packed, PackedError> {
        let shape = Shape::of(&bytes)?;
        let manifest = match shape.manifests.as_slice() {
            [] => return Err(PackedError::NoManifest),
            [one] => one.clone(),
            more => return Err(PackedError::ManyManifests(more.len())),
        };
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(PackedError::ManifestTooLarge(manifest.len()));
        }
        shape.check_said(&bytes[manifest.clone()])?;
        Ok(Packed {
            digest: Digest::of(&bytes),
            imports: shape.imports,
            manifest,
            bytes,
        })
    }

    /// The digest of all the bytes, the manifest's included.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The manifest's bytes: JSON, if its author told the truth.
    pub fn manifest_json(&self) -> &[u8] {
        &self.bytes[self.manifest.clone()]
    }

    /// The interfaces that the component imports, such as `sandbook:step/http@0.1.0`, in its order.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Whether it brings its own HTTP client: it imports `wasi:http`, and its manifest says so.
    pub fn has_wasi_http(&self) -> bool {
        self.imports
            .iter()
            .any(|import| world::is_wasi_http(import))
    }

    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed")
            .field("digest", &self.digest)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why some bytes are not a plugin.
#[derive(Debug, thiserror::Error)]
pub enum PackedError {
    /// It doesn't begin like WebAssembly.
    #[error("this is not WebAssembly")]
    NotWasm,
    /// It is a module, not a component.
    #[error(
        "this is a core module, not a component; build for `wasm32-wasip2`, or make a component of it with `wasm-tools component new`"
    )]
    CoreModule,
    /// It begins like a component, and isn't a valid one.
    #[error("this is not a valid component")]
    Invalid(#[source] wasmparser::BinaryReaderError),
    /// It doesn't export what a step exports.
    #[error(
        "this is a component of another world: it exports no interface `step` with a function `run`"
    )]
    NoStep,
    /// Its `run` has another type.
    #[error("this component's `step.run` is not the contract's: it is `{found}`")]
    OtherRun {
        /// Its type.
        found: String,
    },
    /// It imports what isn't there.
    #[error("this component imports what a step can't have: {}", list(.0))]
    UnknownImports(Vec<String>),
    /// It brings its own HTTP client, and its manifest says nothing of it.
    #[error(
        "this component imports `{0}`, and its manifest doesn't say so; write `wasi_http: true` into `plugin.yaml` and pack it anew"
    )]
    WasiHttpUnsaid(String),
    /// It has no manifest.
    #[error("this component has no manifest; put one in with `sandbook plugin pack`")]
    NoManifest,
    /// It has more than one manifest.
    #[error("this component has {0} manifests; pack it anew with `sandbook plugin pack`")]
    ManyManifests(usize),
    /// Its manifest is too large.
    #[error("the manifest has {0} bytes, of at most {MAX_MANIFEST_BYTES}")]
    ManifestTooLarge(usize),
    /// The whole is too large.
    #[error("this component has {0} bytes, of at most {MAX_COMPONENT_BYTES}")]
    TooLarge(usize),
}

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
#[path = "packed/tests.rs"]
mod tests;
