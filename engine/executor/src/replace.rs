//! Files that are replaced or made as a whole, or not at all, by one at a time.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Puts a file with these bytes in the place of whatever is there, durably. A file that is there keeps its mode, and a
/// link to it stays one; a new one gets this mode, less what the process keeps from new files.
///
/// # Errors
///
/// The file can't be written. What was there before still is.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (target, mode) = match fs::canonicalize(path) {
        Ok(target) => {
            let there = fs::metadata(&target)?;
            (target, Mode::Kept(there.permissions().mode() & 0o777))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), Mode::New(mode)),
        Err(error) => return Err(error),
    };
    let beside = beside(&target)?;
    let replaced = write(&beside, bytes, mode).and_then(|()| fs::rename(&beside, &target));
    if let Err(error) = replaced {
        // What is left of it holds no more than the file itself would.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    File::open(folder_of(&target))?.sync_all()
}

/// Makes a file with these bytes, durably, unless something of its name is there, and be it a link that leads nowhere.
/// It gets this mode, less what the process keeps from new files.
///
/// # Errors
///
/// Something is there, or the file can't be written. It isn't there then.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let beside = beside(path)?;
    let made = write(&beside, bytes, Mode::New(mode)).and_then(|()| fs::hard_link(&beside, path));
    // What is left of it holds no more than the file itself.
    let _ = fs::remove_file(&beside);
    match made {
        // Not every file system knows links.
        Err(error) if !matches!(error.kind(), io::ErrorKind::AlreadyExists) => {
            write(path, bytes, Mode::New(mode)).inspect_err(|failed| {
                if failed.kind() != io::ErrorKind::AlreadyExists {
                    let _ = fs::remove_file(path);
                }
            })?;
        }
        made => made?,
    }
    File::open(folder_of(path))?.sync_all()
}

/// Another name in the same folder.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(path.with_added_extension(format!("{}.new", hex::encode(random))))
}

/// Waits until nobody else changes this file in turn, and keeps them out until what is returned is dropped. The lock is
/// that of the file's folder, since the file itself is replaced.
///
/// # Errors
///
/// The folder can't be opened.
pub(crate) fn turn(path: &Path) -> io::Result<File> {
    let folder = File::open(folder_of(path))?;
    folder.lock()?;
    Ok(folder)
}

/// The folder that a file lies in, as it is named.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The permissions of the file that is put in place.
#[derive(Clone, Copy)]
enum Mode {
    /// Those of the file that was there.
    Kept(u32),
    /// Those wanted where none was.
    New(u32),
}

fn write(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let (Mode::Kept(at_first) | Mode::New(at_first)) = mode;
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(at_first)
        .open(path)?;
    if let Mode::Kept(mode) = mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use rustix::fs::Mode;
    use rustix::process::umask;

    use super::*;

    #[test]
    fn a_file_is_made_only_where_nothing_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        create(&path, b"one", 0o644).unwrap();
        let again = create(&path, b"two", 0o644).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert!(create(&link, b"two", 0o644).is_err());
        assert!(create(&dir.path().join("missing/file"), b"", 0o644).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_keeps_its_mode_whatever_new_ones_get() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let before = umask(Mode::from_raw_mode(0o077));
        replace(&path, b"one", 0o644).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        replace(&path, b"two", 0o600).unwrap();
        umask(before);
        assert_eq!(mode(&path), 0o664);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
