//! Puts a manifest into a component.

use std::borrow::Cow;

use wasm_encoder::{CustomSection, Section as _};
use wasmparser::BinaryReader;

use crate::packed::{
    MANIFEST_SECTION, MAX_COMPONENT_BYTES, MAX_MANIFEST_BYTES, PackedError, Shape,
};

/// The magic number and the version.
const HEADER_BYTES: usize = 8;

/// The component with this manifest, in the place of one that it may have had. The same arguments
/// give the same bytes, and packing what is packed already changes nothing.
///
/// The manifest's text is taken as it is: whether it is a manifest is for the caller to know.
///
/// # Errors
///
/// The bytes are not a component of the contract's world, the manifest doesn't say that it brings its own
/// HTTP client, or manifest or result are too large.
pub fn pack(component: &[u8], manifest_json: &[u8]) -> Result<Vec<u8>, PackedError> {
    if manifest_json.len() > MAX_MANIFEST_BYTES {
        return Err(PackedError::ManifestTooLarge(manifest_json.len()));
    }
    Shape::of(component)?.check_said(manifest_json)?;
    let mut packed = without_manifest(component).map_err(PackedError::Invalid)?;
    let section = CustomSection {
        name: Cow::Borrowed(MANIFEST_SECTION),
        data: Cow::Borrowed(manifest_json),
    };
    section.append_to(&mut packed);
    if packed.len() > MAX_COMPONENT_BYTES {
        return Err(PackedError::TooLarge(packed.len()));
    }
    Ok(packed)
}

/// The component's bytes, section by section, but for manifests.
fn without_manifest(component: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    let mut kept = Vec::with_capacity(component.len());
    kept.extend_from_slice(&component[..HEADER_BYTES]);
    let sections = &component[HEADER_BYTES..];
    let mut reader = BinaryReader::new(sections, 0);
    while !reader.eof() {
        let start = reader.current_position();
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()? as usize;
        let contents = reader.read_bytes(size)?;
        let manifest = id == 0 && BinaryReader::new(contents, 0).read_string()? == MANIFEST_SECTION;
        if !manifest {
            kept.extend_from_slice(&sections[start..reader.current_position()]);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{packed::Packed, plugin::sample};

    #[test]
    fn what_was_packed_reads_back() {
        let packed = pack(&sample::component(""), b"{\"name\":\"x\"}").unwrap();
        assert_eq!(
            Packed::read(packed).unwrap().manifest_json(),
            b"{\"name\":\"x\"}"
        );
    }

    #[test]
    fn packing_again_replaces_and_repeats_to_the_byte() {
        let once = pack(&sample::component(""), b"{}").unwrap();
        let other = pack(&once, b"{\"name\":\"other\"}").unwrap();
        assert_eq!(
            Packed::read(other.clone()).unwrap().manifest_json(),
            b"{\"name\":\"other\"}"
        );
        assert_eq!(pack(&other, b"{}").unwrap(), once);
    }

    #[test]
    fn what_could_not_be_read_is_not_packed() {
        assert!(matches!(
            pack(b"(component)", b"{}"),
            Err(PackedError::NotWasm)
        ));
        let large = vec![b' '; MAX_MANIFEST_BYTES + 1];
        let error = pack(&sample::component(""), &large).unwrap_err();
        assert!(matches!(error, PackedError::ManifestTooLarge(_)));
    }
}
