//! Signatures that lie beside a file: `FILE.minisig` and `FILE.sig`.

use std::io;
use std::path::Path;

use sandbook_registry::Signature;

use crate::bounded::read_file;
use crate::refused::Refused;

/// The largest signature, in bytes.
const LARGEST: usize = 16 << 10;

/// The signatures beside a file.
pub(super) fn signatures(file: &Path) -> Result<Vec<Signature>, Refused> {
    let minisig = text(&file.with_added_extension("minisig"), "signature")?;
    let sig = text(&file.with_added_extension("sig"), "signature")?;
    let signatures = minisig.map(Signature::Minisign).into_iter();
    Ok(signatures.chain(sig.map(Signature::Blob)).collect())
}

/// The text of a small file; none where there is none.
pub(super) fn text(path: &Path, what: &str) -> Result<Option<String>, Refused> {
    let bytes = match read_file(path, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Refused::unreadable(what, path, error)),
        Ok(bytes) => bytes,
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        Refused::because(format!("{what} `{}` is not UTF-8 text", path.display()))
            .caused_by(error.utf8_error())
            .help("put the right file there")
    })?;
    Ok(Some(text))
}
