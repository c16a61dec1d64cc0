//! Looking whether what was accepted is still what its source has, and signed by whom it must be.

use std::fmt;

use sandbook_registry::{Source, Version};
use sandbook_runbook::{PluginName, ProjectPlugin};

use super::fetch::in_registry;
use super::network::{Network, source_of};
use crate::lock::{Entry, Lock};
use crate::project::Project;
use crate::refused::Refused;

/// What was found of a plugin that is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// It lies on this machine, and is what it should be.
    Here,
    /// Its source has it as it was accepted.
    Same,
    /// Its source has it as it was accepted, and something else under the same tag.
    Moved,
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verification::Here => "is what it should be",
            Verification::Same => "is what it should be, here and at its source",
            Verification::Moved => {
                "is what it should be, here and at its source, where the tag means another one by now"
            }
        })
    }
}

impl Project {
    /// Looks at these plugins, or at all from outside where none is named: on this disk, and at their sources.
    ///
    /// # Errors
    ///
    /// There is none of a name. What is wrong with a plugin is with it.
    pub async fn verify(
        &self,
        network: &Network,
        names: &[String],
    ) -> Result<Vec<(String, Result<Verification, Refused>)>, Refused> {
        let lock = Lock::read(self.root())?;
        let mut done = Vec::new();
        for name in self.named_or_outside(names)? {
            let found = self.verify_one(network, name, &lock).await;
            done.push((name.to_string(), found));
        }
        Ok(done)
    }

    async fn verify_one(
        &self,
        network: &Network,
        name: &PluginName,
        lock: &Lock,
    ) -> Result<Verification, Refused> {
        let (name, plugin) = self.named(name.as_str())?;
        self.usable(name, plugin, &mut None)
            .map_err(|unusable| unusable.refused)?;
        let Some(source) = source_of(&plugin.source) else {
            return Ok(Verification::Here);
        };
        let entry = self
            .entry(name, plugin, lock)
            .map_err(|unusable| unusable.refused)?;
        self.verify_source(network, name, plugin, entry, &source)
            .await
    }

    async fn verify_source(
        &self,
        network: &Network,
        name: &PluginName,
        plugin: &ProjectPlugin,
        entry: &Entry,
        source: &Source,
    ) -> Result<Verification, Refused> {
        let kinds = self.kinds(plugin);
        // The image that was accepted, whatever its tag means now.
        let accepted = match (source, entry.image) {
            (Source::Image { repository, .. }, Some(digest)) => Source::Image {
                repository: repository.clone(),
                version: Version::Digest(digest),
            },
            (source, _) => source.clone(),
        };
        let failed = |error| {
            let message = format!("plugin `{name}` can't be verified at `{}`", plugin.source);
            network.refused(message, error)
        };
        let fetched = network
            .fetcher
            .fetch(&accepted, kinds)
            .await
            .map_err(failed)?;
        let (found, wanted) = (
            sandbook_registry::Digest::of(&fetched.bytes),
            in_registry(&entry.asked.digest),
        );
        if found != wanted {
            let message = format!(
                "plugin `{name}` is not what `{}` has now: that has the digest {found}, and {wanted} was accepted",
                plugin.source
            );
            return Err(Refused::because(message).help(format!(
                "`sandbook plugin update {name}` shows what is there now, and asks"
            )));
        }
        self.verify_signatures(name, plugin, &fetched.bytes, &fetched.signatures)?;
        let Source::Image {
            version: Version::Tag(_),
            ..
        } = source
        else {
            return Ok(Verification::Same);
        };
        let now = network.fetcher.resolve(source).await.map_err(failed)?;
        Ok(if now == entry.image {
            Verification::Same
        } else {
            Verification::Moved
        })
    }
}
