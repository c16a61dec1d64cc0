//! A project's plugins: where each comes from, what it has to be before it is used, and changing that.
//!
//! Nothing here but `network`, and what is given one, leaves the machine: whoever looks at a plugin, or runs it, finds
//! it on the disk or is told what to do.

mod acceptance;
mod beside;
mod change;
mod fetch;
mod fetched;
mod network;
mod offer;
mod publish;
mod remove;
mod signers;
mod standing;
mod verify;

use std::path::PathBuf;

use sandbook_runbook::{KeyName, Manifest, PluginName, PluginSource, ProjectPlugin};
use sandbook_sandbox::Packed;

pub use self::acceptance::Acceptance;
pub use self::fetch::Fetching;
pub use self::network::Network;
pub use self::publish::{Publication, publish_plugin};
pub use self::remove::Removal;
pub(crate) use self::signers::Proofs;
use self::standing::Unusable;
pub use self::standing::{PluginStanding, Provenance, Standing};
pub use self::verify::Verification;
use crate::asked::Asked;
use crate::lock::{Entry, LOCK_FILE, Lock};
use crate::project::{PROJECT_FILE, Project, read_plugin, unknown};
use crate::refused::Refused;

/// A plugin that was looked at.
struct Looked {
    /// What lies on this disk and can be read, whether or not it may be used.
    read: Option<(Packed, Manifest)>,
    /// The keys that have signed it, of those that must have; or why it may not be used.
    verdict: Result<Vec<KeyName>, Unusable>,
}

impl Project {
    /// The project's plugins: names, and where they lie on this machine. Of those that are fetched, the ones that were
    /// accepted.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let plugins = &self.settings().plugins;
        let is_fetched = |plugin: &ProjectPlugin| plugin.source.is_fetched();
        // A damaged lock accepts none; whoever uses a plugin is told.
        let lock = plugins
            .values()
            .any(is_fetched)
            .then(|| Lock::read(self.root()).ok())
            .flatten();
        plugins.iter().filter_map(move |(name, plugin)| {
            let path = match &plugin.source {
                PluginSource::Path(path) => self.root().join(path),
                PluginSource::Url(_) | PluginSource::Image(_) => {
                    let entry = lock.as_ref()?.entry(name)?;
                    fetched::place(self.root(), &entry.asked.digest)
                }
            };
            Some((name.as_str(), path))
        })
    }

    /// A plugin that may be used, by the name that `sandbook.yaml` gives it: one from outside is what was accepted, and
    /// it is signed by whom it must be. [`Project::standing`] is for looking at any.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it may not be used.
    pub fn plugin(&self, name: &str) -> Result<(Packed, Manifest), Refused> {
        let (name, _) = self.named(name)?;
        Ok(self.usable_by(name, &mut None)?.0)
    }

    /// The same, with where it comes from. The lock is read once for several.
    pub(crate) fn usable_by(
        &self,
        name: &PluginName,
        lock: &mut Option<Lock>,
    ) -> Result<((Packed, Manifest), Provenance), Refused> {
        let (name, plugin) = self.named(name.as_str())?;
        let (read, signed_by) = self
            .usable(name, plugin, lock)
            .map_err(|unusable| unusable.refused)?;
        Ok((read, self.provenance(plugin, signed_by)))
    }

    fn usable(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        lock: &mut Option<Lock>,
    ) -> Result<((Packed, Manifest), Vec<KeyName>), Unusable> {
        let read = self.read(name, plugin, lock)?;
        let signed_by = self.judge(name, plugin, &read, lock)?;
        Ok((read, signed_by))
    }

    fn look_at(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        lock: &mut Option<Lock>,
    ) -> Looked {
        match self.read(name, plugin, lock) {
            Ok(read) => Looked {
                verdict: self.judge(name, plugin, &read, lock),
                read: Some(read),
            },
            Err(unusable) => Looked {
                read: None,
                verdict: Err(unusable),
            },
        }
    }

    /// What lies on this disk of a plugin. Of one that is fetched, that is what the lock says or nothing.
    fn read(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        lock: &mut Option<Lock>,
    ) -> Result<(Packed, Manifest), Unusable> {
        if let PluginSource::Path(path) = &plugin.source {
            return Ok(read_plugin(&self.root().join(path))?);
        }
        let entry = self.entry(name, plugin, self.known(lock)?)?;
        fetched::read(self.root(), name, &entry.asked.digest)
    }

    /// The keys that have signed a plugin, of those that must have; or why it may not be used.
    fn judge(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        (packed, manifest): &(Packed, Manifest),
        lock: &mut Option<Lock>,
    ) -> Result<Vec<KeyName>, Unusable> {
        if self.is_outside(plugin) {
            let lock = self.known(lock)?;
            let (source, command) = match &plugin.source {
                PluginSource::Path(path) => (path.clone(), "accept"),
                fetched => (fetched.to_string(), "update"),
            };
            let standing = match lock.entry(name) {
                None => Standing::NotAccepted,
                Some(_) => Standing::Changed,
            };
            lock.verify(name, &source, &Asked::of(packed, manifest), command)
                .map_err(|refused| Unusable::new(standing, refused))?;
        }
        let signatures = || match &plugin.source {
            PluginSource::Path(path) => beside::signatures(&self.root().join(path)),
            PluginSource::Url(_) | PluginSource::Image(_) => {
                let entry = self.known(lock)?.entry(name);
                Ok(entry.map(Entry::signatures).unwrap_or_default())
            }
        };
        let proofs = self.verify_lazily(name, plugin, packed.bytes(), signatures);
        let proofs = proofs.map_err(|refused| Unusable::new(Standing::Unsigned, refused))?;
        Ok(proofs.into_keys().collect())
    }

    /// The lock, which is read when it is first asked for.
    fn known<'a>(&self, lock: &'a mut Option<Lock>) -> Result<&'a Lock, Refused> {
        match lock {
            Some(known) => Ok(known),
            none => Ok(none.insert(Lock::read(self.root())?)),
        }
    }

    /// What the lock has of a fetched plugin, if that is of the source that the project names.
    fn entry<'a>(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        lock: &'a Lock,
    ) -> Result<&'a Entry, Unusable> {
        let source = plugin.source.to_string();
        let update = format!(
            "see what it asks for, and accept it if that is right: `sandbook plugin update {name}`"
        );
        let Some(entry) = lock.entry(name) else {
            let message = format!(
                "plugin `{name}` comes from `{source}`, and `{LOCK_FILE}` has no entry for it"
            );
            let refused = Refused::because(message).help(update);
            return Err(Unusable::new(Standing::NotAccepted, refused));
        };
        if entry.source != source {
            let message = format!(
                "plugin `{name}` comes from `{source}`, and what was accepted came from `{}`",
                entry.source
            );
            let refused = Refused::because(message).help(update);
            return Err(Unusable::new(Standing::Changed, refused));
        }
        Ok(entry)
    }

    /// A plugin as the project names it.
    fn named(&self, name: &str) -> Result<(&PluginName, &ProjectPlugin), Refused> {
        let plugins = &self.settings().plugins;
        plugins.get_key_value(name).ok_or_else(|| {
            let names = plugins.keys().map(PluginName::as_str);
            unknown("plugin", name, names, &self.root().join(PROJECT_FILE))
        })
    }

    /// Whether a plugin doesn't lie in the project, so that it changes without a change of the project. A link is what it
    /// leads to.
    fn is_outside(&self, plugin: &ProjectPlugin) -> bool {
        let PluginSource::Path(place) = &plugin.source else {
            return true;
        };
        let root = self
            .root()
            .canonicalize()
            .unwrap_or_else(|_| self.root().to_owned());
        let lies_in = |path: PathBuf| path.starts_with(&root);
        !self.root().join(place).canonicalize().is_ok_and(lies_in)
    }

    /// Where a plugin comes from, and who has signed it.
    fn provenance(&self, plugin: &ProjectPlugin, signed_by: Vec<KeyName>) -> Provenance {
        Provenance {
            source: plugin.source.to_string(),
            outside: self.is_outside(plugin),
            signed_by,
        }
    }

    /// The plugins from outside, or those of these names.
    fn named_or_outside(&self, names: &[String]) -> Result<Vec<&PluginName>, Refused> {
        if names.is_empty() {
            let all = self.settings().plugins.iter();
            return Ok(all
                .filter(|(_, plugin)| self.is_outside(plugin))
                .map(|(name, _)| name)
                .collect());
        }
        let named = names.iter().map(|name| Ok(self.named(name)?.0));
        named.collect()
    }
}
