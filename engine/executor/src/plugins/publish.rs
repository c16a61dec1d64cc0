//! Publishing a packed plugin as an image of a registry.

use std::collections::BTreeMap;
use std::path::Path;

use sandbook_registry::{MINISIG_ANNOTATION, NewImage};
use sandbook_runbook::{ImageVersion, PluginSource};

use super::beside;
use super::network::{Network, repository};
use super::offer::parsed;
use crate::project::read_plugin;
use crate::refused::Refused;

/// A plugin that is in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The image, by the digest of its manifest, as tools that sign images want it: `HOST/REPOSITORY@sha256:…`.
    pub image: String,
    /// The digest of the component itself.
    pub component: String,
    /// Whether it was there before.
    pub was_there: bool,
    /// Whether a signature of minisign lies beside the file, and went along.
    pub with_minisig: bool,
}

/// The only thing that a component of the contract exports.
const EXPORTS: &str = "step";

/// Publishes a packed plugin's file, with `FILE.minisig` where that lies beside it.
///
/// # Errors
///
/// The file is no plugin, the reference no image with a tag, or the registry doesn't take it.
pub async fn publish_plugin(
    network: &Network,
    file: &Path,
    reference: &str,
    replace: bool,
) -> Result<Publication, Refused> {
    let tagged = || {
        Refused::because(format!("`{reference}` is not a place to publish to"))
            .help("write `oci://HOST/REPOSITORY:TAG`")
    };
    let PluginSource::Image(image) = parsed(reference)? else {
        return Err(tagged());
    };
    let ImageVersion::Tag(tag) = &image.version else {
        return Err(tagged());
    };
    let (packed, manifest) = read_plugin(file)?;
    let minisig = beside::text(&file.with_added_extension("minisig"), "signature")?;
    let with_minisig = minisig.is_some();
    let mut annotations = BTreeMap::from([
        (
            "org.opencontainers.image.title".to_owned(),
            manifest.name.to_string(),
        ),
        (
            "org.opencontainers.image.version".to_owned(),
            manifest.version.clone(),
        ),
        (
            "org.opencontainers.image.description".to_owned(),
            manifest.description.clone(),
        ),
    ]);
    annotations.extend(minisig.map(|text| (MINISIG_ANNOTATION.to_owned(), text)));
    let new = NewImage {
        imports: packed.imports().to_vec(),
        exports: vec![EXPORTS.to_owned()],
        annotations,
        component: packed.bytes().to_vec(),
    };
    let repository = repository(&image);
    let published = network
        .fetcher
        .publish(&repository, tag, &new, replace)
        .await;
    let published = published.map_err(|error| {
        let message = format!("`{}` can't be published as `{reference}`", file.display());
        network.refused(message, error)
    })?;
    Ok(Publication {
        image: format!("{repository}@{}", published.manifest),
        component: packed.digest().to_string(),
        was_there: published.was_there,
        with_minisig,
    })
}
