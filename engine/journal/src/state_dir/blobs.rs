//! Contents by their digest: components, and the texts of runbooks and environments.

use std::fs;
use std::io;

use super::private::{sync_name, write_beside};
use super::{StateDir, StateDirError};
use crate::digest::Digest;

impl StateDir {
    /// Keeps a content, durably, unless it is there already. Until an event names it, it can be swept, except while the
    /// run's lock is held and [`RunLock::is_recorded`](super::RunLock::is_recorded) wasn't said yet.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn put_blob(&self, bytes: &[u8]) -> Result<Digest, StateDirError> {
        let digest = Digest::of(bytes);
        let path = self.blob_path(&digest);
        // One of another length was cut or altered: it is replaced.
        if fs::metadata(&path).is_ok_and(|there| there.len() == bytes.len() as u64) {
            return Ok(digest);
        }
        let beside = write_beside(&path, bytes)?;
        fs::rename(&beside, &path)
            .and_then(|()| sync_name(&path))
            .map_err(|source| StateDirError::Write { path, source })?;
        Ok(digest)
    }

    /// Reads a content, and checks that it is what its name says.
    ///
    /// # Errors
    ///
    /// When it isn't there, can't be read, or was altered.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, StateDirError> {
        let path = self.blob_path(digest);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(StateDirError::NoBlob { digest: *digest });
            }
            read => read.map_err(|source| StateDirError::Read {
                path: path.clone(),
                source,
            })?,
        };
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(StateDirError::AlteredBlob { path, found }),
        }
    }
}
