//! A project's files: where they lie, and reading them. All of a project's input is read here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sandbook_journal::StateDir;
use sandbook_runbook::{
    self as runbook, Environment, LARGEST_DOCUMENT, Manifest, PluginName, Report, Runbook, Source,
};
use sandbook_sandbox::{MAX_COMPONENT_BYTES, Packed};

use crate::anchoring::{Anchoring, ToAnchor};
use crate::bounded::read_file;
use crate::draft::{Draft, Plugins};
use crate::lock::LOCK_FILE;
use crate::plugins::Provenance;
use crate::refused::Refused;
use crate::secrets::Secrets;

/// The file that makes a folder a project.
pub const PROJECT_FILE: &str = "sandbook.yaml";

/// A folder with a `sandbook.yaml`.
#[derive(Debug)]
pub struct Project {
    root: PathBuf,
    settings: runbook::Project,
}

/// A runbook of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name: the file's name without `.yaml`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// What a look over the project's documents found.
#[derive(Debug)]
pub struct Checked {
    /// The documents that have faults or warnings.
    pub reports: Vec<Report>,
    /// What else is wrong: files that can't be read, plugins that can't be used.
    pub refused: Vec<Refused>,
    /// How many documents were read.
    pub files: usize,
}

impl Project {
    /// The project that `from` lies in: the nearest folder upwards with a `sandbook.yaml`.
    ///
    /// # Errors
    ///
    /// There is none, or its file has faults.
    pub fn find(from: &Path) -> Result<Project, Refused> {
        let from = std::path::absolute(from)
            .map_err(|error| Refused::unreadable("folder", from, error))?;
        match from.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()) {
            Some(folder) => Project::open(folder),
            None => Err(Refused::because(format!("there is no `{PROJECT_FILE}` in `{}` or above it", from.display()))
                .help("go to a project's folder, name one with `--project`, or make one with `sandbook init DIR`")),
        }
    }

    /// The project in this folder.
    ///
    /// # Errors
    ///
    /// The folder holds no `sandbook.yaml`, or one with faults.
    pub fn open(root: &Path) -> Result<Project, Refused> {
        let root = std::path::absolute(root)
            .map_err(|error| Refused::unreadable("folder", root, error))?;
        let source = read(&root, &root.join(PROJECT_FILE), "project file")?;
        let settings =
            runbook::Project::parse(&source).map_err(|report| Refused::Invalid(vec![report]))?;
        Ok(Project { root, settings })
    }

    /// The folder that holds `sandbook.yaml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the project wants its state kept, where it says so.
    pub fn state(&self) -> Option<PathBuf> {
        self.settings
            .state
            .as_ref()
            .map(|path| self.root.join(path))
    }

    /// Where the project has its secrets, and the identity that opens them, as far as it says so.
    pub(crate) fn secrets(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        let place = |path: &Option<String>| path.as_ref().map(|path| self.root.join(path));
        let secrets = &self.settings.secrets;
        (place(&secrets.file), place(&secrets.identity))
    }

    /// The project's anchors, for the record in this state directory.
    pub fn anchoring(&self, state: &StateDir) -> Anchoring {
        Anchoring {
            state: state.clone(),
            anchors: self.anchors(),
            with_webhooks: true,
        }
    }

    /// Where the ledger's head is sent.
    pub(crate) fn anchors(&self) -> Vec<ToAnchor> {
        let anchors = self.settings.anchors.iter();
        anchors
            .map(|anchor| ToAnchor::new(anchor, &self.root))
            .collect()
    }

    /// The files that are read of it and the folders that they are looked for in, as far as they are there: documents,
    /// plugins and the keys that they are signed with, the secrets and what opens them.
    ///
    /// # Errors
    ///
    /// A folder can't be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, Refused> {
        let environments = self.root.join(&self.settings.environments);
        let mut files = vec![self.root.join(LOCK_FILE)];
        for folder in [self.runbooks_folder(), environments] {
            if folder.exists() {
                files.extend(yaml_files(&folder)?.into_iter().map(|listed| listed.path));
                files.push(folder);
            }
        }
        files.extend(self.plugins().map(|(_, path)| path));
        files.extend(self.key_files());
        if let Ok(secrets) = Secrets::of(self) {
            files.extend([secrets.file(), secrets.identity()].map(Path::to_owned));
        }
        files.retain(|file| file.exists());
        Ok(files)
    }

    /// The environment that is taken where none is named; it reroutes.
    pub fn default_environment(&self) -> Option<&str> {
        self.settings
            .default_environment
            .as_ref()
            .map(runbook::EnvironmentName::as_str)
    }

    /// What the project says.
    pub(crate) fn settings(&self) -> &runbook::Project {
        &self.settings
    }

    /// The names of the project's plugins.
    pub(crate) fn plugin_names(&self) -> impl Iterator<Item = &PluginName> {
        self.settings.plugins.keys()
    }

    /// The project's runbooks, by name.
    ///
    /// # Errors
    ///
    /// The folder can't be read.
    pub fn runbooks(&self) -> Result<Vec<Listed>, Refused> {
        let mut listed = yaml_files(&self.runbooks_folder())?;
        listed.retain(|listed| listed.path != self.root.join(PROJECT_FILE));
        Ok(listed)
    }

    /// The names of the project's runbooks.
    ///
    /// # Errors
    ///
    /// The folder can't be read.
    pub fn runbook_names(&self) -> Result<Vec<String>, Refused> {
        let listed = self.runbooks()?;
        Ok(listed.into_iter().map(|listed| listed.name).collect())
    }

    /// Without the `.` that stands for the project's own folder.
    fn runbooks_folder(&self) -> PathBuf {
        let folder = self.root.join(&self.settings.runbooks);
        folder.components().collect()
    }

    /// What a runbook of the project says, whatever it uses.
    ///
    /// # Errors
    ///
    /// It can't be read, or has faults by itself.
    pub fn runbook(&self, listed: &Listed) -> Result<Runbook, Refused> {
        let source = read(&self.root, &listed.path, "runbook")?;
        let (runbook, _) = parse_runbook(&source)?;
        Ok(runbook)
    }

    /// The names of the project's environments.
    ///
    /// # Errors
    ///
    /// The folder is there and can't be read.
    pub fn environments(&self) -> Result<Vec<String>, Refused> {
        let folder = self.root.join(&self.settings.environments);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        Ok(yaml_files(&folder)?
            .into_iter()
            .map(|listed| listed.name)
            .filter(|name| !name.ends_with(".example"))
            .collect())
    }

    /// A runbook with its plugins' manifests and its environment, checked as far as it can be
    /// without inputs.
    ///
    /// # Errors
    ///
    /// A document or a plugin is missing or has faults.
    pub fn draft(&self, runbook: &str, environment: Option<&str>) -> Result<Draft, Refused> {
        let source = self.runbook_source(runbook)?;
        let environment = environment.map(|name| self.environment(name)).transpose()?;
        Draft::new(self, source, environment)
    }

    /// A runbook's text, by name or by path.
    fn runbook_source(&self, runbook: &str) -> Result<Source, Refused> {
        if is_path(runbook) {
            let path = Path::new(runbook);
            let refused = |refused: Refused| match path.exists() {
                true => refused,
                false => refused.help(
                    "check the path, or name one of the project's: `sandbook list` shows them",
                ),
            };
            return read(&self.root, path, "runbook").map_err(refused);
        }
        let listed = self.runbooks()?;
        match listed.iter().find(|listed| listed.name == runbook) {
            Some(listed) => read(&self.root, &listed.path, "runbook"),
            None => {
                let names = listed.iter().map(|listed| listed.name.as_str());
                Err(unknown("runbook", runbook, names, &self.runbooks_folder()))
            }
        }
    }

    /// An environment and its text, by name.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it has faults.
    pub fn environment(&self, name: &str) -> Result<(Environment, Source), Refused> {
        let folder = self.root.join(&self.settings.environments);
        let path = folder.join(format!("{name}.yaml"));
        let names = self.environments()?;
        if !path.is_file() || name.contains('/') {
            return Err(unknown(
                "environment",
                name,
                names.iter().map(String::as_str),
                &folder,
            ));
        }
        let source = read(&self.root, &path, "environment")?;
        let environment =
            Environment::parse(&source).map_err(|report| Refused::Invalid(vec![report]))?;
        if environment.name.as_str() != name {
            return Err(Refused::because(format!(
                "`{}` calls its environment `{}`; the file's name and `name` must be the same",
                source.name, environment.name
            )));
        }
        if self.default_environment() == Some(name) && !environment.is_rehearsal() {
            return Err(Refused::because(format!(
                "`{PROJECT_FILE}` makes `{name}` the default environment, but it reaches the real services"
            ))
            .help("only an environment that reroutes may be the default; remove `default_environment` and say `--env`"));
        }
        Ok((environment, source))
    }

    /// Everything that can be known of these runbooks, by name or by path, without running them; of
    /// all of the project's documents where none is named.
    ///
    /// # Errors
    ///
    /// A file can't be read. Faults in the documents are what is returned, not an error.
    pub fn check(
        &self,
        runbooks: &[String],
        environment: Option<&str>,
    ) -> Result<Checked, Refused> {
        let mut checked = Checked {
            reports: Vec::new(),
            refused: Vec::new(),
            files: 0,
        };
        let against = match environment {
            Some(name) => match checked.take(self.environment(name)) {
                // Nothing can be held against one that isn't there, and what is said of it would be beside the point.
                None => return Ok(checked),
                found => found,
            },
            None => None,
        };
        let mut runbooks = runbooks.to_vec();
        if runbooks.is_empty() {
            runbooks = self.runbook_names()?;
            for name in self
                .environments()?
                .iter()
                .filter(|name| Some(name.as_str()) != environment)
            {
                checked.take(self.environment(name));
            }
        }
        for runbook in runbooks {
            let source = self.runbook_source(&runbook);
            let draft = source.and_then(|source| Draft::new(self, source, against.clone()));
            if let Some(draft) = checked.take(draft) {
                checked.reports.extend(draft.warnings);
            }
        }
        Ok(checked)
    }
}

impl Checked {
    /// Whether anything is wrong, and not only odd.
    pub fn has_errors(&self) -> bool {
        !self.refused.is_empty() || self.reports.iter().any(Report::has_errors)
    }

    /// Counts a document in; what is wrong with it is kept.
    fn take<T>(&mut self, result: Result<T, Refused>) -> Option<T> {
        self.files += 1;
        match result {
            Ok(value) => return Some(value),
            Err(Refused::Invalid(reports)) => self.reports.extend(reports),
            Err(refused)
                if self
                    .refused
                    .iter()
                    .any(|known| known.says_the_same(&refused)) => {}
            Err(refused) => self.refused.push(refused),
        }
        None
    }
}

/// Whether a runbook or a plugin is named by its path: it has a folder or an ending.
pub fn is_path(named: &str) -> bool {
    let has_ending = |ending| named.ends_with(ending);
    named.contains('/') || [".yaml", ".yml", ".wasm"].iter().any(has_ending)
}

/// Reads a packed plugin and its manifest; runs none of its code.
///
/// # Errors
///
/// The file can't be read, isn't a packed component of the contract, or its manifest has faults.
pub fn read_plugin(path: &Path) -> Result<(Packed, Manifest), Refused> {
    let bytes = read_file(path, MAX_COMPONENT_BYTES).map_err(|error| {
        Refused::unreadable("plugin", path, error).help(
            "build and pack it; `sandbook plugin pack COMPONENT --manifest plugin.yaml` packs one",
        )
    })?;
    let packed = Packed::read(bytes).map_err(|error| {
        Refused::because(format!("`{}` is not a plugin", path.display())).caused_by(error)
    })?;
    let manifest = manifest_of(&packed, path)?;
    Ok((packed, manifest))
}

/// The manifest of a packed plugin that came from here.
pub(crate) fn manifest_of(packed: &Packed, from: &Path) -> Result<Manifest, Refused> {
    Manifest::from_json(packed.manifest_json()).map_err(|mut report| {
        report.source.name = format!("{} (manifest)", from.display());
        Refused::Invalid(vec![report])
    })
}

/// Which of the runbook's plugins are there, and where from. One from elsewhere has to be what was accepted, and one
/// that somebody must have signed has to be signed.
pub(crate) fn manifests<'a>(
    project: &Project,
    used: impl Iterator<Item = &'a PluginName>,
) -> Result<(Plugins, BTreeMap<PluginName, Provenance>), Refused> {
    let (mut plugins, mut from) = (Plugins::new(), BTreeMap::new());
    let mut lock = None;
    for name in used {
        // A name that the project doesn't know is a fault of the runbook, which `check` places.
        if !plugins.contains_key(name) && project.settings.plugins.contains_key(name) {
            let (plugin, provenance) = project.usable_by(name, &mut lock)?;
            plugins.insert(name.clone(), plugin);
            from.insert(name.clone(), provenance);
        }
    }
    Ok((plugins, from))
}

/// Reads a document; its name is its path as seen from here, or from the project.
pub(crate) fn read(root: &Path, path: &Path, what: &str) -> Result<Source, Refused> {
    let read = read_file(path, LARGEST_DOCUMENT);
    let bytes = read.map_err(|error| Refused::unreadable(what, path, error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        Refused::because(format!("{what} `{}` is not UTF-8 text", path.display()))
            .caused_by(error.utf8_error())
    })?;
    let here = std::env::current_dir().ok();
    let shown = here
        .and_then(|here| path.strip_prefix(here).ok())
        .or_else(|| path.strip_prefix(root).ok())
        .unwrap_or(path);
    Ok(Source {
        name: shown.display().to_string(),
        text,
    })
}

fn yaml_files(folder: &Path) -> Result<Vec<Listed>, Refused> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| Refused::unreadable("folder", folder, error))?;
    let mut listed = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Refused::unreadable("folder", folder, error))?
            .path();
        let is_yaml = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if let (true, Some(name)) = (is_yaml && path.is_file(), path.file_stem()) {
            listed.push(Listed {
                name: name.to_string_lossy().into_owned(),
                path,
            });
        }
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

pub(crate) fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
    place: &Path,
) -> Refused {
    let known: Vec<&str> = known.collect();
    let refused = Refused::because(format!(
        "there is no {what} `{name}` in `{}`",
        place.display()
    ));
    if known.is_empty() {
        return refused;
    }
    let all = known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match runbook::closest(name, known.iter().copied()) {
        Some(close) if known.len() == 1 => refused.help(format!("did you mean `{close}`?")),
        Some(close) => refused.help(format!("did you mean `{close}`? There are {all}")),
        None if known.len() == 1 => refused.help(format!("there is only {all}")),
        None => refused.help(format!("there are {all}")),
    }
}

/// A runbook that was parsed, as `check` and `list` want it.
pub(crate) fn parse_runbook(source: &Source) -> Result<(Runbook, Vec<runbook::Fault>), Refused> {
    Runbook::parse(source).map_err(|report| Refused::Invalid(vec![report]))
}
