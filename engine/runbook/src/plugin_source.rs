//! Where a plugin comes from: a path, an https URL, or a reference to an image of an OCI registry.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::origin::Origin;

/// The longest repository name, in bytes, by the distribution specification.
const LONGEST_REPOSITORY: usize = 255;

/// The longest tag, in bytes.
const LONGEST_TAG: usize = 128;

/// Where a plugin comes from. Shown as `sandbook.yaml` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginSource {
    /// A file. A relative path begins at the project's folder.
    Path(String),
    /// A file behind a URL: https, or http to this machine itself.
    Url(Url),
    /// An image in an OCI registry.
    Image(ImageReference),
}

/// An image: `oci://registry.example.com/ops/purge:1.4.0`, or `…/purge@sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// The registry: https, or http to this machine itself (`oci+http://`).
    pub registry: Origin,
    /// The repository, such as `ops/purge`.
    pub repository: String,
    /// Which of its images.
    pub version: ImageVersion,
}

/// Which image of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageVersion {
    /// The one that has this tag now.
    Tag(String),
    /// The one whose manifest has this digest: `sha256:` and 64 hexadecimal digits, in lower case.
    Digest(String),
}

/// Why a text says no place that plugins come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// It is empty.
    #[error("a path is empty")]
    Empty,
    /// Its scheme is unknown.
    #[error("`{0}` has a scheme that plugins don't come by: there are `https://` and `oci://`")]
    Scheme(String),
    /// It isn't a URL.
    #[error("`{text}` is not a URL: {reason}")]
    NotAUrl {
        /// The text.
        text: String,
        /// What the URL parser says.
        reason: url::ParseError,
    },
    /// It would be fetched in clear.
    #[error("`{0}` would be fetched in clear, and only this machine itself may be asked so")]
    Clear(String),
    /// It holds a user, a password or a fragment.
    #[error("`{0}` holds a user, a password or a fragment, and must not")]
    More(String),
    /// It names no file.
    #[error("`{0}` names no file")]
    NoFile(String),
    /// It isn't a reference to an image.
    #[error("`{text}` is not a reference to an image: {what}")]
    Reference {
        /// The text.
        text: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl PluginSource {
    /// Whether it lies elsewhere on the network, and is fetched from there.
    pub fn is_fetched(&self) -> bool {
        !matches!(self, PluginSource::Path(_))
    }
}

impl SourceFault {
    /// What to write instead.
    pub fn help(&self) -> &'static str {
        match self {
            SourceFault::Empty => "name the packed component: `plugins/NAME.wasm`",
            SourceFault::Scheme(_) | SourceFault::NotAUrl { .. } | SourceFault::NoFile(_) => {
                "write a path, `https://HOST/FILE.wasm` or `oci://HOST/REPOSITORY:TAG`"
            }
            SourceFault::Clear(_) => "write `https://` or `oci://`",
            SourceFault::More(_) => {
                "credentials of registries are those of `docker login`, and are never written here"
            }
            SourceFault::Reference { .. } => {
                "write `oci://HOST/REPOSITORY:TAG` or `oci://HOST/REPOSITORY@sha256:DIGEST`"
            }
        }
    }
}

impl FromStr for PluginSource {
    type Err = SourceFault;

    fn from_str(text: &str) -> Result<PluginSource, SourceFault> {
        if text.is_empty() {
            return Err(SourceFault::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(PluginSource::Path(text.to_owned()));
        };
        match scheme {
            "oci" => image(text, "https", rest).map(PluginSource::Image),
            "oci+http" => image(text, "http", rest).map(PluginSource::Image),
            "https" | "http" => file(text).map(PluginSource::Url),
            _ => Err(SourceFault::Scheme(text.to_owned())),
        }
    }
}

fn file(text: &str) -> Result<Url, SourceFault> {
    let url = Url::parse(text).map_err(|reason| SourceFault::NotAUrl {
        text: text.to_owned(),
        reason,
    })?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        // What is shown must not hold the password.
        let origin = url.origin().ascii_serialization();
        return Err(SourceFault::More(origin));
    }
    if url.path().ends_with('/') {
        return Err(SourceFault::NoFile(text.to_owned()));
    }
    match Origin::of(&url) {
        Some(origin) if may_be_asked(&origin) => Ok(url),
        _ => Err(SourceFault::Clear(text.to_owned())),
    }
}

fn image(text: &str, scheme: &str, rest: &str) -> Result<ImageReference, SourceFault> {
    let fault = |what| SourceFault::Reference {
        text: text.to_owned(),
        what,
    };
    if rest
        .split('/')
        .next()
        .is_some_and(|host| host.contains('@'))
    {
        return Err(SourceFault::More(format!(
            "oci://{}",
            rest.rsplit('@').next().unwrap_or_default()
        )));
    }
    let (host, path) = rest
        .split_once('/')
        .ok_or_else(|| fault("it has no repository"))?;
    let registry: Origin = format!("{scheme}://{host}")
        .parse()
        .map_err(|_| fault("it begins with no host"))?;
    if !may_be_asked(&registry) {
        return Err(SourceFault::Clear(text.to_owned()));
    }
    let (repository, version) = match (path.split_once('@'), path.split_once(':')) {
        (Some((repository, digest)), _) if is_digest(digest) => {
            (repository, ImageVersion::Digest(digest.to_owned()))
        }
        (Some(_), _) => {
            return Err(fault(
                "what follows `@` is not `sha256:` with 64 hexadecimal digits",
            ));
        }
        (None, Some((repository, tag))) if is_tag(tag) => {
            (repository, ImageVersion::Tag(tag.to_owned()))
        }
        (None, Some(_)) => return Err(fault("what follows `:` is not a tag")),
        (None, None) => return Err(fault("it has neither a tag nor a digest")),
    };
    if repository.contains(':') {
        return Err(fault("it has both a tag and a digest"));
    }
    if !is_repository(repository) {
        return Err(fault(
            "a repository's name holds small letters and digits, parted by single `.`, `_`, `-` or `/`",
        ));
    }
    Ok(ImageReference {
        registry,
        repository: repository.to_owned(),
        version,
    })
}

/// Whether it is encrypted, or this machine itself.
fn may_be_asked(origin: &Origin) -> bool {
    origin.is_https()
        || match origin.host() {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
            Host::Domain(name) => name == "localhost",
        }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64
            && digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_tag(text: &str) -> bool {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= LONGEST_TAG
        && text.bytes().next().is_some_and(in_word)
        && text
            .bytes()
            .all(|byte| in_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_repository(text: &str) -> bool {
    text.len() <= LONGEST_REPOSITORY && text.split('/').all(is_component)
}

/// Words of small letters and digits, parted by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_in_words = [bytes.first(), bytes.last()]
        .iter()
        .all(|end| end.is_some_and(|byte| is_word(*byte)));
    let partings = text.split(|character: char| is_word(u8::try_from(character).unwrap_or(0)));
    ends_in_words
        && partings
            .filter(|parting| !parting.is_empty())
            .all(|parting| {
                matches!(parting, "." | "_" | "__") || parting.bytes().all(|byte| byte == b'-')
            })
}

impl fmt::Display for PluginSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PluginSource::Path(path) => f.write_str(path),
            PluginSource::Url(url) => f.write_str(url.as_str()),
            PluginSource::Image(image) => image.fmt(f),
        }
    }
}

impl ImageReference {
    /// The registry's host, with its port where it has one of its own: `registry.example.com:5000`.
    pub fn host(&self) -> String {
        let origin = self.registry.to_string();
        let host = origin.split_once("://").map(|(_, host)| host.to_owned());
        host.unwrap_or(origin)
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.registry.is_https() {
            "oci"
        } else {
            "oci+http"
        };
        let (host, repository) = (self.host(), &self.repository);
        match &self.version {
            ImageVersion::Tag(tag) => write!(f, "{scheme}://{host}/{repository}:{tag}"),
            ImageVersion::Digest(digest) => write!(f, "{scheme}://{host}/{repository}@{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn parse(text: &str) -> Result<PluginSource, SourceFault> {
        text.parse()
    }

    #[test]
    fn a_source_is_a_path_a_url_or_an_image() {
        let pinned = format!("oci://registry.example.com/ops/purge@{DIGEST}");
        for text in [
            "plugins/http-check.wasm",
            "/opt/x.wasm",
            "https://example.com/x/y-1.2.0.wasm?raw=true",
            "http://127.0.0.1:8080/x.wasm",
            "oci://registry.example.com/ops/purge:1.4.0",
            "oci://registry.example.com:5000/a/b_c/d--e/f__g:v1.0-rc_1",
            "oci+http://127.0.0.1:5000/purge:1",
            "oci+http://[::1]:5000/purge:1",
            "oci+http://localhost/purge:1",
            &pinned,
        ] {
            let source = parse(text).unwrap_or_else(|fault| panic!("{fault}"));
            assert_eq!(source.to_string(), text);
            assert_eq!(source.is_fetched(), text.contains("://"), "{text}");
        }
        let PluginSource::Image(image) = parse(&pinned).unwrap() else {
            panic!("no image");
        };
        assert_eq!(image.host(), "registry.example.com");
        assert_eq!(image.version, ImageVersion::Digest(DIGEST.to_owned()));
    }

    #[test]
    fn what_is_none_of_these_says_why() {
        let both = format!("oci://h/x:1@{DIGEST}");
        for (text, says) in [
            ("", "empty"),
            ("ftp://h/x", "scheme"),
            ("docker://h/x:1", "scheme"),
            ("http://example.com/x.wasm", "in clear"),
            ("oci+http://example.com/x:1", "in clear"),
            ("oci+http://127.0.0.1.example.com/x:1", "in clear"),
            ("https://u:secret@example.com/x.wasm", "must not"),
            ("https://example.com/x.wasm#a", "must not"),
            ("https://example.com/", "no file"),
            ("https://", "not a URL"),
            ("oci://h", "no repository"),
            ("oci:///x:1", "no host"),
            ("oci://u:secret@h/x:1", "must not"),
            ("oci://h/x", "neither a tag nor a digest"),
            ("oci://h/x:", "not a tag"),
            ("oci://h/x:-a", "not a tag"),
            ("oci://h/x@sha256:12", "64 hexadecimal"),
            ("oci://h/x@md5:12", "64 hexadecimal"),
            (&both, "both a tag and a digest"),
            ("oci://h/X:1", "small letters"),
            ("oci://h/../x:1", "small letters"),
            ("oci://h//x:1", "small letters"),
            ("oci://h/a..b:1", "small letters"),
            ("oci://h/a?b:1", "small letters"),
        ] {
            let said = parse(text).expect_err(text).to_string();
            assert!(said.contains(says), "{text}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
        assert!(parse(&format!("oci://h/{}:1", "a".repeat(256))).is_err());
        assert!(parse(&format!("oci://h/a:{}", "a".repeat(129))).is_err());
    }
}
