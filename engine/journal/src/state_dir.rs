//! The state directory: the journal, the key, contents by digest, and which runs are alive.

mod blobs;
mod key;
mod lock;
mod private;
mod queue;
mod reserve;
mod secret;
mod sweep;

use std::io;
use std::path::{Path, PathBuf};

pub use self::key::StateKey;
pub use self::lock::RunLock;
pub use self::queue::Ticket;
pub use self::reserve::RESERVE;
use crate::digest::Digest;
use crate::signing::SigningKey;
use crate::store::{StoreError, ledger_has_begun};

/// A directory that only its owner can look into.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
    key: StateKey,
}

impl StateDir {
    /// Opens the directory; makes it, and the key in it, where there is none.
    ///
    /// # Errors
    ///
    /// When it can't be made or written, belongs to another user, or can be read or written by others.
    pub fn open(path: &Path) -> Result<StateDir, StateDirError> {
        private::make_directory(path)?;
        for part in ["blobs", "blobs/sha256", "runs"] {
            private::make_directory(&path.join(part))?;
        }
        Ok(StateDir {
            path: path.to_owned(),
            key: key::read_or_make(path)?,
        })
    }

    /// Opens a directory that is there, and makes nothing in it.
    ///
    /// # Errors
    ///
    /// When it or its key isn't there, belongs to another user, or can be read or written by others.
    pub fn open_existing(path: &Path) -> Result<StateDir, StateDirError> {
        private::refuse_missing(path)?;
        Ok(StateDir {
            path: path.to_owned(),
            key: key::read(path)?,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's own key, made at first use.
    #[must_use]
    pub fn key(&self) -> &StateKey {
        &self.key
    }

    /// The key that signs the ledger of runs, made at first use: the file `signing-key`. Once there is a ledger, none
    /// is made any more: what it vouched for would be vouched for by nobody.
    ///
    /// # Errors
    ///
    /// When it can't be read or made, isn't a key, is open to others, or is missing.
    pub fn signing_key(&self) -> Result<SigningKey, StateDirError> {
        match self.existing_signing_key() {
            Err(StateDirError::NoSigningKey { .. }) => {}
            read => return read,
        }
        let has_begun = ledger_has_begun(&self.journal_path());
        if has_begun.map_err(|error| StateDirError::Ledger(Box::new(error)))? {
            // Who began it meanwhile has made the key before.
            return self.existing_signing_key();
        }
        let seed = secret::read_or_make(&self.signing_key_path())?;
        Ok(SigningKey::from_seed(&seed))
    }

    /// The same key; none is made.
    ///
    /// # Errors
    ///
    /// When it is missing, can't be read, isn't a key, or is open to others.
    pub fn existing_signing_key(&self) -> Result<SigningKey, StateDirError> {
        let path = self.signing_key_path();
        match secret::read_if_there(&path)? {
            Some(seed) => Ok(SigningKey::from_seed(&seed)),
            None => Err(StateDirError::NoSigningKey { path }),
        }
    }

    fn signing_key_path(&self) -> PathBuf {
        self.path.join("signing-key")
    }

    /// Where the journal's database is.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.db")
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.path.join("blobs/sha256").join(digest.hex())
    }
}

/// The state directory can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// A directory can't be made.
    #[error("can't make the directory `{path}`")]
    MakeDirectory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is something else in its place.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// What is there.
        path: PathBuf,
    },
    /// A file or directory can't be read.
    #[error("can't read `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file can't be written.
    #[error("can't write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can get at it.
    #[error("`{path}` is open to others (mode {mode:o}): run `chmod {wanted:o} {path}`")]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// The mode that it has.
        mode: u32,
        /// The mode that it should have.
        wanted: u32,
    },
    /// It belongs to another user.
    #[error(
        "`{path}` belongs to user {owner} and not to you (user {you}): run as that user, or name another directory"
    )]
    NotYours {
        /// The file or directory.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// The number of who asks.
        you: u32,
    },
    /// The key isn't one.
    #[error("`{path}` holds {found} bytes, not the 32 of a key: put back the one that was there")]
    Key {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        found: usize,
    },
    /// The key that signs is gone, and there is a ledger that it has signed.
    #[error("`{path}` is missing: put back the one that was there")]
    NoSigningKey {
        /// The file.
        path: PathBuf,
    },
    /// Whether there is a ledger can't be told.
    #[error("the journal can't be looked at before a key is made for it")]
    Ledger(#[source] Box<StoreError>),
    /// A content isn't there.
    #[error("`{digest}` is not in the state directory")]
    NoBlob {
        /// What was asked for.
        digest: Digest,
    },
    /// A content isn't what its name says.
    #[error("`{path}` was altered: its digest is `{found}`")]
    AlteredBlob {
        /// The file.
        path: PathBuf,
        /// What it really holds.
        found: Digest,
    },
    /// The system gave no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] crate::run_id::NoRandomness),
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::run_id::RunId;

    fn state() -> (tempfile::TempDir, StateDir) {
        let above = tempfile::tempdir().unwrap();
        let state = StateDir::open(&above.path().join("deep/state")).unwrap();
        (above, state)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn nobody_else_can_look_into_it() {
        let (_above, state) = state();
        let digest = state.put_blob(b"text").unwrap();
        let id = RunId::random().unwrap();
        let _lock = state.lock_run(id).unwrap().unwrap();
        for directory in ["", "blobs", "blobs/sha256", "runs"] {
            assert_eq!(mode(&state.path().join(directory)), 0o700, "{directory}");
        }
        for file in [
            "key".to_owned(),
            format!("blobs/sha256/{}", digest.hex()),
            format!("runs/{id}.lock"),
        ] {
            assert_eq!(mode(&state.path().join(&file)), 0o600, "{file}");
        }
    }

    #[test]
    fn what_is_open_to_others_is_refused_and_the_message_says_how_to_mend_it() {
        let (_above, state) = state();
        let path = state.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o750)).unwrap();
        let message = StateDir::open(path).unwrap_err().to_string();
        assert!(
            message.ends_with(&format!("run `chmod 700 {}`", path.display())),
            "{message}"
        );
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        let key = path.join("key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let message = StateDir::open(path).unwrap_err().to_string();
        assert!(
            message.ends_with(&format!("run `chmod 600 {}`", key.display())),
            "{message}"
        );
    }

    #[test]
    fn a_place_that_is_taken_is_named() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("file");
        fs::write(&path, "").unwrap();
        assert!(matches!(
            StateDir::open(&path),
            Err(StateDirError::NotADirectory { .. })
        ));
        let below = StateDir::open(&path.join("state")).unwrap_err().to_string();
        assert!(below.contains("file/state"), "{below}");
    }

    #[test]
    fn the_key_stays_the_same_and_two_who_make_it_agree() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("state");
        let digests: Vec<_> = std::thread::scope(|scope| {
            let open = || StateDir::open(&path).unwrap().key().digest(b"x");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(digests.iter().all(|digest| *digest == digests[0]));
        assert_eq!(fs::read(path.join("key")).unwrap().len(), 32);
        assert_eq!(
            fs::read_dir(&path).unwrap().count(),
            3,
            "no temporary file is left"
        );
    }

    #[test]
    fn a_signing_key_is_made_only_while_nothing_was_signed() {
        let place = crate::samples::Place::new();
        let path = place.state.path().join("signing-key");
        let make = || place.state.signing_key().map(|key| key.public());
        let lost = make().unwrap();
        fs::remove_file(&path).unwrap();
        let journal = place.journal();
        assert_ne!(make().unwrap(), lost);
        let run = RunId::random().unwrap();
        let started = crate::samples::started(&[]);
        journal.append_blocking(run, vec![started.into()]).unwrap();
        fs::remove_file(&path).unwrap();
        let said = make().unwrap_err().to_string();
        assert!(
            said.contains("signing-key` is missing: put back the one"),
            "{said}"
        );
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_that_has_to_be_there_is_left_as_it_is() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("state");
        assert!(StateDir::open_existing(&path).is_err());
        assert!(!path.exists());
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(StateDir::open_existing(&path).is_err());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_short_key_is_refused() {
        let (_above, state) = state();
        fs::write(state.path().join("key"), "short").unwrap();
        assert!(matches!(
            StateDir::open(state.path()),
            Err(StateDirError::Key { found: 5, .. })
        ));
    }

    #[test]
    fn a_blob_is_what_was_put_or_an_error() {
        let (_above, state) = state();
        let digest = state.put_blob(b"text").unwrap();
        assert_eq!(state.put_blob(b"text").unwrap(), digest);
        assert_eq!(state.blob(&digest).unwrap(), b"text");
        let other = Digest::of(b"other");
        assert!(
            matches!(state.blob(&other), Err(StateDirError::NoBlob { digest }) if digest == other)
        );
        fs::write(state.blob_path(&digest), "test").unwrap();
        assert!(matches!(
            state.blob(&digest),
            Err(StateDirError::AlteredBlob { .. })
        ));
    }

    #[test]
    fn a_run_is_alive_as_long_as_its_lock() {
        let (_above, state) = state();
        let id = RunId::random().unwrap();
        assert!(!state.is_live(id).unwrap());
        let lock = state.lock_run(id).unwrap().unwrap();
        assert!(state.is_live(id).unwrap());
        assert!(state.lock_run(id).unwrap().is_none());
        drop(lock);
        assert!(!state.is_live(id).unwrap());
        assert!(state.lock_run(id).unwrap().is_some());
    }
}
