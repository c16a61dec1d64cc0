//! A secret of the state directory: 32 random bytes in a file of their own, made at first use.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::StateDirError;
use super::private::{refuse_shared, sync_name, write_beside};
use crate::run_id::NoRandomness;

/// Of several processes that find no secret, the first one's stays.
pub(super) fn read_or_make(path: &Path) -> Result<Zeroizing<[u8; 32]>, StateDirError> {
    if let Some(secret) = read_if_there(path)? {
        return Ok(secret);
    }
    make(path)?;
    let opened = File::open(path).map_err(|source| StateDirError::Read {
        path: path.to_owned(),
        source,
    });
    read(path, opened?)
}

/// The secret; nothing where there is none.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>, StateDirError> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateDirError::Read {
            path: path.to_owned(),
            source,
        }),
        Ok(file) => read(path, file).map(Some),
    }
}

fn read(path: &Path, file: File) -> Result<Zeroizing<[u8; 32]>, StateDirError> {
    let unreadable = |source| StateDirError::Read {
        path: path.to_owned(),
        source,
    };
    refuse_shared(path, &file.metadata().map_err(unreadable)?, 0o600)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(64));
    file.take(64).read_to_end(&mut bytes).map_err(unreadable)?;
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(secret) => Ok(Zeroizing::new(secret)),
        Err(_) => Err(StateDirError::Key {
            path: path.to_owned(),
            found: bytes.len(),
        }),
    }
}

/// A hard link gives the file its name only where there is none yet.
fn make(path: &Path) -> Result<(), StateDirError> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *secret).map_err(NoRandomness)?;
    let beside = write_beside(path, &*secret)?;
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
