//! How each of a project's plugins stands.

use sandbook_runbook::{KeyName, Manifest, PluginName, ProjectPlugin};
use sandbook_sandbox::Packed;

use super::Looked;
use crate::lock::Lock;
use crate::project::Project;
use crate::refused::Refused;

/// What a project makes of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It lies in the project, and is reviewed with it.
    Inside,
    /// It is from outside, and what was accepted.
    Accepted,
    /// It is from outside, and nobody has accepted it.
    NotAccepted,
    /// It was accepted, and isn't on this disk.
    NotFetched,
    /// It is another one than was accepted, or is to come from elsewhere.
    Changed,
    /// It was altered on this disk.
    Altered,
    /// Somebody who must have signed it has not.
    Unsigned,
    /// It can't be read, or is no plugin.
    Faulty,
}

/// Where a plugin comes from, and who has signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Its source, as the project says it.
    pub source: String,
    /// Whether that is outside the project.
    pub outside: bool,
    /// The keys that must have signed it, where all of them have; else none.
    pub signed_by: Vec<KeyName>,
}

/// A plugin that may not be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    pub(crate) standing: Standing,
    pub(crate) refused: Refused,
}

/// A plugin of the project, and how it stands.
#[derive(Debug)]
pub struct PluginStanding {
    /// What the project calls it.
    pub name: String,
    /// Where it comes from.
    pub provenance: Provenance,
    /// How it stands.
    pub standing: Standing,
    /// The digest that was accepted, of one from outside.
    pub pinned: Option<String>,
    /// The component and its manifest, where they can be read, whether or not they may be used.
    pub plugin: Option<(Packed, Manifest)>,
    /// Why it may not be used.
    pub refused: Option<Refused>,
}

impl Unusable {
    pub(super) fn new(standing: Standing, refused: Refused) -> Unusable {
        Unusable { standing, refused }
    }
}

impl From<Refused> for Unusable {
    fn from(refused: Refused) -> Unusable {
        Unusable::new(Standing::Faulty, refused)
    }
}

impl Standing {
    /// Its name for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Inside => "inside",
            Standing::Accepted => "accepted",
            Standing::NotAccepted => "not_accepted",
            Standing::NotFetched => "not_fetched",
            Standing::Changed => "changed",
            Standing::Altered => "altered",
            Standing::Unsigned => "unsigned",
            Standing::Faulty => "faulty",
        }
    }
}

impl PluginStanding {
    /// Whether it is what was accepted; none where nothing has to be.
    pub fn is_accepted(&self) -> Option<bool> {
        let is_usable = self.standing == Standing::Accepted;
        self.provenance.outside.then_some(is_usable)
    }
}

impl Project {
    /// How a plugin of the project stands. Nothing is fetched for it.
    ///
    /// # Errors
    ///
    /// There is none of that name.
    pub fn standing(&self, name: &str) -> Result<PluginStanding, Refused> {
        let (name, plugin) = self.named(name)?;
        Ok(self.standing_of(name, plugin, &mut None))
    }

    /// How the project's plugins stand, by name. Nothing is fetched for it.
    pub fn standings(&self) -> Vec<PluginStanding> {
        let mut lock = None;
        let plugins = self.settings().plugins.iter();
        plugins
            .map(|(name, plugin)| self.standing_of(name, plugin, &mut lock))
            .collect()
    }

    fn standing_of(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        lock: &mut Option<Lock>,
    ) -> PluginStanding {
        let Looked { read, verdict } = self.look_at(name, plugin, lock);
        let outside = self.is_outside(plugin);
        let (standing, signed_by, refused) = match verdict {
            Ok(signed_by) if outside => (Standing::Accepted, signed_by, None),
            Ok(signed_by) => (Standing::Inside, signed_by, None),
            Err(Unusable { standing, refused }) => (standing, Vec::new(), Some(refused)),
        };
        let entry = lock.as_ref().and_then(|lock| lock.entry(name));
        PluginStanding {
            name: name.to_string(),
            provenance: self.provenance(plugin, signed_by),
            standing,
            pinned: entry
                .filter(|_| outside)
                .map(|entry| entry.asked.digest.to_string()),
            plugin: read,
            refused,
        }
    }
}
