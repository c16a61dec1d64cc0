//! Names and values, and their encrypted form.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor};
use sandbook_sandbox::secret::Secret;
use zeroize::Zeroizing;

use super::identity::Identities;
use super::{Secrets, SecretsError};

/// The largest secrets file, in bytes.
const LARGEST: u64 = 4 << 20;

/// Names and values. Every copy that is made of a value here is overwritten.
#[derive(Default, PartialEq)]
pub(crate) struct Entries(BTreeMap<String, Zeroizing<String>>);

/// An encrypted file that was opened.
pub(super) struct Opened {
    pub(super) entries: Entries,
    /// To how many it is encrypted.
    recipients: usize,
}

impl Entries {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there was another value.
    pub(super) fn set(&mut self, name: &str, value: &Secret) -> bool {
        let value = Zeroizing::new(value.expose().to_owned());
        self.0.insert(name.to_owned(), value).is_some()
    }

    /// The value of this name; `file` is where it was read.
    pub(crate) fn secret(&self, name: &str, file: &Path) -> Result<Secret, SecretsError> {
        let value = self.0.get(name).ok_or_else(|| SecretsError::Unknown {
            name: name.to_owned(),
            file: file.to_owned(),
        })?;
        let from = format!("the entry `{name}` of `{}`", file.display());
        Ok(Secret::from_bytes(value.as_bytes().to_vec(), &from)?)
    }

    /// As YAML, in double quotes throughout, so that nothing reads as something else than text.
    fn yaml(&self) -> Zeroizing<String> {
        const LONGEST_ESCAPE: usize = "\\U00000000".len();
        let characters: usize = self
            .0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let room = characters * LONGEST_ESCAPE + self.0.len() * "\"\": \"\"\n".len();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for (name, value) in &self.0 {
            for (before, part) in [("\"", name), ("\": \"", &**value)] {
                text.push_str(before);
                part.chars()
                    .for_each(|character| quote(character, &mut text));
            }
            text.push_str("\"\n");
        }
        text
    }
}

fn quote(character: char, text: &mut String) {
    match character {
        '"' | '\\' => {
            text.push('\\');
            text.push(character);
        }
        ' '..='~' => text.push(character),
        _ => {
            let _ = write!(text, "\\U{:08x}", u32::from(character));
        }
    }
}

impl Opened {
    pub(super) fn refuse_shared(&self, file: &Path) -> Result<(), SecretsError> {
        match self.recipients {
            0 | 1 => Ok(()),
            _ => Err(SecretsError::Shared(file.to_owned())),
        }
    }
}

/// Opens the secrets file.
pub(super) fn open(secrets: &Secrets, identities: &Identities) -> Result<Opened, SecretsError> {
    let read = |source| SecretsError::Read {
        path: secrets.file.clone(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(&secrets.file).map_err(read)?;
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(SecretsError::Exposed {
            file: secrets.file.clone(),
            mode,
        });
    }
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(read)?;
    if bytes.len() as u64 > LARGEST {
        return Err(SecretsError::Large(secrets.file.clone()));
    }
    let file = || secrets.file.clone();
    let damaged = |source| SecretsError::Damaged {
        file: file(),
        source,
    };
    if bytes.trim_ascii().is_empty() {
        return Err(damaged("it is empty".into()));
    }
    let bytes = without_armor(&bytes).map_err(|error| damaged(error.into()))?;
    let plain = decrypt(&bytes, identities.all()).map_err(|fault| match fault {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => SecretsError::Sealed {
            file: file(),
            identity: secrets.identity.clone(),
            source: fault,
        },
        DecryptError::Io(error) => damaged(error.into()),
        fault => damaged(fault.into()),
    })?;
    let entries = parse(&plain).map_err(|line| SecretsError::Contents {
        file: secrets.file.clone(),
        line,
    })?;
    Ok(Opened {
        entries,
        recipients: recipients(&bytes),
    })
}

/// The entries, encrypted to the first identity, and shown to open with it.
pub(super) fn seal(entries: &Entries, identities: &Identities) -> Result<Vec<u8>, SecretsError> {
    let sealed =
        encrypt(entries.yaml().as_bytes(), identities).map_err(|_| SecretsError::Unproven)?;
    let again = without_armor(&sealed)
        .ok()
        .and_then(|bytes| decrypt(&bytes, [identities.first()].into_iter()).ok())
        .and_then(|plain| parse(&plain).ok());
    match again {
        Some(again) if again == *entries => Ok(sealed),
        _ => Err(SecretsError::Unproven),
    }
}

fn encrypt(plain: &[u8], identities: &Identities) -> io::Result<Vec<u8>> {
    let recipient = identities.recipient();
    let recipients = std::iter::once(&recipient as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let mut sealed = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(plain)?;
    writer.finish()?.finish()?;
    Ok(sealed)
}

fn decrypt<'a>(
    bytes: &[u8],
    identities: impl Iterator<Item = &'a dyn age::Identity>,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    let mut reader = Decryptor::new_buffered(bytes)?.decrypt(identities)?;
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut plain)?;
    Ok(plain)
}

fn without_armor(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    ArmoredReader::new(bytes).read_to_end(&mut plain)?;
    Ok(plain)
}

/// To how many a file is encrypted: its header has a line for each, and some that mean nothing.
fn recipients(bytes: &[u8]) -> usize {
    bytes
        .split(|byte| *byte == b'\n')
        .take_while(|line| !line.starts_with(b"---"))
        .filter_map(|line| line.strip_prefix(b"-> "))
        .filter(|line| {
            let kind = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            !kind.ends_with(b"-grease")
        })
        .count()
}

/// Names with texts; else the line where something else is.
fn parse(plain: &[u8]) -> Result<Entries, Option<usize>> {
    if plain.trim_ascii().is_empty() {
        return Ok(Entries::default());
    }
    serde_yaml::from_slice(plain)
        .map(Entries)
        // What the error says may hold a value.
        .map_err(|error| error.location().map(|at| at.line()))
}
