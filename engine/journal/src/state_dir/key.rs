//! The state directory's key.

use std::fmt;
use std::path::Path;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{StateDirError, secret};
use crate::digest::KeyedDigest;

/// 32 random bytes that never leave the directory's owner. Zeroed when dropped.
#[derive(Clone, PartialEq, Eq)]
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

/// The key in this directory, made where there is none.
pub(super) fn read_or_make(directory: &Path) -> Result<StateKey, StateDirError> {
    secret::read_or_make(&directory.join("key")).map(StateKey)
}

/// The key in this directory, which has to be there.
pub(super) fn read(directory: &Path) -> Result<StateKey, StateDirError> {
    let path = directory.join("key");
    let missing = || StateDirError::Read {
        path: path.clone(),
        source: std::io::ErrorKind::NotFound.into(),
    };
    let key = secret::read_if_there(&path)?;
    key.map(StateKey).ok_or_else(missing)
}

impl StateKey {
    /// The key of another state directory, which a run was imported with.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> StateKey {
        StateKey(Zeroizing::new(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
