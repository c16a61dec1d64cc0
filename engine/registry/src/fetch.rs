//! Fetching a component, with the signatures that its source has of it.

use url::Url;

use crate::cosign;
use crate::credentials::Credentials;
use crate::digest::Digest;
use crate::error::FetchError;
use crate::image::{MANIFEST, Manifest, ManifestFault};
use crate::limits::Limits;
use crate::repository::Repository;
use crate::session::{Right, Session};
use crate::signature::Signature;
use crate::web::{Web, shown};

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file behind a URL.
    File(Url),
    /// An image of a registry.
    Image {
        /// Whose.
        repository: Repository,
        /// Which one.
        version: Version,
    },
}

/// Which image of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// The one that has this tag now.
    Tag(String),
    /// The one whose manifest has this digest.
    Digest(Digest),
}

impl Version {
    /// Where its manifest lies in the repository.
    fn place(&self) -> String {
        match self {
            Version::Tag(tag) => format!("manifests/{tag}"),
            Version::Digest(digest) => format!("manifests/{digest}"),
        }
    }
}

/// Which kinds of signatures are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Those of minisign.
    pub minisign: bool,
    /// Those of cosign.
    pub cosign: bool,
}

/// A component as it was fetched. Nothing is known of it yet but that it is what its source calls so.
#[derive(Debug)]
pub struct Fetched {
    /// The component.
    pub bytes: Vec<u8>,
    /// Of an image, the digest of its manifest.
    pub manifest: Option<Digest>,
    /// The signatures that there are, of the kinds that were looked for. None of them is verified.
    pub signatures: Vec<Signature>,
}

/// Fetches and publishes components.
#[derive(Debug)]
pub struct Fetcher {
    pub(crate) web: Web,
    pub(crate) credentials: Credentials,
}

/// How a file is asked for.
const ANY: &str = "*/*";

impl Fetcher {
    /// One that is these to registries, and fetches no more than this.
    pub fn new(credentials: Credentials, limits: Limits) -> Fetcher {
        Fetcher {
            web: Web::new(limits),
            credentials,
        }
    }

    /// Who one is to registries.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Fetches what its source has now, with signatures.
    ///
    /// # Errors
    ///
    /// It can't be had, is too large, or isn't what a component's source should have.
    pub async fn fetch(&self, source: &Source, kinds: Kinds) -> Result<Fetched, FetchError> {
        self.in_time(source, async {
            match source {
                Source::File(url) => self.file(url, kinds).await,
                Source::Image {
                    repository,
                    version,
                } => self.image(repository, version, kinds).await,
            }
        })
        .await
    }

    /// Fetches the very component that has this digest, without signatures.
    ///
    /// # Errors
    ///
    /// It can't be had, or its source has something else now.
    pub async fn fetch_pinned(
        &self,
        source: &Source,
        wanted: &Digest,
    ) -> Result<Vec<u8>, FetchError> {
        self.in_time(source, async {
            let (url, bytes) = match source {
                Source::File(url) => (url.clone(), self.file(url, Kinds::default()).await?.bytes),
                Source::Image { repository, .. } => {
                    let mut session = self.session(repository, Right::Pull);
                    let place = format!("blobs/{wanted}");
                    let blob = session.get(&place, ANY).await?;
                    (
                        repository.url(&place),
                        blob.bytes(self.web.limits.component).await?,
                    )
                }
            };
            same(&url, &bytes, wanted)?;
            Ok(bytes)
        })
        .await
    }

    /// The digest of the manifest that a source has now; none of a file.
    ///
    /// # Errors
    ///
    /// It can't be had, or isn't what an image of a component should have.
    pub async fn resolve(&self, source: &Source) -> Result<Option<Digest>, FetchError> {
        let Source::Image {
            repository,
            version,
        } = source
        else {
            return Ok(None);
        };
        self.in_time(source, async {
            let mut session = self.session(repository, Right::Pull);
            let place = version.place();
            let text = session
                .get(&place, MANIFEST)
                .await?
                .bytes(self.web.limits.document)
                .await?;
            Ok(Some(Digest::of(&text)))
        })
        .await
    }

    pub(crate) fn session<'a>(&'a self, repository: &'a Repository, right: Right) -> Session<'a> {
        Session::new(&self.web, &self.credentials, repository, right)
    }

    /// What takes no longer than it may.
    pub(crate) async fn in_time<T>(
        &self,
        source: &Source,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let whole = self.web.limits.whole;
        tokio::time::timeout(whole, work).await.unwrap_or_else(|_| {
            Err(FetchError::Slow {
                of: match source {
                    Source::File(url) => shown(url),
                    Source::Image { repository, .. } => repository.to_string(),
                },
                seconds: whole.as_secs(),
            })
        })
    }

    async fn file(&self, url: &Url, kinds: Kinds) -> Result<Fetched, FetchError> {
        let limits = &self.web.limits;
        let answer = self.web.get(url, ANY, None).await?.success().await?;
        if let Some(kind) = answer.page() {
            return Err(FetchError::Page {
                url: shown(url),
                kind,
            });
        }
        let bytes = answer.bytes(limits.component).await?;
        let mut signatures = Vec::new();
        for (is_wanted, ending, signature) in [
            (
                kinds.minisign,
                "minisig",
                Signature::Minisign as fn(String) -> Signature,
            ),
            (kinds.cosign, "sig", Signature::Blob),
        ] {
            if is_wanted && let Some(text) = self.beside(url, ending).await? {
                signatures.push(signature(text));
            }
        }
        Ok(Fetched {
            bytes,
            manifest: None,
            signatures,
        })
    }

    /// The text of a signature that lies beside a file; none where there is none.
    async fn beside(&self, url: &Url, ending: &str) -> Result<Option<String>, FetchError> {
        let mut place = url.clone();
        place.set_path(&format!("{}.{ending}", url.path()));
        match self.web.get(&place, ANY, None).await?.success().await {
            // A service that has a page for whatever isn't there has no signature either.
            Ok(answer) if answer.page().is_some() => Ok(None),
            Ok(answer) => {
                let bytes = answer.bytes(self.web.limits.signature).await?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn image(
        &self,
        repository: &Repository,
        version: &Version,
        kinds: Kinds,
    ) -> Result<Fetched, FetchError> {
        let limits = &self.web.limits;
        let mut session = self.session(repository, Right::Pull);
        let place = version.place();
        let shown = match version {
            Version::Tag(tag) => format!("{repository}:{tag}"),
            Version::Digest(digest) => format!("{repository}@{digest}"),
        };
        let image = |source: ManifestFault| FetchError::Image {
            image: shown.clone(),
            source,
        };
        let text = session
            .get(&place, MANIFEST)
            .await?
            .bytes(limits.document)
            .await?;
        let digest = Digest::of(&text);
        if let Version::Digest(wanted) = version {
            same(&repository.url(&place), &text, wanted)?;
        }
        let manifest = Manifest::read(&text).map_err(image)?;
        let place = format!("blobs/{}", manifest.component);
        if manifest.size > limits.component as u64 {
            return Err(FetchError::Large {
                url: repository.url(&place).to_string(),
                limit: limits.component,
            });
        }
        let bytes = session
            .get(&place, ANY)
            .await?
            .bytes(limits.component)
            .await?;
        same(&repository.url(&place), &bytes, &manifest.component)?;
        if bytes.len() as u64 != manifest.size {
            return Err(image(ManifestFault::Size {
                found: bytes.len(),
                said: manifest.size,
            }));
        }
        let mut signatures = Vec::new();
        if kinds.cosign {
            let manifest = String::from_utf8_lossy(&text).into_owned();
            signatures.extend(cosign::of_image(&mut session, &digest, &manifest).await?);
        }
        if kinds.minisign {
            signatures.extend(manifest.minisig.map(Signature::Minisign));
        }
        Ok(Fetched {
            bytes,
            manifest: Some(digest),
            signatures,
        })
    }
}

pub(crate) fn same(url: &Url, bytes: &[u8], wanted: &Digest) -> Result<(), FetchError> {
    let found = Digest::of(bytes);
    if found == *wanted {
        return Ok(());
    }
    Err(FetchError::Other {
        url: shown(url),
        found,
        wanted: *wanted,
    })
}

#[cfg(test)]
#[path = "fetch/tests.rs"]
mod tests;
