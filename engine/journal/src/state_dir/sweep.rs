//! Removing contents by digest that no run names any more.
//!
//! A run puts its contents first, and names them in an event after. Whoever does that holds a shared lock from
//! before the first until the event is durable; whoever sweeps holds the lock alone, and reads what the events name
//! only then. So what lies there unnamed while it sweeps is nobody's.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::{StateDir, StateDirError};
use crate::digest::Digest;

/// Nobody puts a content while this is held.
#[derive(Debug)]
pub(crate) struct Sweeping {
    _file: File,
}

/// No content is swept while this is held.
#[derive(Debug)]
pub(crate) struct Putting {
    _file: File,
}

impl StateDir {
    /// Keeps sweepers away; waits for one that is at it.
    pub(crate) fn putting(&self) -> Result<Putting, StateDirError> {
        let path = self.sweep_lock();
        let lock = || {
            let file = open(&path)?;
            flock(&file, FlockOperation::LockShared)?;
            Ok(Putting { _file: file })
        };
        lock().map_err(|source| StateDirError::Write {
            path: path.clone(),
            source,
        })
    }

    /// Keeps others from putting contents; nothing while somebody is between a content and its event.
    pub(crate) fn sweeping(&self) -> Result<Option<Sweeping>, StateDirError> {
        let path = self.sweep_lock();
        let lock = || {
            let file = open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => Ok(Some(Sweeping { _file: file })),
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        lock().map_err(|source| StateDirError::Write {
            path: path.clone(),
            source,
        })
    }

    /// Removes the contents that aren't among these; says how many.
    pub(crate) fn sweep(
        &self,
        named: &HashSet<Digest>,
        _alone: &Sweeping,
    ) -> Result<usize, StateDirError> {
        let folder = self.path().join("blobs/sha256");
        let unreadable = |source| StateDirError::Read {
            path: folder.clone(),
            source,
        };
        let mut removed = 0;
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            // A file that was being written when its writer died has no digest for a name, and is nobody's as well.
            let digest = name.and_then(|name| format!("sha256:{name}").parse().ok());
            if digest.is_some_and(|digest: Digest| named.contains(&digest)) {
                continue;
            }
            std::fs::remove_file(&path).map_err(|source| StateDirError::Write { path, source })?;
            removed += 1;
        }
        Ok(removed)
    }

    fn sweep_lock(&self) -> std::path::PathBuf {
        self.path().join("blobs/lock")
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Place;

    #[test]
    fn what_is_named_stays_and_nothing_is_swept_while_somebody_puts() {
        let place = Place::new();
        let state = &place.state;
        let kept = state.put_blob(b"kept").unwrap();
        let gone = state.put_blob(b"gone").unwrap();
        let putting = state.putting().unwrap();
        assert!(state.sweeping().unwrap().is_none());
        drop(putting);
        let alone = state.sweeping().unwrap().unwrap();
        assert_eq!(state.sweep(&HashSet::from([kept]), &alone).unwrap(), 1);
        assert_eq!(state.blob(&kept).unwrap(), b"kept");
        assert!(state.blob(&gone).is_err());
    }
}
