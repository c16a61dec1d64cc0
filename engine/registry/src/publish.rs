//! Publishing a component as an image.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use url::Url;

use crate::answer::Answer;
use crate::digest::Digest;
use crate::error::{FetchError, RedirectFault};
use crate::fetch::{Fetcher, Source, Version};
use crate::image::{MANIFEST, NewImage};
use crate::repository::Repository;
use crate::session::{Right, Session};
use crate::web::{leads_to, shown};

/// An image that is in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The digest of its manifest, by which it is signed.
    pub manifest: Digest,
    /// Whether it was there before.
    pub was_there: bool,
}

impl Fetcher {
    /// Puts a component into a repository, under a tag. One that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// The registry doesn't take it, or the tag is another image's and isn't to be replaced.
    pub async fn publish(
        &self,
        repository: &Repository,
        tag: &str,
        image: &NewImage,
        replace: bool,
    ) -> Result<Published, FetchError> {
        let source = Source::Image {
            repository: repository.clone(),
            version: Version::Tag(tag.to_owned()),
        };
        self.in_time(&source, self.put(repository, tag, image, replace))
            .await
    }

    async fn put(
        &self,
        repository: &Repository,
        tag: &str,
        image: &NewImage,
        replace: bool,
    ) -> Result<Published, FetchError> {
        let mut session = self.session(repository, Right::Push);
        let written = image.written();
        let manifest = Digest::of(&written.manifest);
        let place = format!("manifests/{tag}");
        let there = self.there(&mut session, &place).await?;
        if there.as_ref() == Some(&written.manifest) {
            return Ok(Published {
                manifest,
                was_there: true,
            });
        }
        if there.is_some() && !replace {
            return Err(FetchError::Taken {
                image: format!("{repository}:{tag}"),
            });
        }
        for blob in [&image.component, &written.config] {
            upload(&mut session, blob).await?;
        }
        let url = repository.url(&place);
        let put = session
            .request(Method::PUT, &url, |request| {
                request
                    .header(CONTENT_TYPE, MANIFEST)
                    .body(written.manifest.clone())
            })
            .await?;
        session.let_in(put).await?;
        // A registry that keeps something else keeps it under another digest, and signatures would be of nothing.
        if self.there(&mut session, &place).await?.as_ref() != Some(&written.manifest) {
            return Err(FetchError::Protocol {
                url: shown(&url),
                what: "it keeps another manifest than it was given",
            });
        }
        Ok(Published {
            manifest,
            was_there: false,
        })
    }

    /// The manifest at this place; what is too large for one counts as another one.
    async fn there(
        &self,
        session: &mut Session<'_>,
        place: &str,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        match session.get(place, MANIFEST).await {
            Err(FetchError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(answer) => match answer.bytes(self.web.limits.document).await {
                Err(FetchError::Large { .. }) => Ok(Some(Vec::new())),
                bytes => bytes.map(Some),
            },
        }
    }
}

/// Puts some bytes into the repository, in one piece, unless they are there.
async fn upload(session: &mut Session<'_>, bytes: &[u8]) -> Result<(), FetchError> {
    let digest = Digest::of(bytes);
    let repository = session.repository;
    let blob = repository.url(&format!("blobs/{digest}"));
    let head = session
        .request(Method::HEAD, &blob, |request| request)
        .await?;
    if head.status() == StatusCode::OK {
        return Ok(());
    }
    let begin = repository.url("blobs/uploads/");
    let begun = session
        .request(Method::POST, &begin, |request| {
            request.header("content-length", 0)
        })
        .await?;
    let begun = session.let_in(begun).await?;
    let mut place = upload_place(&begin, &begun)?;
    place
        .query_pairs_mut()
        .append_pair("digest", &digest.to_string());
    let put = session
        .request(Method::PUT, &place, |request| {
            request
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(bytes.to_vec())
        })
        .await?;
    session.let_in(put).await.map(drop)
}

/// Where the registry wants the bytes: itself, or another place by https.
fn upload_place(begin: &Url, begun: &Answer) -> Result<Url, FetchError> {
    let odd = |what| FetchError::Protocol {
        url: shown(begin),
        what,
    };
    let place = begun
        .headers()
        .get(LOCATION)
        .and_then(|place| place.to_str().ok());
    let place = place.ok_or_else(|| odd("it does not say where to upload to"))?;
    leads_to(begin, begin, place).map_err(|fault| match fault {
        RedirectFault::NotAUrl => odd("it does not say where to upload to"),
        RedirectFault::Clear => odd("it wants the upload in clear"),
        RedirectFault::Address => odd("it wants the upload at an address, or at this machine"),
        RedirectFault::User => odd("it wants the upload at a URL that holds a user"),
    })
}
