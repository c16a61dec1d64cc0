//! The age identities that open a project's secrets.

use std::env;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use sandbook_sandbox::secret::{self, SecretError};
use zeroize::Zeroizing;

use super::SecretsError;
use super::replace;

/// The variable that names the identity's file.
const VARIABLE: &str = "SANDBOOK_AGE_IDENTITY";

/// One or several; the first is encrypted to.
pub(super) struct Identities {
    first: Identity,
    others: Vec<Identity>,
    /// The file's text, with its comments.
    text: Zeroizing<String>,
}

/// Where the identity is: as the variable says, else the project, else the user's configuration.
pub(super) fn place(said: Option<PathBuf>) -> Result<PathBuf, SecretsError> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    // The XDG specification has relative paths ignored.
    let usual = || {
        variable("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| Some(variable("HOME")?.join(".config")))
            .map(|config| config.join("sandbook/age-identity"))
    };
    variable(VARIABLE)
        .or(said)
        .or_else(usual)
        .ok_or(SecretsError::NoPlace)
}

impl Identities {
    /// A new one.
    pub(super) fn new() -> Identities {
        let first = Identity::generate();
        let text = line_of(&first);
        Identities {
            first,
            others: Vec::new(),
            text,
        }
    }

    /// Those in a file, which others must not be able to read.
    pub(super) fn read(path: &Path) -> Result<Identities, SecretsError> {
        let text = secret::from_file(path).map_err(|error| match error {
            SecretError::Unreadable { ref source, .. }
                if source.kind() == io::ErrorKind::NotFound =>
            {
                SecretsError::NoIdentity(path.to_owned())
            }
            error => SecretsError::Identity(error),
        })?;
        let mut identities = Vec::new();
        for (index, line) in text.expose().lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let identity = line.parse().map_err(|_| SecretsError::NotAnIdentity {
                path: path.to_owned(),
                line: index + 1,
            })?;
            identities.push(identity);
        }
        if identities.is_empty() {
            return Err(SecretsError::NotAnIdentity {
                path: path.to_owned(),
                line: 1,
            });
        }
        let first = identities.remove(0);
        Ok(Identities {
            first,
            others: identities,
            text: joined(&[text.expose(), "\n"]),
        })
    }

    /// Puts a new one before those that are there.
    pub(super) fn renew(&mut self) {
        let new = Identity::generate();
        self.text = joined(&[&line_of(&new), &self.text]);
        let former = std::mem::replace(&mut self.first, new);
        self.others.insert(0, former);
    }

    /// Writes them, for their owner alone.
    pub(super) fn write(&self, path: &Path) -> Result<(), SecretsError> {
        if let Some(folder) = path.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| SecretsError::Write {
                path: folder.to_owned(),
                source,
            })?;
        }
        replace(path, self.text.as_bytes(), 0o600)
    }

    pub(super) fn recipient(&self) -> age::x25519::Recipient {
        self.first.to_public()
    }

    pub(super) fn first(&self) -> &dyn age::Identity {
        &self.first
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &dyn age::Identity> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .map(|identity| identity as &dyn age::Identity)
    }
}

fn line_of(identity: &Identity) -> Zeroizing<String> {
    let comment = format!("# public key: {}\n", identity.to_public());
    joined(&[&comment, identity.to_string().expose_secret(), "\n"])
}

/// Room for all of it at once: a text that grows leaves copies behind.
fn joined(parts: &[&str]) -> Zeroizing<String> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    for part in parts {
        text.push_str(part);
    }
    text
}
