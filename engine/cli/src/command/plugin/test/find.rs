//! Which files of cases are meant, and which plugin each is about.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sandbook_executor::read_bounded;
use sandbook_runbook::{Cases, Report, Source};

use crate::places::Places;
use crate::problem::Problem;

/// How a plugin's file of cases ends.
const ENDING: &str = ".cases.yaml";

/// The longest file of cases, in bytes.
const LONGEST: usize = 16 << 20;

/// The file of cases in a folder.
const USUAL: &str = "cases.yaml";

/// A file of cases, and the plugin where it isn't the file that says it.
pub(super) struct Found {
    file: PathBuf,
    plugin: Option<String>,
}

/// A file of cases that was read.
pub(super) struct Suite {
    pub(super) source: Source,
    pub(super) cases: Cases,
    /// The plugin, as `read` takes it.
    pub(super) plugin: String,
}

/// The files of cases that are meant.
pub(super) fn find(targets: &[String], places: &Places) -> Result<Vec<Found>, Problem> {
    if targets.is_empty() {
        return find_all(places);
    }
    targets.iter().map(|target| one(target, places)).collect()
}

fn one(target: &str, places: &Places) -> Result<Found, Problem> {
    let path = Path::new(target);
    if target.ends_with(".yaml") || target.ends_with(".yml") {
        return Ok(Found {
            file: path.to_owned(),
            plugin: None,
        });
    }
    if target.ends_with(".wasm") {
        return Ok(Found {
            file: cases_of(path),
            plugin: Some(named_as_file(path)),
        });
    }
    if target.contains('/') || path.is_dir() && places.account().is_none() {
        return Ok(Found {
            file: path.join(USUAL),
            plugin: None,
        });
    }
    let project = places.project()?;
    project.plugin(target)?;
    let known = project.plugins().find(|(name, _)| *name == target);
    let (_, plugin) =
        known.ok_or_else(|| Problem::wrong(format!("there is no plugin `{target}`")))?;
    Ok(Found {
        file: cases_of(&plugin),
        plugin: Some(target.to_owned()),
    })
}

/// The cases of all the project's plugins, and those in this folder.
fn find_all(places: &Places) -> Result<Vec<Found>, Problem> {
    let mut found = Vec::new();
    if let Some(project) = places.project_if_any()? {
        for (name, plugin) in project.plugins() {
            let file = cases_of(&plugin);
            if file.is_file() {
                let plugin = Some(name.to_owned());
                found.push(Found { file, plugin });
            }
        }
    }
    if places.account().is_none() {
        let whole = |path: &Path| std::path::absolute(path).ok();
        let known: Vec<_> = found.iter().map(|found| whole(&found.file)).collect();
        let others = here().filter(|file| !known.contains(&whole(file)));
        found.extend(others.map(|file| Found { file, plugin: None }));
    }
    if found.is_empty() {
        return Err(Problem::wrong("there are no cases here").help(
            "a plugin's cases lie beside it as NAME.cases.yaml, or in its folder as cases.yaml; or name a file: `sandbook plugin test FILE`",
        ));
    }
    Ok(found)
}

/// The files of cases in this folder, by name.
fn here() -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(".").into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut files: Vec<String> = names
        .filter(|name| name == USUAL || name.ends_with(ENDING))
        .collect();
    files.sort();
    files.into_iter().map(PathBuf::from)
}

/// Reads a file of cases; its faults, where it has some.
pub(super) fn suite(found: &Found, plugin: Option<&str>) -> Result<Result<Suite, Report>, Problem> {
    let file = &found.file;
    let text = text_of(file).map_err(|error| {
        Problem::file("read", file, &error).help(
            "cases lie beside their plugin as NAME.cases.yaml, or in its folder as cases.yaml",
        )
    })?;
    let source = Source {
        name: shown(file),
        text,
    };
    Ok(Cases::parse(&source).map(|cases| Suite {
        plugin: plugin
            .map(str::to_owned)
            .or_else(|| found.plugin.clone())
            .unwrap_or_else(|| plugin_of(file, &cases)),
        source,
        cases,
    }))
}

fn text_of(file: &Path) -> io::Result<String> {
    let bytes = read_bounded(File::open(file)?, LONGEST)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The plugin that a file of cases is about.
fn plugin_of(file: &Path, cases: &Cases) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    if let Some(path) = &cases.plugin {
        return named_as_file(&folder.join(path));
    }
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let stem = match name.strip_suffix(ENDING) {
        Some(stem) => stem.to_owned(),
        None => {
            let whole = std::path::absolute(folder).unwrap_or_default();
            let name = whole.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    };
    named_as_file(&folder.join(format!("{stem}.wasm")))
}

/// The file of cases of a packed plugin: the one with its name, else the folder's, where that is about this plugin or can't be
/// understood.
fn cases_of(plugin: &Path) -> PathBuf {
    let (own, usual) = (beside(plugin), plugin.with_file_name(USUAL));
    if own.is_file() {
        return own;
    }
    let Ok(text) = fs::read_to_string(&usual) else {
        return own;
    };
    let name = shown(&usual);
    let same = |file: String| fs::canonicalize(file).ok() == fs::canonicalize(plugin).ok();
    match Cases::parse(&Source { name, text }) {
        Ok(cases) if !same(plugin_of(&usual, &cases)) => own,
        _ => usual,
    }
}

/// The file of cases that is named as a packed plugin, and lies beside it.
fn beside(plugin: &Path) -> PathBuf {
    let name = plugin.file_stem().unwrap_or_default().to_string_lossy();
    plugin.with_file_name(format!("{name}{ENDING}"))
}

/// A path in a form that is not taken for a name.
fn named_as_file(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains('/') {
        text
    } else {
        format!("./{text}")
    }
}

/// A path as seen from here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let shown = path.strip_prefix(here).unwrap_or(path);
    shown.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_plugin_lies_beside_it_unless_it_says_otherwise() {
        let cases = |plugin: Option<&str>| Cases {
            plugin: plugin.map(str::to_owned),
            cases: Vec::new(),
        };
        let of = |file: &str, plugin| plugin_of(Path::new(file), &cases(plugin));
        assert_eq!(of("a/b.cases.yaml", None), "a/b.wasm");
        assert_eq!(of("a/b/cases.yaml", None), "a/b/b.wasm");
        assert_eq!(of("a/b/cases.yaml", Some("../c.wasm")), "a/b/../c.wasm");
        assert_eq!(of("b.cases.yaml", None), "./b.wasm");
        assert_eq!(beside(Path::new("a/b.wasm")), Path::new("a/b.cases.yaml"));
    }
}
