//! Room on the state directory's disk. Below a mark nothing is started any more, and a reserve that was made
//! beforehand is given back to the disk, so that what runs can be put on record to its end.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sandbook_journal::{RESERVE, StateDir, StateDirError};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::failed::Failed;

/// With less than so many bytes left nothing is started.
const MARK: u64 = 64 * MIB;

const MIB: u64 = 1024 * 1024;

/// How often it is looked how much room there is.
const LOOK: Duration = Duration::from_millis(250);

/// There is too little room on the disk that holds the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the disk of the state directory `{}` has {} MiB left, and nothing is started with less than {} MiB",
    .directory.display(), .free / MIB, .needed / MIB
)]
pub struct NoSpace {
    /// The state directory.
    pub directory: PathBuf,
    /// How many bytes are left.
    pub free: u64,
    /// How many bytes have to be left.
    pub needed: u64,
}

/// Says how many bytes are left.
pub(crate) trait Disk: Send + Sync {
    fn free_space(&self) -> Result<u64, StateDirError>;
}

impl Disk for StateDir {
    fn free_space(&self) -> Result<u64, StateDirError> {
        StateDir::free_space(self)
    }
}

/// A state directory, and the disk that it is on.
#[derive(Clone)]
pub(crate) struct Room {
    state: StateDir,
    disk: Arc<dyn Disk>,
}

/// Watches a disk for as long as a run goes on.
pub(crate) struct Space {
    shortage: Arc<OnceLock<NoSpace>>,
    looking: JoinHandle<()>,
}

impl Room {
    /// The room that a state directory has; `disk` says so in its place where there is one.
    pub(crate) fn new(state: StateDir, disk: Option<Arc<dyn Disk>>) -> Room {
        let disk = disk.unwrap_or_else(|| Arc::new(state.clone()));
        Room { state, disk }
    }

    /// Makes the reserve where there is none and there is enough room for it.
    pub(crate) fn keep_reserve(&self) -> Result<(), Failed> {
        match self.disk.free_space() {
            Ok(free) if free >= MARK + RESERVE => self
                .state
                .make_reserve()
                .map_err(|error| Failed::State(error.into())),
            _ => Ok(()),
        }
    }

    /// Whether there is room to start something. A disk that can't be asked is no reason to stop.
    pub(crate) fn suffices(&self) -> Result<(), NoSpace> {
        match self.disk.free_space() {
            Ok(free) if free < MARK => Err(NoSpace {
                directory: self.state.path().to_owned(),
                free,
                needed: MARK,
            }),
            _ => Ok(()),
        }
    }
}

impl Space {
    /// Looks at once, and then every now and then; gives the reserve back when there is too little room.
    pub(crate) fn watch(room: Room) -> Space {
        let shortage = Arc::new(OnceLock::new());
        let told = Arc::clone(&shortage);
        let look = move || {
            room.suffices().map_err(|no_space| {
                room.state.release_reserve();
                told.get_or_init(|| no_space);
            })
        };
        let mut suffices = look();
        let looking = tokio::spawn(async move {
            while suffices.is_ok() {
                sleep(LOOK).await;
                suffices = look();
            }
        });
        Space { shortage, looking }
    }

    /// What was seen when there was too little room, for the rest of the run; it costs next to nothing to ask.
    pub(crate) fn shortage(&self) -> Option<&NoSpace> {
        self.shortage.get()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

#[cfg(test)]
mod tests;
