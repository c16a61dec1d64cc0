//! Who one is to a registry: what `docker login` has written down.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Credentials of registries, by host.
#[derive(Default)]
pub struct Credentials {
    /// What stands after `Basic ` in the header field.
    basic: BTreeMap<String, Zeroizing<String>>,
    /// The hosts whose credentials another program keeps.
    helped: Vec<String>,
    /// Whether another program keeps those of all other hosts.
    all_helped: bool,
}

/// Why what `docker login` has written can't be used. Nothing of its content is shown.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file can't be read.
    #[error("the credentials of registries, `{path}`, can't be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It isn't what docker writes.
    #[error("the credentials of registries, `{0}`, are not what `docker login` writes")]
    Shape(PathBuf),
}

/// Where docker keeps what it is told: `config.json` in `$DOCKER_CONFIG`, else in `.docker` of the user's home.
pub fn docker_config() -> Option<PathBuf> {
    let folder = |variable| {
        std::env::var_os(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let place = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
    Some(place?.join("config.json"))
}

impl Credentials {
    /// Reads docker's file; where it isn't, there are none.
    ///
    /// # Errors
    ///
    /// It is there, and can't be read or understood.
    pub fn read(path: &Path) -> Result<Credentials, CredentialsError> {
        let unreadable = |source| CredentialsError::Read {
            path: path.to_owned(),
            source,
        };
        let shape = || CredentialsError::Shape(path.to_owned());
        let metadata = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Credentials::default());
            }
            metadata => metadata.map_err(unreadable)?,
        };
        // A pipe or a device may never end.
        if !metadata.is_file() || metadata.len() > LARGEST {
            return Err(shape());
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(unreadable)?);
        let wire: Wire = serde_json::from_slice(&bytes).map_err(|_| shape())?;
        let mut credentials = Credentials {
            all_helped: !wire.store.is_empty(),
            helped: wire.helpers.into_keys().collect(),
            ..Credentials::default()
        };
        for (place, entry) in wire.auths {
            if let Some(basic) = entry.basic() {
                credentials.basic.insert(host(&place).to_owned(), basic);
            }
        }
        Ok(credentials)
    }

    /// The header field for a host, such as `registry.example.com:5000`.
    pub(crate) fn basic(&self, host: &str) -> Option<HeaderValue> {
        let basic = Zeroizing::new(format!("Basic {}", self.basic.get(host)?.as_str()));
        let mut value = HeaderValue::from_str(&basic).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether another program would know credentials for this host. It isn't asked.
    pub fn are_kept_elsewhere(&self, host: &str) -> bool {
        !self.basic.contains_key(host)
            && (self.all_helped || self.helped.iter().any(|known| known == host))
    }
}

/// Shows whose credentials there are, and none of them.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.basic.keys()).finish()
    }
}

/// Docker writes a host, or a URL on it.
fn host(place: &str) -> &str {
    let place = place.split_once("://").map_or(place, |(_, rest)| rest);
    place.split('/').next().unwrap_or(place)
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    auths: BTreeMap<String, WireEntry>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: String,
}

#[derive(Deserialize)]
struct WireEntry {
    #[serde(default)]
    auth: Zeroizing<String>,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Zeroizing<String>,
}

impl WireEntry {
    fn basic(self) -> Option<Zeroizing<String>> {
        if !self.auth.is_empty() {
            let is_pair = BASE64_STANDARD
                .decode(self.auth.as_bytes())
                .map(Zeroizing::new)
                .is_ok_and(|pair| pair.contains(&b':'));
            return is_pair.then_some(self.auth);
        }
        if self.username.is_empty() {
            return None;
        }
        let pair = Zeroizing::new(format!("{}:{}", self.username, self.password.as_str()));
        Some(Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Credentials, CredentialsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Credentials::read(&path)
    }

    #[test]
    fn what_docker_wrote_is_found_by_host() {
        let pair = BASE64_STANDARD.encode("ana:hunter22");
        let credentials = read(&format!(
            r#"{{"auths":{{"https://r.example.com/v1/":{{"auth":"{pair}"}},"h:5000":{{"username":"ana","password":"hunter22"}},"empty":{{}}}},
               "credHelpers":{{"cloud":"x"}},"other":1}}"#
        ))
        .unwrap();
        for host in ["r.example.com", "h:5000"] {
            let value = credentials.basic(host).unwrap();
            assert_eq!(value.to_str().unwrap(), format!("Basic {pair}"));
            assert!(value.is_sensitive());
        }
        for host in ["example.com", "h", "empty", "evil.r.example.com"] {
            assert_eq!(credentials.basic(host), None, "{host}");
        }
        assert!(credentials.are_kept_elsewhere("cloud"));
        assert!(!credentials.are_kept_elsewhere("empty"));
        let shown = format!("{credentials:?}");
        assert!(
            !shown.contains("hunter") && !shown.contains(&pair),
            "{shown}"
        );
    }

    #[test]
    fn where_there_is_no_file_there_are_none_and_a_damaged_one_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let none = Credentials::read(&folder.path().join("config.json")).unwrap();
        assert_eq!(none.basic("h"), None);
        let error = read(r#"{"auths": {"h": {"auth": "hunter22""#).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter"));
        assert!(
            read(r#"{"credsStore":"desktop"}"#)
                .unwrap()
                .are_kept_elsewhere("h")
        );
    }
}
