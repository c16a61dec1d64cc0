//! Getting what a person may accept: a plugin that is new, or a new version of one.

use std::path::{Component, Path};

use sandbook_registry::Fetched;
use sandbook_runbook::{KeyName, PluginName, PluginSource, ProjectPlugin};
use sandbook_sandbox::Packed;

use super::acceptance::{Acceptance, Parts};
use super::beside;
use super::change::Edit;
use super::network::{Network, source_of};
use crate::asked::Asked;
use crate::lock::{Entry, Lock};
use crate::project::{PROJECT_FILE, Project, manifest_of, read_plugin, unknown};
use crate::refused::Refused;

impl Project {
    /// A plugin that the project doesn't have yet, to be shown and accepted.
    ///
    /// # Errors
    ///
    /// There is one of that name, or it can't be had, or it isn't signed by whom it must be.
    pub async fn addition(
        &self,
        network: &Network,
        name: &str,
        source: &str,
        signed_by: Option<&[String]>,
    ) -> Result<Acceptance, Refused> {
        let name = PluginName::new(name).map_err(|fault| Refused::because(fault.to_string()))?;
        if let Some(there) = self.settings().plugins.get(&name) {
            let message = format!("there is a plugin `{name}` already: `{}`", there.source);
            return Err(Refused::because(message).help(format!(
                "another name for another plugin; to have this one from elsewhere, change `{PROJECT_FILE}`, then `sandbook plugin update {name}`"
            )));
        }
        let plugin = ProjectPlugin {
            source: parsed(source)?,
            signed_by: signed_by.map(|names| self.known_keys(names)).transpose()?,
        };
        let edit = Edit::adding(self, &name, &plugin)?;
        self.offer(network, &name, &plugin, Some(edit)).await
    }

    /// What there is now of a plugin that the project has from outside, to be shown and accepted.
    ///
    /// # Errors
    ///
    /// There is none of that name, it lies in the project, it can't be had, or it isn't signed by whom it must be.
    pub async fn update(&self, network: &Network, name: &str) -> Result<Acceptance, Refused> {
        let (name, plugin) = self.named(name)?;
        if !self.is_outside(plugin) {
            return Err(own(name));
        }
        self.offer(network, name, plugin, None).await
    }

    /// The names of the plugins that `update` is for.
    pub fn updatable(&self) -> Vec<String> {
        self.all_outside().iter().map(ToString::to_string).collect()
    }

    /// A plugin that lies outside the project by its path, to be shown and accepted.
    ///
    /// # Errors
    ///
    /// There is none of that name, it can't be read, it lies in the project or is fetched, or the lock file can't be
    /// read.
    pub fn acceptance(&self, name: &str) -> Result<Acceptance, Refused> {
        let (name, plugin) = self.named(name)?;
        match &plugin.source {
            _ if !self.is_outside(plugin) => Err(own(name)),
            PluginSource::Path(path) => self.offer_of_file(name, plugin, path, None),
            PluginSource::Url(_) | PluginSource::Image(_) => {
                let message = format!("plugin `{name}` is fetched from `{}`", plugin.source);
                Err(Refused::because(message).help(format!(
                    "`sandbook plugin update {name}` shows what is there now, and asks"
                )))
            }
        }
    }

    async fn offer(
        &self,
        network: &Network,
        name: &PluginName,
        plugin: &ProjectPlugin,
        edit: Option<Edit>,
    ) -> Result<Acceptance, Refused> {
        let source = match (&plugin.source, source_of(&plugin.source)) {
            (PluginSource::Path(path), _) => return self.offer_of_file(name, plugin, path, edit),
            (_, None) => return Err(own(name)),
            (_, Some(source)) => source,
        };
        let shown = &plugin.source;
        let kinds = self.kinds(plugin);
        let fetched = network.fetcher.fetch(&source, kinds).await;
        let fetched = fetched.map_err(|error| {
            network.refused(
                format!("plugin `{name}` can't be had from `{shown}`"),
                error,
            )
        })?;
        let Fetched {
            bytes,
            manifest: image,
            signatures,
        } = fetched;
        // Before anything else is made of it.
        let proofs = self.verify_signatures(name, plugin, &bytes, &signatures)?;
        let place = shown.to_string();
        let packed = Packed::read(bytes).map_err(|error| {
            Refused::because(format!("what `{place}` has is not a plugin"))
                .caused_by(error)
                .help("ask whoever publishes it for one that `sandbook plugin pack` has made")
        })?;
        let manifest = manifest_of(&packed, Path::new(&place))?;
        let asked = Asked::of(&packed, &manifest);
        let signed_by = proofs.keys().cloned().collect();
        let entry = Entry {
            source: place,
            asked: asked.clone(),
            image,
            proofs,
        };
        let parts = Parts {
            component: Some(packed.bytes().to_vec()),
            entry: Some(entry),
            edit,
            ..Parts::default()
        };
        self.accepting(name, asked, manifest.name, signed_by, parts)
    }

    fn offer_of_file(
        &self,
        name: &PluginName,
        plugin: &ProjectPlugin,
        path: &str,
        edit: Option<Edit>,
    ) -> Result<Acceptance, Refused> {
        let path = self.root().join(path);
        let (packed, manifest) = read_plugin(&path)?;
        let signatures = || beside::signatures(&path);
        let proofs = self.verify_lazily(name, plugin, packed.bytes(), signatures)?;
        let asked = Asked::of(&packed, &manifest);
        let entry = self.is_outside(plugin).then(|| Entry {
            source: plugin.source.to_string(),
            asked: asked.clone(),
            image: None,
            // They lie beside the file, and are looked at there.
            proofs: Default::default(),
        });
        let parts = Parts {
            entry,
            edit,
            ..Parts::default()
        };
        let signed_by = proofs.into_keys().collect();
        self.accepting(name, asked, manifest.name, signed_by, parts)
    }

    fn accepting(
        &self,
        name: &PluginName,
        asked: Asked,
        calls_itself: PluginName,
        signed_by: Vec<KeyName>,
        parts: Parts,
    ) -> Result<Acceptance, Refused> {
        let lock = Lock::read(self.root())?;
        let there = lock.entry(name);
        let is_there = match (&parts.entry, there) {
            (Some(entry), Some(there)) => {
                entry.source == there.source
                    && entry.proofs == there.proofs
                    && entry.image == there.image
            }
            (_, _) => false,
        };
        Ok(Acceptance {
            before: there.map(|entry| entry.asked.clone()),
            source: match &parts.entry {
                Some(entry) => entry.source.clone(),
                None => "the project itself".to_owned(),
            },
            asked,
            calls_itself,
            signed_by,
            name: name.clone(),
            root: self.root().to_owned(),
            parts: Parts { is_there, ..parts },
        })
    }

    fn known_keys(&self, names: &[String]) -> Result<Vec<KeyName>, Refused> {
        let keys = &self.settings().keys;
        let known = |name: &String| match keys.get_key_value(name.as_str()) {
            Some((name, _)) => Ok(name.clone()),
            None => {
                let all = keys.keys().map(KeyName::as_str);
                Err(unknown("key", name, all, &self.root().join(PROJECT_FILE)))
            }
        };
        names.iter().map(known).collect()
    }
}

/// A source as a person gives it.
pub(super) fn parsed(source: &str) -> Result<PluginSource, Refused> {
    let source: PluginSource = source
        .parse()
        .map_err(|fault: sandbook_runbook::SourceFault| {
            Refused::because(fault.to_string()).help(fault.help())
        })?;
    if let PluginSource::Path(path) = &source {
        let path = Path::new(path);
        if path.is_relative() && path.components().any(|part| part == Component::ParentDir) {
            let message = format!("path `{}` leaves the project's folder", path.display());
            return Err(Refused::because(message).help("write one that begins at the project's folder and stays below it, or an absolute one"));
        }
    }
    Ok(source)
}

fn own(name: &PluginName) -> Refused {
    Refused::because(format!("plugin `{name}` lies in the project"))
        .help("it needs no entry: who reviews the project's changes reviews it")
}
