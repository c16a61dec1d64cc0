//! Compiled code, kept between runs.
//!
//! Compiled code runs outside the sandbox, so whoever could change an entry could run anything as the
//! engine's user. The directory is therefore its owner's alone, and every entry is authenticated with
//! a key that is kept elsewhere before a byte of it is believed.

mod directory;
mod entry;

use std::{fmt, path::PathBuf};

use wasmtime::{Engine, component::Component};
use zeroize::Zeroizing;

use crate::digest::Digest;

pub use directory::CacheError;
pub(crate) use entry::Fingerprint;

/// A directory of compiled components.
#[derive(Clone)]
pub struct Cache {
    dir: PathBuf,
    key: Zeroizing<[u8; 32]>,
}

impl Cache {
    /// Opens the directory, and makes it where there is none yet. `key` authenticates the entries: an
    /// entry made with another key counts as absent.
    ///
    /// # Errors
    ///
    /// The directory can't be made, or others than its owner can get at it.
    pub fn open(dir: PathBuf, key: [u8; 32]) -> Result<Cache, CacheError> {
        directory::secure(&dir)?;
        Ok(Cache {
            dir,
            key: Zeroizing::new(key),
        })
    }

    /// The component of this digest, if it was compiled before for an engine like this one. An entry
    /// that is damaged, cut or another's counts as absent: it is compiled anew then.
    pub(crate) fn get(
        &self,
        engine: &Engine,
        fingerprint: &Fingerprint,
        digest: Digest,
    ) -> Option<Component> {
        let file = directory::read(&self.path(fingerprint, digest))?;
        let code = entry::authentic(&self.key, fingerprint, digest, &file)?;
        deserialize(engine, code)
    }

    /// Keeps a component's code. That this fails, say for want of space, costs only time.
    pub(crate) fn put(&self, fingerprint: &Fingerprint, digest: Digest, code: &[u8]) {
        let head = entry::head(&self.key, fingerprint, digest, code);
        let _ = directory::write(&self.path(fingerprint, digest), &[&head, code]);
    }

    fn path(&self, fingerprint: &Fingerprint, digest: Digest) -> PathBuf {
        self.dir
            .join(format!("{}-{}.aot", digest.hex(), fingerprint.short()))
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// The component that some code is, where it is for this engine. The code must be wasmtime's own: an authentic
/// entry's, or what this engine's own compiler has just made.
#[expect(
    unsafe_code,
    reason = "wasmtime can't know that the bytes are its own; the entry's MAC says so, or who made them"
)]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes must come from `Component::serialize` or `Engine::precompile_component`. Those of an entry
    // are authenticated with a key that only this engine's user has, under a name that says component and engine.
    // Those of a compiler's process come from the program that this engine was told to trust, by a file that only
    // the two had. They lie in our memory, where nobody changes them any more.
    unsafe { Component::deserialize(engine, code) }.ok()
}

#[cfg(test)]
#[path = "cache/tests.rs"]
mod tests;
