//! `sandbook init`: a project to start from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sandbook_executor::{PROJECT_FILE, read_plugin};

use crate::arguments::Init;
use crate::exit::Exit;
use crate::problem::Problem;
use crate::render::names;
use crate::screen::Output;

/// The plugin that the second runbook runs.
const CHECKING: &str = "http-check";

const GITIGNORE: &str = include_str!("init/gitignore");
const HELLO: &str = include_str!("init/hello.yaml");
const CHECK_SITE: &str = include_str!("init/check-site.yaml");
const DEMO: &str = include_str!("init/demo.yaml");

pub(crate) fn init(arguments: &Init, output: &mut Output) -> Result<Exit, Problem> {
    let folder = &arguments.folder;
    refuse_unless_empty(folder)?;
    let plugins = match &arguments.plugins {
        Some(from) => plugins_in(from)?,
        None => plugins_beside_the_executable()?,
    };
    let checks = plugins.contains_key(CHECKING);

    make(folder)?;
    make(&folder.join("environments"))?;
    put(&folder.join("environments/demo.yaml"), DEMO)?;
    put(&folder.join(".gitignore"), GITIGNORE)?;
    put(&folder.join("hello.yaml"), HELLO)?;
    if checks {
        put(&folder.join("check-site.yaml"), CHECK_SITE)?;
    }
    if !plugins.is_empty() {
        make(&folder.join("plugins"))?;
    }
    for (name, path) in &plugins {
        let to = folder.join(format!("plugins/{name}.wasm"));
        fs::copy(path, &to).map_err(|error| Problem::file("write", &to, &error))?;
    }
    // Last, since it makes the folder a project.
    put(&folder.join(PROJECT_FILE), &project_file(plugins.keys()))?;
    output.text(&welcome(folder, &plugins, checks));
    Ok(Exit::Succeeded)
}

fn refuse_unless_empty(folder: &Path) -> Result<(), Problem> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Problem::file("look into", folder, &error)),
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(
                Problem::wrong(format!("`{}` is not empty", folder.display()))
                    .help("name a folder that is empty or not there yet"),
            ),
        },
    }
}

/// `<folder of the executable>/../plugins`, as the build leaves them, or `../share/sandbook/plugins`, as they
/// are installed. There may be none: the project is of use without.
fn plugins_beside_the_executable() -> Result<BTreeMap<String, PathBuf>, Problem> {
    let executable = std::env::current_exe()
        .and_then(fs::canonicalize)
        .unwrap_or_default();
    let Some(above) = executable.parent().and_then(Path::parent) else {
        return Ok(BTreeMap::new());
    };
    let places = [above.join("plugins"), above.join("share/sandbook/plugins")];
    places
        .iter()
        .find(|place| place.is_dir())
        .map_or_else(|| Ok(BTreeMap::new()), |place| plugins_in(place))
}

/// The packed plugins in a folder, by the names in their manifests.
fn plugins_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Problem> {
    let entries =
        fs::read_dir(folder).map_err(|error| Problem::file("look into", folder, &error))?;
    let mut plugins = BTreeMap::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Problem::file("look into", folder, &error))?
            .path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
        {
            let (_, manifest) = read_plugin(&path)?;
            plugins.insert(manifest.name.to_string(), path);
        }
    }
    Ok(plugins)
}

fn make(folder: &Path) -> Result<(), Problem> {
    fs::create_dir_all(folder).map_err(|error| Problem::file("make", folder, &error))
}

fn put(path: &Path, text: &str) -> Result<(), Problem> {
    fs::write(path, text).map_err(|error| Problem::file("write", path, &error))
}

fn project_file<'a>(plugins: impl ExactSizeIterator<Item = &'a String>) -> String {
    let mut text =
        "# A Sandbook project: the runbooks beside this file, and what they may use.\n".to_owned();
    if plugins.len() > 0 {
        text.push_str("\n# The plugins, by the names that runbooks call them.\nplugins:\n");
        for name in plugins {
            text.push_str(&format!("  {name}: plugins/{name}.wasm\n"));
        }
    }
    text.push_str("\n# Where runs are recorded.\nstate: .sandbook\n");
    text.push_str("\n# Taken where no environment is named; only one that reroutes can be.\ndefault_environment: demo\n");
    text
}

fn welcome(folder: &Path, plugins: &BTreeMap<String, PathBuf>, checks: bool) -> String {
    let shown = folder.display();
    let mut text = format!("Made a project in `{shown}`.\n");
    if plugins.is_empty() {
        text.push_str(
            "No packed plugins lie beside the executable, so it has none: `sandbook init --plugins DIR` takes those of a folder.\n",
        );
    } else {
        let all: Vec<&String> = plugins.keys().collect();
        text.push_str(&format!("Plugins: {}.\n", names(&all)));
    }
    text.push_str("\nTo try next:\n");
    if folder != Path::new(".") {
        text.push_str(&format!("  cd {shown}\n"));
    }
    text.push_str("  sandbook run hello\n  sandbook show @last\n");
    if checks {
        text.push_str("  sandbook plan check-site\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_file_names_each_plugin() {
        let plugins = ["a".to_owned(), "b-c".to_owned()];
        let text = project_file(plugins.iter());
        assert!(text.contains("  b-c: plugins/b-c.wasm\n"));
        assert!(!project_file([].iter()).contains("plugins:"));
    }

    #[test]
    fn only_an_empty_folder_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refuse_unless_empty(folder.path()).is_ok());
        assert!(refuse_unless_empty(&folder.path().join("new")).is_ok());
        fs::write(folder.path().join("x"), "").unwrap();
        assert!(refuse_unless_empty(folder.path()).is_err());
        assert!(refuse_unless_empty(&folder.path().join("x")).is_err());
    }
}
