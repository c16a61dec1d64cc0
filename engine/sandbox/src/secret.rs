//! Secrets, and where they come from.

mod helper;
mod vault;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{fs::OFlags, process::geteuid};
use zeroize::Zeroizing;

pub use helper::{Helper, HelperError};
pub use vault::{Login, Vault, VaultError};

/// The longest secret, in bytes.
pub const LONGEST: usize = 64 << 10;

/// The shortest secret, in bytes. A shorter one can't be told from ordinary text, so it could not
/// be redacted.
pub const SHORTEST: usize = 4;

/// A secret's plaintext: shown by nothing, overwritten when the last handle is dropped.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

/// Why a secret can't be had. Names its source, never its value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set.
    #[error("the environment variable `{0}` is not set")]
    Unset(String),
    /// The file can't be read.
    #[error("the secret file `{path}` can't be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is a directory, a pipe or a device.
    #[error("the secret file `{0}` is not a regular file")]
    NotAFile(PathBuf),
    /// The file is neither this user's nor root's: whoever owns it can read and change it.
    #[error(
        "the secret file `{path}` belongs to another user (uid {owner}): it has to be your own, or root's"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
    },
    /// Others than its owner can read or write the file.
    #[error(
        "the secret file `{path}` has mode {mode:04o}: others than its owner can read or write it (`chmod 600`)"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The source has nothing in it.
    #[error("the secret from {0} is empty")]
    Empty(String),
    /// It is too short to be redacted.
    #[error(
        "the secret from {0} is shorter than {SHORTEST} bytes: it could not be told from ordinary text"
    )]
    Short(String),
    /// It is longer than any secret.
    #[error("the secret from {0} is longer than {LONGEST} bytes")]
    Long(String),
    /// It is not UTF-8.
    #[error("the secret from {0} is not UTF-8 text")]
    NotText(String),
}

/// The secret in an environment variable.
///
/// # Errors
///
/// The variable isn't set, or what it holds can't be a secret.
pub fn from_env(name: &str) -> Result<Secret, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError::Unset(name.to_owned()))?;
    let from = format!("the environment variable `{name}`");
    Secret::from_bytes(value.into_encoded_bytes(), &from)
}

/// The secret in a file, without one line break at its end.
///
/// # Errors
///
/// The file can't be read or is none, it is another user's, others than its owner can read or write it, or what it
/// holds can't be a secret.
pub fn from_file(path: &Path) -> Result<Secret, SecretError> {
    let unreadable = |source| SecretError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(SecretError::NotAFile(path.to_owned()));
    }
    let owner = metadata.uid();
    if !is_trusted(owner, geteuid().as_raw()) {
        return Err(SecretError::Foreign {
            path: path.to_owned(),
            owner,
        });
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o066 != 0 {
        return Err(SecretError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
    file.take(LONGEST as u64 + 3)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = without_line_break(&bytes).to_vec();
    Secret::from_bytes(text, &format!("the file `{}`", path.display()))
}

/// Opens a file for reading. A pipe that nobody writes to is opened too, rather than waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// Whether a file of this owner's is nobody's but ours.
fn is_trusted(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

/// A secret that is written down where it is used, for a simulated cloud.
///
/// # Errors
///
/// The text is empty, too short or too long.
pub fn literal(text: &str) -> Result<Secret, SecretError> {
    Secret::from_bytes(text.as_bytes().to_vec(), "the environment's text")
}

/// The bytes without one line break at their end.
fn without_line_break(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"))
        .unwrap_or(bytes)
}

impl Secret {
    /// A secret that came from elsewhere; `from` names the source, as `the file `x`` does. The bytes are overwritten.
    ///
    /// # Errors
    ///
    /// They are too few or too many, or no text.
    pub fn from_bytes(bytes: Vec<u8>, from: &str) -> Result<Secret, SecretError> {
        let bytes = Zeroizing::new(bytes);
        match bytes.len() {
            0 => return Err(SecretError::Empty(from.to_owned())),
            length if length < SHORTEST => return Err(SecretError::Short(from.to_owned())),
            length if length > LONGEST => return Err(SecretError::Long(from.to_owned())),
            _ => {}
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText(from.to_owned()))?;
        Ok(Secret::of(text))
    }

    /// A secret that the host itself has made or was given, such as a token.
    pub(crate) fn of(text: &str) -> Secret {
        Secret(Arc::new(Zeroizing::new(text.to_owned())))
    }

    /// The plaintext. Whoever asks for it keeps it out of everything that is shown or stored.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn file(dir: &tempfile::TempDir, mode: u32, content: &[u8]) -> PathBuf {
        let path = dir.path().join("secret");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn one_line_break_at_the_end_of_a_file_is_not_part_of_it() {
        let dir = tempfile::tempdir().unwrap();
        for (content, secret) in [
            ("hunter22", "hunter22"),
            ("hunter22\n", "hunter22"),
            ("a b c\r\n", "a b c"),
            ("abcd\n\n", "abcd\n"),
        ] {
            let path = file(&dir, 0o600, content.as_bytes());
            assert_eq!(from_file(&path).unwrap().expose(), secret);
        }
    }

    #[test]
    fn a_file_that_others_can_read_or_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620, 0o602, 0o666] {
            let path = file(&dir, mode, b"hunter22");
            let error = from_file(&path).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{mode:04o}")) && error.contains("chmod 600"),
                "{error}"
            );
        }
        for mode in [0o600, 0o400, 0o700] {
            from_file(&file(&dir, mode, b"hunter22")).unwrap();
            fs::remove_file(dir.path().join("secret")).unwrap();
        }
    }

    #[test]
    fn a_file_of_another_users_is_refused() {
        assert!(is_trusted(0, 1000) && is_trusted(1000, 1000) && !is_trusted(1001, 1000));
        assert!(!is_trusted(1000, 0));
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, 0o600, b"hunter22");
        // Only root can give a file away.
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(65_534), None).unwrap();
            let error = from_file(&path).unwrap_err().to_string();
            assert!(error.contains("another user (uid 65534)"), "{error}");
        }
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (teller, listener) = std::sync::mpsc::channel();
        std::thread::spawn(move || teller.send(from_file(&path)));
        let read = listener.recv_timeout(std::time::Duration::from_secs(30));
        assert!(matches!(read.unwrap(), Err(SecretError::NotAFile(_))));
    }

    #[test]
    fn a_fault_names_the_source_and_never_the_value() {
        let dir = tempfile::tempdir().unwrap();
        for (content, says) in [
            (&b""[..], "empty"),
            (b"\n", "empty"),
            (b"abc\n", "shorter than 4"),
            (b"ab\xffcdef", "not UTF-8"),
        ] {
            let error = from_file(&file(&dir, 0o600, content))
                .unwrap_err()
                .to_string();
            assert!(error.contains(says) && error.contains("secret`"), "{error}");
            assert!(!error.contains("abc") && !error.contains("cdef"), "{error}");
        }
        assert!(
            from_file(&file(&dir, 0o600, &[b'x'; LONGEST + 5]))
                .unwrap_err()
                .to_string()
                .contains("longer")
        );
        assert!(matches!(
            from_file(dir.path()),
            Err(SecretError::NotAFile(_))
        ));
        assert!(matches!(
            from_file(&dir.path().join("none")),
            Err(SecretError::Unreadable { .. })
        ));
        assert!(matches!(
            from_env("SANDBOOK_NO_SUCH_VARIABLE"),
            Err(SecretError::Unset(_))
        ));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", literal("hunter22").unwrap()), "Secret(..)");
    }
}
