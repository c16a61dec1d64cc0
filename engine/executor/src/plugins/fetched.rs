//! The folder with the components that were fetched, each by its digest. It is no part of the project, and nothing in
//! it is believed: what is read from it is what the lock says, or is refused.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbook_runbook::{Manifest, PluginName};
use sandbook_sandbox::{Digest, MAX_COMPONENT_BYTES, Packed};

use super::standing::{Standing, Unusable};
use crate::bounded::read_file;
use crate::project::manifest_of;
use crate::refused::Refused;
use crate::replace::replace;

/// The folder, in the project's.
const FOLDER: &str = ".sandbook-plugins";

/// So that nobody checks the folder in.
const GITIGNORE: &str = "# Components that `sandbook plugin fetch` brings back.\n*\n";

/// Where a component lies, if it was fetched.
pub(super) fn place(root: &Path, digest: &Digest) -> PathBuf {
    root.join(FOLDER).join(format!("{}.wasm", digest.hex()))
}

/// Whether the very component is there.
pub(super) fn has(root: &Path, digest: &Digest) -> bool {
    let bytes = read_file(&place(root, digest), MAX_COMPONENT_BYTES);
    bytes.is_ok_and(|bytes| Digest::of(&bytes) == *digest)
}

/// Reads a component that was fetched.
pub(super) fn read(
    root: &Path,
    name: &PluginName,
    digest: &Digest,
) -> Result<(Packed, Manifest), Unusable> {
    let path = place(root, digest);
    let fetch = format!("fetch it: `sandbook plugin fetch {name}`");
    let bytes = match read_file(&path, MAX_COMPONENT_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!(
                "plugin `{name}` was not fetched: `{}` is not there",
                path.display()
            );
            let refused = Refused::because(message).help(fetch);
            return Err(Unusable::new(Standing::NotFetched, refused));
        }
        Err(error) => return Err(Refused::unreadable("plugin", &path, error).into()),
    };
    let altered = |found: Digest| {
        let message = format!(
            "plugin `{name}` was altered on this disk: `{}` has the digest {found}",
            path.display()
        );
        let refused =
            Refused::because(message).help(format!("find out who did that; then {fetch}"));
        Unusable::new(Standing::Altered, refused)
    };
    // What isn't the component isn't looked into any further than to see that.
    let packed = match Packed::read(bytes) {
        Ok(packed) => packed,
        Err(error) => {
            let bytes = read_file(&path, MAX_COMPONENT_BYTES).unwrap_or_default();
            let found = Digest::of(&bytes);
            if found != *digest {
                return Err(altered(found));
            }
            let message = format!("`{}` is not a plugin", path.display());
            return Err(Refused::because(message).caused_by(error).into());
        }
    };
    if packed.digest() != *digest {
        return Err(altered(packed.digest()));
    }
    let manifest = manifest_of(&packed, &path)?;
    Ok((packed, manifest))
}

/// Keeps a component that was fetched.
pub(super) fn keep(root: &Path, digest: &Digest, bytes: &[u8]) -> Result<(), Refused> {
    let path = place(root, digest);
    let kept = || -> io::Result<()> {
        let folder = root.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            replace(&ignore, GITIGNORE.as_bytes(), 0o644)?;
        }
        replace(&path, bytes, 0o644)
    };
    kept().map_err(|error| {
        Refused::because(format!("plugin `{}` can't be kept", path.display()))
            .caused_by(error)
            .help("see to it that the project's folder can be written to, and has room")
    })
}
