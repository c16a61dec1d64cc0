//! A plugin that is run once, alone, as the project has it or from a file.

use std::collections::BTreeMap;
use std::path::Path;

use sandbook_runbook::{Fault, Manifest, Path as Place, PluginName, Report, Runbook, Slot, Source};
use sandbook_sandbox::Packed;
use serde_json::{Map, Value};

use super::{Alone, Written, parse_input};
use crate::draft::{Draft, Plugins};
use crate::project::{Project, read_plugin};
use crate::refused::Refused;

/// A plugin to be run alone.
#[derive(Debug)]
pub struct PluginAlone {
    /// What the step calls it: the project's name, or a file's own.
    name: PluginName,
    packed: Packed,
    manifest: Manifest,
    /// It is one of the project's, so what the project says of it holds.
    is_projects: bool,
}

/// What it is run with.
#[derive(Debug, Clone, Default)]
pub struct GivenAlone {
    /// What it is told.
    pub input: Map<String, Value>,
    /// The environment's credentials, by the plugin's slots.
    pub credentials: BTreeMap<Slot, String>,
    /// The slots whose secret it may see.
    pub reveal: Vec<Slot>,
    /// What it is granted; none where that is what its manifest asks for.
    pub allow: Option<Vec<String>>,
}

impl PluginAlone {
    /// One of the project's plugins.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it can't be read.
    pub fn of_project(project: &Project, name: &str) -> Result<PluginAlone, Refused> {
        let (packed, manifest) = project.plugin(name)?;
        let known = project
            .plugin_names()
            .find(|known| known.as_str() == name)
            .expect("invariant: it was just read by this name");
        Ok(PluginAlone {
            name: known.clone(),
            packed,
            manifest,
            is_projects: true,
        })
    }

    /// A packed plugin from a file.
    ///
    /// # Errors
    ///
    /// It can't be read, or is no plugin.
    pub fn of_file(path: &Path) -> Result<PluginAlone, Refused> {
        let (packed, manifest) = read_plugin(path)?;
        Ok(PluginAlone {
            name: manifest.name.clone(),
            packed,
            manifest,
            is_projects: false,
        })
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The packed plugin with its manifest.
    pub fn packed(&self) -> (Packed, Manifest) {
        (self.packed.clone(), self.manifest.clone())
    }

    /// Reads an input from text, as the type that the manifest has for it: lists and mappings are JSON.
    ///
    /// # Errors
    ///
    /// It is not of that type; says what is expected.
    pub fn parse_input(&self, name: &str, text: &str) -> Result<Value, String> {
        parse_input(&self.manifest, name, text)
    }

    /// A runbook of one step that runs it, and the inputs that this runbook is given. What the plugin is granted is what
    /// its manifest asks for, as far as the environment allows it, unless something else is said.
    ///
    /// # Errors
    ///
    /// An input or a credential is not what the plugin takes, or a document has faults.
    pub fn draft(
        &self,
        project: &Project,
        given: &GivenAlone,
        environment: Option<&str>,
    ) -> Result<(Draft, Map<String, Value>), Refused> {
        self.check(given)?;
        let credentials = given.credentials.iter();
        let alone = Alone {
            plugin: &self.name,
            manifest: &self.manifest,
            input: &given.input,
            credentials: credentials
                .map(|(slot, credential)| (slot, credential.as_str()))
                .collect(),
            reveal: &given.reveal,
            allow: given.allow.as_deref(),
            attempts: 1,
            timeout: None,
            is_made_up: false,
        };
        let Written {
            source,
            inputs,
            withheld,
        } = alone.write();
        let warnings = warnings(&source, &withheld);
        let environment = environment
            .map(|name| project.environment(name))
            .transpose()?;
        let mut draft = if self.is_projects {
            Draft::new(project, source, environment)?
        } else {
            let (runbook, _) =
                Runbook::parse(&source).map_err(|report| Refused::Invalid(vec![report]))?;
            let plugins = Plugins::from([(self.name.clone(), self.packed())]);
            Draft::kept(project.root(), source, runbook, environment, plugins)?
        };
        draft.warnings.extend(warnings);
        Ok((draft, inputs))
    }

    /// What can be said better here than of the runbook that is made of it.
    fn check(&self, given: &GivenAlone) -> Result<(), Refused> {
        let schema = self.manifest.input_schema();
        let schema = schema.map_err(|fault| Refused::because(fault.to_string()))?;
        let misfits = schema.misfits(&Value::Object(given.input.clone()));
        if !misfits.is_empty() {
            let told = misfits.iter().map(|misfit| format!("\n{misfit}"));
            return Err(Refused::because(format!(
                "the input is not what plugin `{}` takes:{}",
                self.name,
                told.collect::<String>()
            ))
            .help(format!(
                "give inputs with `-i KEY=VALUE`; `sandbook plugin inspect {}` shows them",
                self.name
            )));
        }
        let slots = &self.manifest.slots;
        let named = given.credentials.keys().chain(&given.reveal);
        if let Some(unknown) = named.into_iter().find(|slot| !slots.contains_key(*slot)) {
            let known: Vec<String> = slots.keys().map(|slot| format!("`{slot}`")).collect();
            let refused =
                Refused::because(format!("plugin `{}` has no slot `{unknown}`", self.name));
            return Err(match known.as_slice() {
                [] => refused.help("it takes no credentials"),
                known => refused.help(format!("its slots: {}", known.join(", "))),
            });
        }
        let missing = slots.iter().find(|(slot, _)| {
            !self.manifest.optional_slots.contains(*slot) && !given.credentials.contains_key(*slot)
        });
        match missing {
            None => Ok(()),
            Some((slot, what_for)) => Err(Refused::because(format!(
                "no credential is bound to the slot `{slot}` of plugin `{}`",
                self.name
            ))
            .help(format!(
                "say which of the environment's it is: `--credential {slot}=NAME` ({what_for})"
            ))),
        }
    }
}

/// What is said of lines that are not granted, since all of their place is a sensitive input.
fn warnings(source: &Source, withheld: &[String]) -> Option<Report> {
    let place = Place::root().key("steps").index(0).key("allow");
    let told = withheld.iter().map(|line| {
        let methods = line.split(' ').next().unwrap_or_default();
        let message = format!(
            "the plugin asks for `{line}`, and is not granted it: the input is sensitive, and grants are shown and kept"
        );
        Fault::warning(place.clone(), message).on_key().help(format!(
            "grant what isn't secret of it, such as `--allow '{methods} https://desk.example.com/**'`, or have the plugin take the secret as a credential"
        ))
    });
    let faults: Vec<Fault> = told.collect();
    (!faults.is_empty()).then(|| Report {
        source: source.clone(),
        faults,
    })
}
