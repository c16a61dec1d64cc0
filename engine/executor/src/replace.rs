//! Files that are replaced as a whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Puts a file with these bytes in the place of whatever is there, durably. A file that is there keeps its mode, and a
/// link to it stays one.
///
/// # Errors
///
/// The file can't be written. What was there before still is.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (target, mode) = match fs::canonicalize(path) {
        Ok(target) => {
            let there = fs::metadata(&target)?;
            (target, there.permissions().mode() & 0o777)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), mode),
        Err(error) => return Err(error),
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let beside = target.with_added_extension(format!("{}.new", hex::encode(random)));
    let replaced = write(&beside, bytes, mode).and_then(|()| fs::rename(&beside, &target));
    if let Err(error) = replaced {
        // What is left of it holds no more than the file itself would.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    match target.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
