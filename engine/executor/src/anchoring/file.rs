//! A file as an anchor. It may lie on a share that hangs, and somebody may have put something else in its place: only
//! a regular file is touched.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::OFlags;

/// How much of a file's end is looked at for a line that should be there.
const END: u64 = 64 * 1024;

/// What is in a file, read by a thread of its own: one that hangs is left behind. One that isn't there has nothing.
pub(super) fn read_within(path: &Path, deadline: Duration) -> io::Result<Vec<u8>> {
    let (done, read) = mpsc::channel();
    let path = path.to_owned();
    std::thread::Builder::new().spawn(move || done.send(read_all(&path)))?;
    read.recv_timeout(deadline).unwrap_or_else(|_| {
        let why = format!("it took longer than {deadline:?}");
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    })
}

fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match open(OpenOptions::new().read(true), path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => drop(opened?.read_to_end(&mut bytes)?),
    }
    Ok(bytes)
}

/// Whether this text is at a file's end.
pub(super) fn ends_with(path: &Path, text: &str) -> bool {
    let look = || {
        let mut file = open(OpenOptions::new().read(true), path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        io::Result::Ok(String::from_utf8_lossy(&bytes).contains(text))
    };
    look().unwrap_or(false)
}

/// Adds a line to a file, durably. One that was cut off before is left as it is.
pub(super) fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    let mut file = open(&mut options, path)?;
    let begins = if ends_in_a_line(&mut file)? { "" } else { "\n" };
    file.write_all(format!("{begins}{line}\n").as_bytes())?;
    file.sync_all()
}

/// Waits for nobody at the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("it is not a regular file"))
    }
}

fn ends_in_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let folder = std::env::temp_dir().join(format!("anchoring-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of this process alone");
        let path = folder.join("heads");
        let appended = append(&path, "one")
            .and_then(|()| OpenOptions::new().append(true).open(&path))
            .and_then(|mut file| file.write_all(b"cut"))
            .and_then(|()| append(&path, "two"))
            .and_then(|()| std::fs::read_to_string(&path));
        let removed = std::fs::remove_dir_all(&folder);
        assert_eq!(appended.ok().as_deref(), Some("one\ncut\ntwo\n"));
        assert!(removed.is_ok());
    }

    #[test]
    fn what_is_no_file_or_has_lost_its_end_is_told_at_once() {
        let folder = std::env::temp_dir().join(format!("anchor-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of this process alone");
        let (pipe, path) = (folder.join("pipe"), folder.join("heads"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        let long = Duration::from_secs(60);
        let (read, appended) = (read_within(&pipe, long), append(&pipe, "one"));
        let nothing = read_within(&path, long);
        let written = append(&path, "one").and_then(|()| append(&path, "two"));
        let has = [ends_with(&path, "two"), ends_with(&path, "three")];
        let removed = std::fs::remove_dir_all(&folder);
        assert!(made.is_ok_and(|made| made.success()));
        assert!(read.is_err() && appended.is_err());
        assert!(nothing.is_ok_and(|bytes| bytes.is_empty()) && written.is_ok());
        assert_eq!(has, [true, false]);
        assert!(removed.is_ok());
    }
}
