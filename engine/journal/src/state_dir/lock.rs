//! Which runs are alive: a lock on a file of theirs, which the kernel releases when the process ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::sweep::Putting;
use super::{StateDir, StateDirError};
use crate::run_id::RunId;

/// How often a lock is tried: a look at whether a run is alive holds it for an instant.
const TRIES: u32 = 5;

/// A run's lock. Dropping it, or the end of the process, releases it.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    _file: File,
    /// Until what was put for the run is named by an event.
    putting: Option<Putting>,
}

impl RunLock {
    /// Says that the run's first event in this process is durable: what was put into the state directory for it
    /// before is named by that from now on, and needs no further protection against being swept.
    pub fn is_recorded(&mut self) {
        self.putting = None;
    }
}

impl Drop for RunLock {
    /// The file goes while the lock is still held, so that nobody's lock is on a file without a name unawares.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl StateDir {
    /// Takes a run's lock; nothing when a live process has it. Contents that are put from now on until
    /// [`RunLock::is_recorded`] are not swept.
    ///
    /// # Errors
    ///
    /// When the lock's file can't be made or locked.
    pub fn lock_run(&self, run: RunId) -> Result<Option<RunLock>, StateDirError> {
        let path = self.lock_path(run);
        let taken = take(&path).map_err(|source| StateDirError::Write {
            path: path.clone(),
            source,
        })?;
        let Some(file) = taken else { return Ok(None) };
        let mut lock = RunLock {
            path,
            _file: file,
            putting: None,
        };
        lock.putting = Some(self.putting()?);
        Ok(Some(lock))
    }

    /// Whether a live process has the run's lock.
    ///
    /// # Errors
    ///
    /// When the lock's file can't be opened.
    pub fn is_live(&self, run: RunId) -> Result<bool, StateDirError> {
        let path = self.lock_path(run);
        let look = || match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            opened => Ok(!try_lock(&opened?, FlockOperation::NonBlockingLockShared)?),
        };
        look().map_err(|source| StateDirError::Read {
            path: path.clone(),
            source,
        })
    }

    fn lock_path(&self, run: RunId) -> PathBuf {
        self.path().join("runs").join(format!("{run}.lock"))
    }
}

fn take(path: &Path) -> io::Result<Option<File>> {
    for _ in 0..TRIES {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if !try_lock(&file, FlockOperation::NonBlockingLockExclusive)? {
            std::thread::sleep(Duration::from_millis(2));
        } else if has_name(&file, path)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

pub(super) fn try_lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether the file is still the one of that name: who had the lock before removes it.
pub(super) fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        named => Ok(named?.ino() == file.metadata()?.ino()),
    }
}
