//! Files and directories that are their owner's alone.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::StateDirError;
use crate::run_id::NoRandomness;

/// Makes a directory and those above it, and refuses one that others can get at.
pub(super) fn make_directory(path: &Path) -> Result<(), StateDirError> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.and_then(|()| std::fs::metadata(path))
                .map_err(|source| StateDirError::MakeDirectory {
                    path: path.to_owned(),
                    source,
                })?
        }
        Err(source) => {
            return Err(StateDirError::Read {
                path: path.to_owned(),
                source,
            });
        }
        Ok(metadata) if !metadata.is_dir() => {
            return Err(StateDirError::NotADirectory {
                path: path.to_owned(),
            });
        }
        Ok(metadata) => metadata,
    };
    refuse_shared(path, &metadata, 0o700)
}

/// Refuses a directory that isn't there, or that others can get at.
pub(super) fn refuse_missing(path: &Path) -> Result<(), StateDirError> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => refuse_shared(path, &metadata, 0o700),
        Ok(_) => Err(StateDirError::NotADirectory {
            path: path.to_owned(),
        }),
        Err(source) => Err(StateDirError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

pub(super) fn refuse_shared(
    path: &Path,
    metadata: &Metadata,
    wanted: u32,
) -> Result<(), StateDirError> {
    let you = rustix::process::geteuid().as_raw();
    if metadata.uid() != you {
        return Err(StateDirError::NotYours {
            path: path.to_owned(),
            owner: metadata.uid(),
            you,
        });
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(StateDirError::Open {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

/// Writes a durable file beside `path`, under a name that nobody else has. The caller gives it its own.
pub(super) fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf, StateDirError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(NoRandomness)?;
    let beside = path.with_extension(format!("{}.new", hex::encode(random)));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(beside),
        Err(source) => {
            let _ = std::fs::remove_file(&beside);
            Err(StateDirError::Write {
                path: path.to_owned(),
                source,
            })
        }
    }
}

/// Makes durable that a file has its name.
pub(super) fn sync_name(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
