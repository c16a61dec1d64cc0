//! Room on the disk: how much there is, and a file that keeps some for whoever has to end what was begun.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FallocateFlags, access, fallocate, statvfs};
use rustix::io::Errno;

use super::{StateDir, StateDirError};

/// How many bytes the reserve takes.
pub const RESERVE: u64 = 16 * 1024 * 1024;

impl StateDir {
    /// How many bytes the disk that it is on has left for its owner.
    ///
    /// # Errors
    ///
    /// When the system doesn't say.
    pub fn free_space(&self) -> Result<u64, StateDirError> {
        match statvfs(self.path()) {
            Ok(disk) => Ok(disk.f_bavail.saturating_mul(disk.f_frsize)),
            Err(error) => Err(StateDirError::Read {
                path: self.path().to_owned(),
                source: error.into(),
            }),
        }
    }

    /// Refuses a directory that can't be written, such as one on a disk that is mounted to be read only.
    ///
    /// # Errors
    ///
    /// When it is one.
    pub fn refuse_read_only(&self) -> Result<(), StateDirError> {
        access(self.path(), Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
            StateDirError::Write {
                path: self.path().to_owned(),
                source: error.into(),
            }
        })
    }

    /// Makes the reserve, unless it is there. A disk that has no room for it is no error: then there is none.
    ///
    /// # Errors
    ///
    /// When it can't be made for another reason.
    pub fn make_reserve(&self) -> Result<(), StateDirError> {
        let path = self.reserve_path();
        match make(&path) {
            Err(error) if has_no_room(&error) => {
                let _ = fs::remove_file(&path);
                Ok(())
            }
            made => made.map_err(|source| StateDirError::Write { path, source }),
        }
    }

    /// Gives the reserve's room back to the disk. There is nothing to be done where that fails.
    pub fn release_reserve(&self) {
        let _ = fs::remove_file(self.reserve_path());
    }

    fn reserve_path(&self) -> PathBuf {
        self.path().join("reserve")
    }
}

fn make(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|there| there.blocks() * 512 >= RESERVE) {
        return Ok(());
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, RESERVE) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => fill(file),
        made => Ok(made?),
    }
}

/// Where room can't be had without writing: zeros.
fn fill(mut file: File) -> io::Result<()> {
    let zeros = [0; 64 * 1024];
    for _ in 0..RESERVE / zeros.len() as u64 {
        file.write_all(&zeros)?;
    }
    file.sync_all()
}

fn has_no_room(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_takes_room_and_gives_it_back() {
        let above = tempfile::tempdir().unwrap();
        let state = StateDir::open(&above.path().join("state")).unwrap();
        assert!(state.free_space().unwrap() > 0);
        let path = state.reserve_path();
        for _ in 0..2 {
            state.make_reserve().unwrap();
            assert!(fs::metadata(&path).unwrap().blocks() * 512 >= RESERVE);
        }
        // One that was cut is made whole.
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(5)
            .unwrap();
        state.make_reserve().unwrap();
        assert!(fs::metadata(&path).unwrap().blocks() * 512 >= RESERVE);
        state.release_reserve();
        state.release_reserve();
        assert!(!path.exists());
    }

    #[test]
    fn zeros_take_the_same_room() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fill(file.reopen().unwrap()).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().len(), RESERVE);
    }
}
