//! Where a registry keeps the images of one name.

use std::fmt;

use url::Url;

/// A repository: a registry and a name in it. Shown as `registry.example.com:5000/ops/purge`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    registry: Url,
    name: String,
}

impl Repository {
    /// The repository of this name, such as `ops/purge`, in the registry at this origin.
    pub fn new(registry: Url, name: impl Into<String>) -> Repository {
        Repository {
            registry,
            name: name.into(),
        }
    }

    /// The registry's host, with its port where it isn't the scheme's own.
    pub fn host(&self) -> String {
        let host = self.registry.host_str().unwrap_or_default();
        match self.registry.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The name in the registry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The registry's origin.
    pub(crate) fn registry(&self) -> &Url {
        &self.registry
    }

    /// What lies at `manifests/…`, `blobs/…`.
    pub(crate) fn url(&self, below: &str) -> Url {
        let mut url = self.registry.clone();
        url.set_path(&format!("/v2/{}/{below}", self.name));
        url.set_query(None);
        url
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host(), self.name)
    }
}
