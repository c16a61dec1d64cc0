//! The state directory's key.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::StateDirError;
use super::private::{refuse_shared, sync_name, write_beside};
use crate::digest::KeyedDigest;
use crate::run_id::NoRandomness;

/// 32 random bytes that never leave the directory's owner. Zeroed when dropped.
#[derive(Clone)]
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// A content's digest under this key.
    #[must_use]
    pub fn digest(&self, bytes: &[u8]) -> KeyedDigest {
        KeyedDigest::from_bytes(self.mac(b"content\0", bytes))
    }

    /// Another key, for one purpose only: equal for equal purposes, and telling nothing of this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        self.mac(b"derive\0", purpose.as_bytes())
    }

    fn mac(&self, domain: &[u8], bytes: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.0)
            .expect("invariant: HMAC takes a key of any length");
        mac.update(domain);
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(..)")
    }
}

/// Of several processes that find no key, the first one's stays.
pub(super) fn read_or_make(directory: &Path) -> Result<StateKey, StateDirError> {
    let path = directory.join("key");
    match File::open(&path) {
        Ok(file) => read(&path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(&path)?;
            let file = File::open(&path).map_err(|source| StateDirError::Read {
                path: path.clone(),
                source,
            })?;
            read(&path, file)
        }
        Err(source) => Err(StateDirError::Read { path, source }),
    }
}

fn read(path: &Path, file: File) -> Result<StateKey, StateDirError> {
    let unreadable = |source| StateDirError::Read {
        path: path.to_owned(),
        source,
    };
    refuse_shared(path, &file.metadata().map_err(unreadable)?, 0o600)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(64));
    file.take(64).read_to_end(&mut bytes).map_err(unreadable)?;
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(StateKey(Zeroizing::new(key))),
        Err(_) => Err(StateDirError::Key {
            path: path.to_owned(),
            found: bytes.len(),
        }),
    }
}

/// A hard link gives the file its name only where there is none yet.
fn make(path: &Path) -> Result<(), StateDirError> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).map_err(NoRandomness)?;
    let beside = write_beside(path, &*key)?;
    let linked = match std::fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    let removed = std::fs::remove_file(&beside);
    linked
        .and(removed)
        .and_then(|()| sync_name(path))
        .map_err(|source| StateDirError::Write {
            path: path.to_owned(),
            source,
        })
}
