//! Folders with all that is in them.

use std::fs;
use std::io;
use std::path::Path;

use crate::process::Outcome;

/// Copies a folder into another one, over what is there.
pub(crate) fn copy(from: &Path, to: &Path) -> Outcome {
    copy_all(from, to).map_err(|error| {
        format!(
            "`{}` can't be copied to `{}`: {error}",
            from.display(),
            to.display()
        )
    })
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("`{}` can't be removed: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Whether two folders hold the same files, with the same in them.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let contents = |folder: &Path| {
        let mut files = Vec::new();
        read_all(folder, folder, &mut files).map(|()| {
            files.sort();
            files
        })
    };
    matches!((contents(one), contents(other)), (Ok(one), Ok(other)) if one == other)
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Each file's path within the folder, and what is in it.
fn read_all(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_all(root, &path, files)?;
        } else {
            let within = path.strip_prefix(root).unwrap_or(&path);
            files.push((within.display().to_string(), fs::read(&path)?));
        }
    }
    Ok(())
}
