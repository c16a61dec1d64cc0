//! What reaches beyond this machine for plugins.

use sandbook_registry::{
    Credentials, FetchError, Fetcher, Limits, Repository, Source, Version, docker_config,
};
use sandbook_runbook::{ImageReference, ImageVersion, PluginSource};
use url::Url;

use crate::refused::Refused;

/// The network, as far as plugins come and go over it, with the credentials for registries.
#[derive(Debug)]
pub struct Network {
    pub(super) fetcher: Fetcher,
}

impl Network {
    /// The network for whoever runs this, with what `docker login` has written down of them.
    ///
    /// # Errors
    ///
    /// That is there, and can't be read.
    pub fn of_user() -> Result<Network, Refused> {
        let credentials = match docker_config() {
            Some(path) => Credentials::read(&path).map_err(|error| {
                Refused::because("it is not known who you are to registries")
                    .caused_by(error)
                    .help("mend the file, or write it anew with `docker login`")
            })?,
            None => Credentials::default(),
        };
        Ok(Network {
            fetcher: Fetcher::new(credentials, Limits::default()),
        })
    }

    /// What went wrong, with what to do about it.
    pub(super) fn refused(&self, message: String, error: FetchError) -> Refused {
        let help = self.help(&error);
        Refused::because(message).caused_by(error).help(help)
    }

    fn help(&self, error: &FetchError) -> String {
        let text = match error {
            FetchError::Unauthorized { host, .. }
                if self.fetcher.credentials().are_kept_elsewhere(host) =>
            {
                return format!(
                    "docker keeps the credentials of `{host}` in another program, which is not asked: write `auths` for it in a `config.json`, and name its folder in `$DOCKER_CONFIG`"
                );
            }
            FetchError::Unauthorized {
                host, known: false, ..
            } => {
                return format!(
                    "log in: `docker login {host}`, or any tool that writes docker's `config.json`"
                );
            }
            FetchError::Unauthorized { host, .. } => {
                return format!("see who you are to `{host}`, and what you may do there");
            }
            FetchError::Status { status: 404, .. } => {
                "check the name and the version; a registry may also say so of what you may not see"
            }
            FetchError::Status { status: 429, .. } => {
                "the registry has had enough for now: try again later"
            }
            FetchError::Status { .. } => "see what its owner says of that",
            FetchError::Unreachable { .. }
            | FetchError::Broken { .. }
            | FetchError::Slow { .. }
            | FetchError::Client(_) => "check the name and your network, and try again",
            FetchError::Large { .. } => {
                "it is no plugin that could be loaded: ask whoever publishes it"
            }
            FetchError::Redirect { .. } | FetchError::Redirects { .. } => {
                "name the place itself in `sandbook.yaml`, if you trust it"
            }
            FetchError::Encoded(_) | FetchError::Protocol { .. } | FetchError::Challenge { .. } => {
                "it does not behave as a registry or a server of files should: ask whoever runs it"
            }
            FetchError::Page { .. } => {
                "name the file itself, not the page that offers it, nor one that wants a login"
            }
            FetchError::Other { .. } => {
                "what was there is something else now: see why before you accept it with `sandbook plugin update`"
            }
            FetchError::Image { .. } => {
                "`sandbook plugin publish` and `wkg` make images of components"
            }
            FetchError::Taken { .. } => "choose another version, or say `--replace`",
        };
        text.to_owned()
    }
}

/// Where a source lies on the network; none of a path.
pub(super) fn source_of(source: &PluginSource) -> Option<Source> {
    match source {
        PluginSource::Path(_) => None,
        PluginSource::Url(url) => Some(Source::File(url.clone())),
        PluginSource::Image(image) => Some(Source::Image {
            repository: repository(image),
            version: match &image.version {
                ImageVersion::Tag(tag) => Version::Tag(tag.clone()),
                ImageVersion::Digest(digest) => Version::Digest(
                    digest
                        .parse()
                        .expect("invariant: a reference's digest is one"),
                ),
            },
        }),
    }
}

pub(super) fn repository(image: &ImageReference) -> Repository {
    let registry = Url::parse(&image.registry.to_string()).expect("invariant: an origin is a URL");
    Repository::new(registry, image.repository.clone())
}
