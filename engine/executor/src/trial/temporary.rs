//! Where a case is run: a folder that goes when it is through, in memory where the machine has a place for that.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::fs::statvfs;
use rustix::process::geteuid;
use sandbook_runbook::Source;

use crate::failed::Failed;
use crate::project::{PROJECT_FILE, Project};
use crate::start_error::StartError;

/// Files in memory, on Linux: what a case has on record is of use only while it runs.
const IN_MEMORY: &str = "/dev/shm";

/// How much room there has to be for that, in bytes: cases that crash keep their plugin, and some are run at once.
const ENOUGH: u64 = 1 << 30;

/// How the folders' names begin.
const BEGINNING: &str = "sandbook-test-";

/// How often another name is tried when somebody else got hold of a folder.
const TRIES: usize = 8;

/// What tests leave that are interrupted is removed once a process.
static SWEPT: Once = Once::new();

/// The folder of one case: a project, and the state of its run.
pub(super) struct Place {
    folder: PathBuf,
    /// Says, until the process is gone, that the folder is in use.
    _lock: File,
}

impl Place {
    pub(super) fn new() -> Result<Place, Failed> {
        let in_memory = Path::new(IN_MEMORY);
        SWEPT.call_once(|| {
            sweep(in_memory);
            sweep(&std::env::temp_dir());
        });
        let has_room = |folder: &Path| {
            statvfs(folder).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= ENOUGH)
        };
        let made = match has_room(in_memory) {
            true => make_in(in_memory).or_else(|_| make_in(&std::env::temp_dir())),
            false => make_in(&std::env::temp_dir()),
        };
        made.map_err(|error| Failed::State(error.into()))
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// A project with this environment and nothing else.
    pub(super) fn project(&self, environment: &Source) -> Result<Project, StartError> {
        let root = &self.folder;
        let file = root.join(&environment.name);
        let write = || {
            fs::write(root.join(PROJECT_FILE), "plugins: {}\n")?;
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&file, &environment.text)
        };
        write().map_err(|error| Failed::State(error.into()))?;
        Ok(Project::open(root)?)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder that is nobody else's, and holds on to it.
fn make_in(parent: &Path) -> io::Result<Place> {
    for _ in 0..TRIES {
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(io::Error::other)?;
        let folder = parent.join(format!("{BEGINNING}{}", hex::encode(name)));
        // It fails where something of that name is there.
        DirBuilder::new().mode(0o700).create(&folder)?;
        // Whoever sweeps right now may have taken it for one that was left.
        if let Ok(lock) = File::open(&folder)
            && lock.try_lock().is_ok()
            && folder.is_dir()
        {
            return Ok(Place {
                folder,
                _lock: lock,
            });
        }
    }
    Err(io::Error::other("the folders of cases are removed at once"))
}

/// Removes the caller's folders that no process holds on to. What can't be removed stays.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_named_so = entry.file_name().to_string_lossy().starts_with(BEGINNING);
        // Of the entry itself: a link leads somewhere else.
        let is_own = |found: fs::Metadata| found.is_dir() && found.uid() == geteuid().as_raw();
        if is_named_so && entry.metadata().is_ok_and(is_own) {
            let folder = entry.path();
            if let Ok(lock) = File::open(&folder)
                && lock.try_lock().is_ok()
            {
                let _ = fs::remove_dir_all(&folder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_place() {
        let place = Place::new().unwrap();
        let folder = place.folder.clone();
        fs::create_dir_all(place.state()).unwrap();
        assert!(folder.is_dir());
        drop(place);
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_left_is_removed_and_what_is_held_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let held = make_in(parent.path()).unwrap();
        let left = parent.path().join(format!("{BEGINNING}left"));
        fs::create_dir_all(left.join("state")).unwrap();
        let others = parent.path().join("others");
        fs::create_dir(&others).unwrap();
        let link = parent.path().join(format!("{BEGINNING}link"));
        std::os::unix::fs::symlink(&others, &link).unwrap();
        sweep(parent.path());
        assert!(held.folder.is_dir() && others.is_dir() && link.is_symlink());
        assert!(!left.exists());
    }
}
