//! Reading files that somebody else may have written.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use sandbook_runbook::format_size;

/// Reads an ordinary file, or as much of one that is too long as shows that it is. A pipe or a device, which may
/// never end, isn't waited for.
///
/// # Errors
///
/// The file can't be read, isn't an ordinary one, or is longer than `most` bytes.
pub(crate) fn read_file(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    let no_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.read(true).custom_flags(no_waiting).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !kind.is_file() {
        let fault = "it is no ordinary file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
    }
    read_bounded(file, most)
}

/// Reads to the end of what is at most so many bytes long.
///
/// # Errors
///
/// It can't be read, or is longer.
pub fn read_bounded(from: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let fault = format!("it is longer than {}", format_size(most as u64));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, fault));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn only_ordinary_files_of_some_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_file(&path, 5).unwrap(), b"12345");
        let said = |path: &Path| read_file(path, 4).unwrap_err().to_string();
        assert_eq!(said(&path), "it is longer than 4B");
        // No byte of it is there, and none is read.
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(said(&path), "it is longer than 4B");
        assert_eq!(said(Path::new("/dev/zero")), "it is no ordinary file");
        let kind = read_file(folder.path(), 4).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let said = read_file(&pipe, 4).unwrap_err().to_string();
        assert_eq!(said, "it is no ordinary file");
    }
}
