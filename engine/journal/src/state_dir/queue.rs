//! Who waits for a group, in which order. A place in the line is a file that its process holds a lock on, so that
//! the kernel tells who is still there.
//!
//! `queue/DIGEST/NUMBER` is a place; the lowest number is first. Places are given out, and those of the dead
//! removed, under the lock of `queue/lock`.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::lock::{has_name, try_lock};
use super::{StateDir, StateDirError, private};
use crate::digest::Digest;

/// The name of a place before it has its number. One process makes one at a time.
const UNNUMBERED: &str = "new";

/// A place in the line for a group. Dropping it, or the end of the process, gives it up.
#[derive(Debug)]
pub struct Ticket {
    /// `queue`.
    root: PathBuf,
    /// The group's own folder.
    folder: PathBuf,
    number: u64,
    _file: File,
}

impl StateDir {
    /// Takes the last place in the line for a group.
    ///
    /// # Errors
    ///
    /// When its file can't be made or locked.
    pub fn queue_up(&self, group: &str) -> Result<Ticket, StateDirError> {
        let root = self.path().join("queue");
        private::make_directory(&root)?;
        let folder = root.join(Digest::of(group.as_bytes()).hex());
        let take = || {
            let _alone = alone(&root)?;
            match fs::DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
            let number = numbers(&folder)?.into_iter().max().unwrap_or(0) + 1;
            let file = make_locked(&folder, number)?;
            Ok((number, file))
        };
        match take() {
            Ok((number, file)) => Ok(Ticket {
                root,
                folder,
                number,
                _file: file,
            }),
            Err(source) => Err(StateDirError::Write {
                path: folder,
                source,
            }),
        }
    }
}

impl Ticket {
    /// How many who live are before this place. What the dead have left is removed.
    ///
    /// # Errors
    ///
    /// When the places can't be read.
    pub fn before(&self) -> Result<usize, StateDirError> {
        let count = || {
            let mut before = 0;
            for number in numbers(&self.folder)? {
                if number < self.number && self.is_taken(number)? {
                    before += 1;
                }
            }
            Ok(before)
        };
        count().map_err(|source| StateDirError::Read {
            path: self.folder.clone(),
            source,
        })
    }

    /// Whether somebody who lives has this place.
    fn is_taken(&self, number: u64) -> io::Result<bool> {
        let path = place(&self.folder, number);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened?,
        };
        if !try_lock(&file, FlockOperation::NonBlockingLockShared)? {
            return Ok(true);
        }
        // Its number is given out again once it is gone, so that it may be somebody else's by now.
        let _alone = alone(&self.root)?;
        if has_name(&file, &path)? {
            remove(&path)?;
        }
        Ok(false)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // What can't be removed is found dead by those who wait behind it.
        let _alone = alone(&self.root);
        let _ = remove(&place(&self.folder, self.number));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Makes the file of a place, which has its number only once it is locked: nobody may take it for a dead one's.
fn make_locked(folder: &Path, number: u64) -> io::Result<File> {
    let unnumbered = folder.join(UNNUMBERED);
    // Left by one who died in here.
    remove(&unnumbered)?;
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unnumbered)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(&unnumbered, place(folder, number))?;
    Ok(file)
}

fn place(folder: &Path, number: u64) -> PathBuf {
    folder.join(number.to_string())
}

/// The places that there are, in no order.
fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u64>().ok()),
        );
    }
    Ok(numbers)
}

/// Waits for the lock under which places come and go; it is held for an instant.
fn alone(root: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(root.join("lock"))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> (tempfile::TempDir, StateDir) {
        let above = tempfile::tempdir().unwrap();
        let state = StateDir::open(&above.path().join("state")).unwrap();
        (above, state)
    }

    fn before(tickets: &[&Ticket]) -> Vec<usize> {
        tickets
            .iter()
            .map(|ticket| ticket.before().unwrap())
            .collect()
    }

    #[test]
    fn places_are_in_the_order_in_which_they_were_taken() {
        let (_above, state) = state();
        let one = state.queue_up("site").unwrap();
        let two = state.queue_up("site").unwrap();
        let other = state.queue_up("another").unwrap();
        let three = state.queue_up("site").unwrap();
        assert_eq!(before(&[&one, &two, &three, &other]), [0, 1, 2, 0]);
        drop(two);
        assert_eq!(before(&[&one, &three]), [0, 1]);
        let four = state.queue_up("site").unwrap();
        drop(one);
        assert_eq!(before(&[&three, &four]), [0, 1]);
        drop((three, four, other));
        let left: Vec<_> = fs::read_dir(state.path().join("queue")).unwrap().collect();
        assert_eq!(left.len(), 1, "only the lock is left: {left:?}");
    }

    #[test]
    fn a_dead_ones_place_is_removed() {
        let (_above, state) = state();
        let one = state.queue_up("site").unwrap();
        let folder = one.folder.clone();
        let two = state.queue_up("site").unwrap();
        // Files that nobody has a lock on, as one leaves them who was killed.
        let dead = state.queue_up("site").unwrap();
        fs::write(folder.join(UNNUMBERED), "").unwrap();
        let number = dead.number;
        drop(dead);
        fs::write(place(&folder, number), "").unwrap();
        let last = state.queue_up("site").unwrap();
        assert!(last.number > number);
        assert_eq!(before(&[&last]), [2]);
        assert!(!place(&folder, number).exists());
        drop(one);
        assert_eq!(before(&[&two, &last]), [0, 1]);
    }

    #[test]
    fn many_at_once_get_a_place_each() {
        let (_above, state) = state();
        let tickets: Vec<Ticket> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| state.queue_up("site").unwrap()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        let mut places = before(&tickets.iter().collect::<Vec<_>>());
        places.sort_unstable();
        assert_eq!(places, (0..8).collect::<Vec<_>>());
    }
}
