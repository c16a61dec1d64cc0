//! The cache's directory: nobody's but its owner's.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A cache can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The directory can't be made or looked at.
    #[error("the cache directory `{}` can't be used", path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// There is something else in its place.
    #[error("the cache directory `{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// It is another user's.
    #[error("the cache directory `{}` belongs to another user; code from it would run as this one", .0.display())]
    Foreign(PathBuf),
    /// Others can get at it.
    #[error("the cache directory `{}` is open to others (mode {mode:o}); make it yours with `chmod 700`", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Makes the directory where there is none, and checks that it is its owner's alone.
pub(super) fn secure(path: &Path) -> Result<(), CacheError> {
    let io = |source| CacheError::Io {
        path: path.to_owned(),
        source,
    };
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    // Not through a symbolic link: its target could be swapped.
    let found = fs::symlink_metadata(path).map_err(io)?;
    if !found.is_dir() {
        return Err(CacheError::NotADirectory(path.to_owned()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(CacheError::Foreign(path.to_owned()));
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(CacheError::Open {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// The whole file, if there is one.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.metadata().ok()?.len()).ok()?);
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Writes these parts into the file, all of them or none: others read only what was renamed into place.
pub(super) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    let unique = format!(
        "{}-{}.tmp",
        std::process::id(),
        WRITTEN.fetch_add(1, Ordering::Relaxed)
    );
    let temporary = path.with_extension(unique);
    let written = create(&temporary, parts).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What couldn't be finished is of no use; that removing it fails too changes nothing.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn create(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    parts.iter().try_for_each(|part| file.write_all(part))
}
