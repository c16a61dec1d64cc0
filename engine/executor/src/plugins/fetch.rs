//! Bringing back what was accepted: the very components that the lock names, and nothing else.

use sandbook_runbook::PluginName;
use sandbook_sandbox::Digest;

use super::change::Held;
use super::fetched;
use super::network::{Network, source_of};
use crate::lock::{Entry, Lock};
use crate::project::Project;
use crate::refused::Refused;

/// What became of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetching {
    /// It was there.
    Had,
    /// It is there now.
    Fetched {
        /// How large it is, in bytes.
        bytes: usize,
    },
}

impl Project {
    /// Fetches what was accepted and isn't on this disk: of these plugins, or of all where none is named.
    ///
    /// # Errors
    ///
    /// There is no plugin of a name, or the lock can't be read. What is wrong with a plugin is with it.
    pub async fn fetch(
        &self,
        network: &Network,
        names: &[String],
    ) -> Result<Vec<(String, Result<Fetching, Refused>)>, Refused> {
        let lock = Lock::read(self.root())?;
        let mut done = Vec::new();
        for name in self.named_or_outside(names)? {
            let fetching = self.fetch_one(network, name, &lock).await;
            done.push((name.to_string(), fetching));
        }
        Ok(done)
    }

    async fn fetch_one(
        &self,
        network: &Network,
        name: &PluginName,
        lock: &Lock,
    ) -> Result<Fetching, Refused> {
        let (name, plugin) = self.named(name.as_str())?;
        let Some(source) = source_of(&plugin.source) else {
            // Where a path leads there is nothing to fetch.
            return Ok(Fetching::Had);
        };
        let entry = self
            .entry(name, plugin, lock)
            .map_err(|unusable| unusable.refused)?;
        if fetched::has(self.root(), &entry.asked.digest) {
            return Ok(Fetching::Had);
        }
        let wanted = in_registry(&entry.asked.digest);
        let bytes = network.fetcher.fetch_pinned(&source, &wanted).await;
        let bytes = bytes.map_err(|error| {
            let message = format!(
                "plugin `{name}` can't be had from `{}` as it was accepted",
                plugin.source
            );
            network.refused(message, error)
        })?;
        self.verify_signatures(name, plugin, &bytes, &entry.signatures())?;
        let _held = Held::of(self.root())?;
        fetched::keep(self.root(), &entry.asked.digest, &bytes)?;
        Ok(Fetching::Fetched { bytes: bytes.len() })
    }
}

impl Entry {
    /// The signatures that were there when it was accepted.
    pub(super) fn signatures(&self) -> Vec<sandbook_registry::Signature> {
        self.proofs.values().cloned().collect()
    }
}

/// The same digest, as a registry has it.
pub(super) fn in_registry(digest: &Digest) -> sandbook_registry::Digest {
    let digest = digest.to_string().parse();
    digest.expect("invariant: both write a digest in the same way")
}
