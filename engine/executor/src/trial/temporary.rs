//! Where a case is run: a folder that goes when it is through, in memory where the machine has a place for that.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;
use sandbook_runbook::Source;

use crate::failed::Failed;
use crate::project::{PROJECT_FILE, Project};
use crate::start_error::StartError;

/// Files in memory, on Linux: what a case has on record is of use only while it runs.
const IN_MEMORY: &str = "/dev/shm";

/// How much room there has to be for that, in bytes: cases that crash keep their plugin, and some are run at once.
const ENOUGH: u64 = 1 << 30;

/// The folder of one case: a project, and the state of its run.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new() -> Result<Place, Failed> {
        let in_memory = Path::new(IN_MEMORY);
        let has_room = |folder: &Path| {
            statvfs(folder).is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= ENOUGH)
        };
        let made = match has_room(in_memory) {
            true => make_in(in_memory).or_else(|_| make_in(&std::env::temp_dir())),
            false => make_in(&std::env::temp_dir()),
        };
        made.map(Place).map_err(|error| Failed::State(error.into()))
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.join("state")
    }

    /// A project with this environment and nothing else.
    pub(super) fn project(&self, environment: &Source) -> Result<Project, StartError> {
        let root = &self.0;
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
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Makes a folder that is nobody else's.
fn make_in(folder: &Path) -> io::Result<PathBuf> {
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let path = folder.join(format!("sandbook-test-{}", hex::encode(name)));
    // It fails where something of that name is there.
    DirBuilder::new().mode(0o700).create(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_place() {
        let place = Place::new().unwrap();
        let folder = place.0.clone();
        fs::create_dir_all(place.state()).unwrap();
        assert!(folder.is_dir());
        drop(place);
        assert!(!folder.exists());
    }
}
