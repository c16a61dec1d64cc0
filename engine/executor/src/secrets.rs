//! A project's secrets: names and values in a file that is encrypted with age.

mod identity;
mod sealed;

use std::error::Error;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sandbook_runbook::{CredentialName, NameFault};
use sandbook_sandbox::secret::{Secret, SecretError};

use self::identity::Identities;
pub(crate) use self::sealed::Entries;
use crate::project::Project;
use crate::replace::{self as replacing, folder_of, turn};

/// The file's name where the project says none.
const USUAL_FILE: &str = "secrets.age";

/// Where a project's secrets lie, and what opens them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    file: PathBuf,
    identity: PathBuf,
}

/// What became of a value that was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// There was another one of this name.
    pub replaced: bool,
    /// The identity was made for it: there was none.
    pub made_identity: bool,
}

/// Why secrets can't be read or written. Names places, never values.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Nothing says where the identity would be.
    #[error("there is no place for an age identity: neither XDG_CONFIG_HOME nor HOME is set")]
    NoPlace,
    /// There is no such file.
    #[error("there is no secrets file `{0}`")]
    NoFile(PathBuf),
    /// There is no identity.
    #[error("there is no age identity `{0}`, which opens the secrets")]
    NoIdentity(PathBuf),
    /// The identity's file can't be used.
    #[error("the age identity can't be used")]
    Identity(#[source] SecretError),
    /// A line of it is no identity.
    #[error("line {line} of `{path}` is not an age identity (`AGE-SECRET-KEY-1…`)")]
    NotAnIdentity {
        /// The identity's file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A file can't be read.
    #[error("`{path}` can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file can't be written. What was there before still is.
    #[error("`{path}` can't be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can change the secrets file.
    #[error(
        "the secrets file `{file}` has mode {mode:04o}: others than its owner can change it (`chmod go-w`)"
    )]
    Exposed {
        /// The secrets file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The secrets file is empty, cut short, changed, or something else.
    #[error("the secrets file `{file}` is no whole age file")]
    Damaged {
        /// The secrets file.
        file: PathBuf,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The secrets file is encrypted to somebody else.
    #[error("the secrets file `{file}` can't be opened with `{identity}`")]
    Sealed {
        /// The secrets file.
        file: PathBuf,
        /// The identity's file.
        identity: PathBuf,
        /// Why.
        source: age::DecryptError,
    },
    /// It is encrypted to several, and would be lost to the others.
    #[error("the secrets file `{0}` is encrypted to others too, who could not read it afterwards")]
    Shared(PathBuf),
    /// What is in it are no names and texts.
    #[error("the secrets file `{file}` holds something else than names with texts{}", at(*.line))]
    Contents {
        /// The secrets file.
        file: PathBuf,
        /// The line of its content, where that is known.
        line: Option<usize>,
    },
    /// It doesn't fit into what is read.
    #[error("the secrets file `{0}` is too large")]
    Large(PathBuf),
    /// It has no such name.
    #[error("there is no secret `{name}` in `{file}`")]
    Unknown {
        /// The name.
        name: String,
        /// The secrets file.
        file: PathBuf,
    },
    /// A value can't be a secret.
    #[error(transparent)]
    Value(#[from] SecretError),
    /// A text is no name.
    #[error(transparent)]
    Name(#[from] NameFault),
    /// What was encrypted could not be opened again. Nothing was written.
    #[error("what was encrypted can't be opened again; nothing was written")]
    Unproven,
}

fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", at its line {line}"))
}

impl Secrets {
    /// The secrets of a project. The identity is the one that `$SANDBOOK_AGE_IDENTITY` names, else the project, else
    /// `sandbook/age-identity` in the user's configuration.
    ///
    /// # Errors
    ///
    /// The user has no configuration folder.
    pub fn of(project: &Project) -> Result<Secrets, SecretsError> {
        let (file, identity) = project.secrets();
        Ok(Secrets {
            file: file.unwrap_or_else(|| project.root().join(USUAL_FILE)),
            identity: identity::place(identity)?,
        })
    }

    /// The encrypted file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file with the identity that opens it.
    pub fn identity(&self) -> &Path {
        &self.identity
    }

    /// The names of the secrets, in their order.
    ///
    /// # Errors
    ///
    /// The file isn't there or can't be opened.
    pub fn names(&self) -> Result<Vec<String>, SecretsError> {
        Ok(self.open()?.names().map(str::to_owned).collect())
    }

    /// Sets a value. The first one makes the file, and an identity where there is none.
    ///
    /// # Errors
    ///
    /// The name is none, or the files can't be read or written; they are as they were then.
    pub fn set(&self, name: &str, value: &Secret) -> Result<Stored, SecretsError> {
        let name = CredentialName::new(name)?;
        let _lock = self.lock()?;
        let is_new = !self.file.exists();
        let made_identity = is_new && !self.identity.exists();
        let identities = if made_identity {
            Identities::new()
        } else {
            Identities::read(&self.identity)?
        };
        let mut entries = if is_new {
            Entries::default()
        } else {
            let opened = sealed::open(self, &identities)?;
            opened.refuse_shared(&self.file)?;
            opened.entries
        };
        let replaced = entries.set(name.as_str(), value);
        let sealed = sealed::seal(&entries, &identities)?;
        if made_identity {
            identities.write(&self.identity)?;
        }
        replace(&self.file, &sealed, 0o600)?;
        Ok(Stored {
            replaced,
            made_identity,
        })
    }

    /// Makes another identity, and encrypts the secrets to it alone. The former ones stay in the identity's file, below
    /// the new one: other projects may need them, and so does whoever finds the secrets file as it was.
    ///
    /// # Errors
    ///
    /// The files can't be read or written. Whatever happens, the secrets file can be opened with the identity's file.
    pub fn rotate(&self) -> Result<(), SecretsError> {
        let _lock = self.lock()?;
        let mut identities = Identities::read(&self.identity)?;
        let opened = sealed::open(self, &identities)?;
        opened.refuse_shared(&self.file)?;
        identities.renew();
        let sealed = sealed::seal(&opened.entries, &identities)?;
        // First what opens both, then what it opens.
        identities.write(&self.identity)?;
        replace(&self.file, &sealed, 0o600)
    }

    /// What is in the file.
    pub(crate) fn open(&self) -> Result<Entries, SecretsError> {
        let identities = Identities::read(&self.identity);
        if !self.file.exists() {
            return Err(SecretsError::NoFile(self.file.clone()));
        }
        Ok(sealed::open(self, &identities?)?.entries)
    }

    /// One at a time changes the file.
    fn lock(&self) -> Result<File, SecretsError> {
        turn(&self.file).map_err(|source| SecretsError::Read {
            path: folder_of(&self.file).to_owned(),
            source,
        })
    }
}

/// Puts a file with these bytes in the place of whatever is there.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SecretsError> {
    replacing::replace(path, bytes, mode).map_err(|source| SecretsError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
