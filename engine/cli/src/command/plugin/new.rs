//! `sandbook plugin new`: a plugin to start from.

mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sandbook_runbook::PluginName;

use crate::arguments::PluginNew;
use crate::problem::Problem;
use crate::screen::Output;

pub(super) fn new(arguments: &PluginNew, output: &mut Output) -> Result<(), Problem> {
    let name = name(&arguments.plugin_name)?;
    let folder = match &arguments.to {
        Some(folder) => folder.clone(),
        None => PathBuf::from(&name),
    };
    refuse_unless_empty(&folder)?;
    for file in template::files(arguments.lang, &name) {
        put(&folder.join(&file.path), &file.contents)
            .and_then(|()| make_executable(&folder, &file.path))?;
    }
    output.text(&welcome(arguments, &name, &folder));
    Ok(())
}

/// A name that a plugin can have, and a package of any of the languages too.
fn name(given: &str) -> Result<String, Problem> {
    let name = PluginName::new(given).map_err(|fault| Problem::wrong(fault.to_string()))?;
    if given.contains('_') || given.ends_with('-') {
        let message = format!("`{name}` is not a name for a new plugin");
        let help = "it may hold lower-case letters, digits and, between them, `-`";
        return Err(Problem::wrong(message).help(help));
    }
    Ok(name.to_string())
}

fn refuse_unless_empty(folder: &Path) -> Result<(), Problem> {
    let not_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(Problem::file("look into", folder, &error)),
    };
    if not_empty {
        let message = format!("`{}` is not empty", folder.display());
        let help = "name another folder, one that is empty or not there yet: `--to DIR`";
        return Err(Problem::wrong(message).help(help));
    }
    Ok(())
}

fn put(path: &Path, contents: &[u8]) -> Result<(), Problem> {
    let above = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(above).map_err(|error| Problem::file("make", above, &error))?;
    fs::write(path, contents).map_err(|error| Problem::file("write", path, &error))
}

fn make_executable(folder: &Path, path: &str) -> Result<(), Problem> {
    use std::os::unix::fs::PermissionsExt as _;
    if !path.ends_with(".sh") {
        return Ok(());
    }
    let script = folder.join(path);
    let changed = fs::metadata(&script).and_then(|metadata| {
        let mut permissions = metadata.permissions();
        // For those who can read it.
        permissions.set_mode(permissions.mode() | (permissions.mode() & 0o444) >> 2);
        fs::set_permissions(&script, permissions)
    });
    changed.map_err(|error| Problem::file("make executable", &script, &error))
}

fn welcome(arguments: &PluginNew, name: &str, folder: &Path) -> String {
    let language = arguments.lang;
    let (folder, lang) = (folder.display(), language.argument());
    format!(
        "Made `{name}`, a plugin in {language}, in `{folder}`.\n\n  \
         cd {folder}\n  \
         sandbook plugin doctor --lang {lang}    is all there that it is built with?\n  \
         ./build.sh    build and pack {name}.wasm\n\n\
         The step is in `{}`; README.md says what the other files are.\n",
        template::source(language)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_every_language_takes() {
        for fine in ["a", "purge-cache", "read-status-2"] {
            assert_eq!(name(fine).unwrap(), fine);
        }
        for wrong in ["", "Purge", "purge_cache", "2nd", "a/b", "..", "a b", "a-"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
