//! A runbook on its way to a run: with its plugins and environment, then with its inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sandbook_runbook::{
    CheckedRunbook, Environment, Fault, Manifest, Plan, PluginName, Report, Runbook, Source, Step,
};
use sandbook_sandbox::{Digest, Packed};
use serde_json::{Map, Value};

use crate::anchoring::ToAnchor;
use crate::asked::asks_to_reveal;
use crate::component::Component;
use crate::credentials::Keys;
use crate::plugins::Provenance;
use crate::project::{Project, manifests};
use crate::refused::Refused;
use crate::sensitive;
use crate::tape::Tape;

/// A runbook with its plugins' manifests and its environment, checked. Its inputs aren't known yet.
#[derive(Debug)]
pub struct Draft {
    /// The runbook, with the environment, where one was named.
    pub runbook: CheckedRunbook,
    /// What is odd but doesn't stand in the way.
    pub warnings: Vec<Report>,
    source: Source,
    environment_source: Option<Source>,
    plugins: Plugins,
    provenance: BTreeMap<PluginName, Provenance>,
    root: PathBuf,
    anchors: Vec<ToAnchor>,
}

/// The plugins that a runbook uses, by the names that it calls them.
pub(crate) type Plugins = BTreeMap<PluginName, (Packed, Manifest)>;

/// A plan that can be run: what was planned is what runs.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// The runbook's text.
    pub source: Source,
    /// The environment's text, its literal secrets blanked.
    pub environment_text: Option<String>,
    /// The components that its steps run, by the name that the runbook uses.
    pub(crate) components: BTreeMap<PluginName, Component>,
    /// Where these came from; nothing of a run that goes on with what it has kept.
    pub(crate) provenance: BTreeMap<PluginName, Provenance>,
    /// The project's folder: relative paths of secrets begin there.
    pub(crate) root: PathBuf,
    /// Where the ledger's head is sent at the run's end.
    pub(crate) anchors: Vec<ToAnchor>,
    /// What goes over the wire is noted here.
    pub(crate) tape: Option<Tape>,
}

impl Draft {
    pub(crate) fn new(
        project: &Project,
        source: Source,
        environment: Option<(Environment, Source)>,
    ) -> Result<Draft, Refused> {
        let (environment, environment_source) = environment.unzip();
        let check = |runbook: Runbook, plugins: &Plugins, environment| {
            let manifest = |(name, (_, manifest)): (&PluginName, &(Packed, Manifest))| {
                (name.clone(), manifest.clone())
            };
            let manifests = plugins.iter().map(manifest).collect();
            CheckedRunbook::new(runbook, manifests, project.plugin_names(), environment)
        };
        // Of a text with faults, the rest is checked as well, so that all are told at once.
        let more = |rest: &Runbook| {
            let (plugins, _) = plugins_of(project, rest).ok()?;
            let checked = check(rest.clone(), &plugins, environment.clone());
            Some(checked.err().unwrap_or_default())
        };
        let (runbook, mut warnings) =
            Runbook::parse_with(&source, more).map_err(|report| Refused::Invalid(vec![report]))?;
        let (plugins, provenance) = plugins_of(project, &runbook)?;
        warnings.extend(revealed_unasked(&runbook, &plugins));
        let (runbook, more_warnings) = match check(runbook, &plugins, environment) {
            Ok(checked) => checked,
            Err(faults) => return Err(Refused::Invalid(vec![Report { source, faults }])),
        };
        warnings.extend(more_warnings);
        let warnings = if warnings.is_empty() {
            vec![]
        } else {
            vec![Report {
                source: source.clone(),
                faults: warnings,
            }]
        };
        Ok(Draft {
            runbook,
            warnings,
            source,
            environment_source,
            plugins,
            provenance,
            root: project.root().to_owned(),
            anchors: project.anchors(),
        })
    }

    /// A runbook that was run before, with the plugins and the environment that it had.
    pub(crate) fn kept(
        root: &Path,
        source: Source,
        runbook: Runbook,
        environment: Option<(Environment, Source)>,
        plugins: Plugins,
    ) -> Result<Draft, Refused> {
        let (environment, environment_source) = environment.unzip();
        let manifests: BTreeMap<_, _> = plugins
            .iter()
            .map(|(name, (_, manifest))| (name.clone(), manifest.clone()))
            .collect();
        match CheckedRunbook::new(runbook, manifests, plugins.keys(), environment) {
            Ok((runbook, _)) => Ok(Draft {
                runbook,
                warnings: Vec::new(),
                source,
                environment_source,
                plugins,
                provenance: BTreeMap::new(),
                root: root.to_owned(),
                anchors: Vec::new(),
            }),
            Err(faults) => Err(Refused::Invalid(vec![Report { source, faults }])),
        }
    }

    /// Reads every secret and fetches every token that the runbook may use, and does no more.
    ///
    /// Returns the names of the credentials.
    ///
    /// # Errors
    ///
    /// Names each credential that can't be had.
    pub async fn obtain(&self) -> Result<Vec<String>, Refused> {
        let used = self
            .runbook
            .uses()
            .flat_map(|using| using.credentials.values())
            .collect();
        let keys = Keys::obtain(self.runbook.environment(), used, Vec::new(), &self.root).await?;
        Ok(keys.credentials.keys().map(ToString::to_string).collect())
    }

    /// Resolves the inputs, narrows every grant to what holds under the environment, and asks the
    /// runbook's own checks.
    ///
    /// # Errors
    ///
    /// An input is missing, unknown or doesn't fit; a check is false; the runbook needs an environment
    /// and there is none.
    pub fn prepare(self, inputs: Map<String, Value>) -> Result<Prepared, Refused> {
        let Draft {
            runbook,
            source,
            environment_source,
            plugins,
            provenance,
            root,
            anchors,
            ..
        } = self;
        let environment_text = runbook
            .environment()
            .zip(environment_source.as_ref())
            .map(|(environment, source)| environment.text_without_secrets(source));
        let hidden = sensitive_texts(&runbook, &inputs);
        let plan = match Plan::new(runbook, inputs) {
            Ok(plan) => plan,
            Err(mut faults) => {
                // A check's message may hold what it was asked about.
                let redactor = sensitive::redactor(hidden);
                for fault in &mut faults {
                    sensitive::redact_text(&redactor, &mut fault.message);
                }
                return Err(Refused::Invalid(vec![Report { source, faults }]));
            }
        };
        let components = plugins
            .into_iter()
            .map(|(name, (packed, manifest))| Ok((name, Component::new(packed, &manifest)?)))
            .collect::<Result<_, Refused>>()?;
        Ok(Prepared {
            plan,
            source,
            environment_text,
            components,
            provenance,
            root,
            anchors,
            tape: None,
        })
    }
}

impl Prepared {
    /// Whether nothing real is reached: the environment reroutes.
    pub fn rehearsal(&self) -> bool {
        self.plan
            .environment
            .as_ref()
            .is_some_and(Environment::is_rehearsal)
    }

    /// The components that the steps run, by the name that the runbook uses.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Digest)> {
        self.components
            .iter()
            .map(|(name, component)| (name.as_str(), component.packed.digest()))
    }

    /// Where a plugin comes from, by the name that the runbook uses; none of a run that goes on with what it has kept.
    pub fn provenance(&self, plugin: &str) -> Option<&Provenance> {
        self.provenance.get(plugin)
    }

    /// Whether a step's plugin asks for the plain text of secrets, by the name that the runbook uses.
    pub fn asks_to_reveal(&self, plugin: &str) -> bool {
        let component = self.components.get(plugin);
        component.is_some_and(|component| asks_to_reveal(&component.packed))
    }

    /// Whether a step's plugin brings its own HTTP client, by the name that the runbook uses.
    pub fn has_wasi_http(&self, plugin: &str) -> bool {
        let component = self.components.get(plugin);
        component.is_some_and(|component| component.packed.has_wasi_http())
    }

    /// How many steps run a plugin: that many may run at once. Rollbacks run one by one, and beside no step.
    pub(crate) fn steps_with_plugins(&self) -> usize {
        all_steps(&self.plan.runbook)
            .filter_map(Step::plugin)
            .count()
    }

    /// The texts of sensitive inputs, which nothing is to show.
    pub(crate) fn sensitive_texts(&self) -> Vec<String> {
        sensitive_texts(&self.plan.runbook, self.plan.inputs.values())
    }
}

/// Warns of secrets whose plain text a plugin may see that doesn't ask for it.
fn revealed_unasked(runbook: &Runbook, plugins: &Plugins) -> Vec<Fault> {
    let unasked = |(place, plugin): (_, &PluginName)| {
        let (packed, manifest) = plugins.get(plugin)?;
        if asks_to_reveal(packed) {
            return None;
        }
        let name = &manifest.name;
        let message = format!(
            "plugin `{name}` doesn't ask for the plain text of a secret, and is granted it"
        );
        Some(Fault::warning(place, message).on_key().help(
            "remove `reveal`: with it a later version of the plugin could see the secret unnoticed",
        ))
    };
    runbook.reveals().into_iter().filter_map(unasked).collect()
}

/// The texts of a runbook's sensitive inputs, of which these are given.
fn sensitive_texts(runbook: &Runbook, given: &Map<String, Value>) -> Vec<String> {
    let inputs = runbook.inputs.iter().filter(|input| input.sensitive);
    let values =
        inputs.filter_map(|input| given.get(input.name.as_str()).or(input.default.as_ref()));
    values.flat_map(sensitive::texts).collect()
}

/// Reads the plugins that a runbook uses and the project has.
fn plugins_of(
    project: &Project,
    runbook: &Runbook,
) -> Result<(Plugins, BTreeMap<PluginName, Provenance>), Refused> {
    manifests(project, runbook.uses().map(|using| &using.plugin))
}

/// All steps of a runbook, section by section.
pub(crate) fn all_steps(runbook: &Runbook) -> impl Iterator<Item = &Step> {
    runbook
        .steps
        .iter()
        .chain(&runbook.on_failure)
        .chain(&runbook.finally)
        .map(|step| &**step)
}
