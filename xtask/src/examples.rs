//! Building the plugins in other languages: the examples of `plugins/examples`, and what `sandbook plugin new` makes,
//! just as its user would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::guests::guests_target;
use crate::process::{Outcome, built, root, run, say, target, write};
use crate::tools::{self, Tools};
use crate::tree;

const LANGUAGES: [&str; 5] = ["c", "typescript", "rust", "python", "go"];

/// A plugin that is made by `plugin new`, and what is laid over it.
struct Example {
    name: String,
    /// What it is called in `target/examples`, where several have one name.
    room: String,
    language: &'static str,
    /// The folders of files that differ.
    laid_over: Vec<PathBuf>,
}

/// Those whose toolchains are small: C and TypeScript.
pub(crate) fn build_light() -> Outcome {
    build_each(&["c", "typescript"], in_language)
}

/// Those in all languages.
pub(crate) fn build_all() -> Outcome {
    build_each(&LANGUAGES, in_language)
}

/// Plugins that do nothing, in all languages, to be measured.
pub(crate) fn build_idle() -> Outcome {
    build_each(&LANGUAGES, |language| {
        let files = root().join("tests/bench/idle").join(language);
        let name = format!("idle-{language}");
        Ok(vec![Example::new(name, language, vec![files])])
    })
}

/// Builds some in each of these languages. Those whose toolchain can't be had are left out, which is said; where
/// `SUITE_EXAMPLES` is set it is an error.
fn build_each(
    languages: &[&'static str],
    examples: impl Fn(&'static str) -> Outcome<Vec<Example>>,
) -> Outcome {
    for language in languages {
        let tools = match Tools::of(language) {
            Ok(tools) => tools,
            Err(missing) if std::env::var_os("SUITE_EXAMPLES").is_some() => return Err(missing),
            Err(missing) => {
                say(&format!("LEFT OUT: the plugins in {language}: {missing}"));
                continue;
            }
        };
        for example in examples(language)? {
            example.build(&tools)?;
        }
    }
    Ok(())
}

/// The examples in a language, what only tests run, the guide's step, and what `plugin new` makes without anything laid over.
fn in_language(language: &'static str) -> Outcome<Vec<Example>> {
    let mut folders = vec![root().join("plugins/examples").join(language)];
    if language == "go" {
        folders.push(root().join("tests/suite/plugins/panicking"));
    }
    // Those in Rust lie beside the examples, in a workspace of their own.
    folders.retain(|folder| folder.is_dir());
    let mut examples = Vec::new();
    for folder in folders {
        let name = manifest_name(&folder)?;
        examples.push(Example::new(name, language, vec![folder]));
    }
    let guide = root().join("plugins/examples/retire-pool");
    examples.push(Example {
        name: "retire-pool".to_owned(),
        room: format!("retire-pool-{language}"),
        language,
        laid_over: vec![guide.join("all"), guide.join(language)],
    });
    let bare = format!("new-{language}");
    examples.push(Example::new(bare, language, Vec::new()));
    Ok(examples)
}

impl Example {
    fn new(name: String, language: &'static str, laid_over: Vec<PathBuf>) -> Example {
        Example {
            room: name.clone(),
            name,
            language,
            laid_over,
        }
    }

    /// Makes the plugin's project, and builds it where it isn't the same as the last time.
    fn build(&self, tools: &Tools) -> Outcome {
        let Example { name, room, .. } = self;
        let packed = target().join("examples").join(format!("{room}.wasm"));
        let room = target().join("examples").join(room);
        let (made, source, project) =
            (room.join("made"), room.join("source"), room.join("project"));
        self.make(&made)?;
        if packed.is_file() && tree::is_same(&made, &source) {
            return tree::remove(&made);
        }
        say(&format!("building {name}, in {}", self.language));
        let begun = Instant::now();
        for stale in [&source, &project] {
            tree::remove(stale)?;
        }
        tree::copy(&made, &project)?;
        run(tools
            .command(&project.join("build.sh"))
            .current_dir(&project)
            // For the one in Rust, which depends on what the other guests do.
            .env("CARGO_TARGET_DIR", guests_target())
            .stdout(Stdio::null()))?;
        copy_file(&project.join(format!("{name}.wasm")), &packed)?;
        // Last, since it says that what is packed is what lies there.
        tree::copy(&made, &source)?;
        let took = begun.elapsed();
        write(&room.join("took"), &took.as_secs_f64().to_string())?;
        say(&format!("{name} took {took:.0?}"));
        tree::remove(&made)
    }

    fn make(&self, folder: &Path) -> Outcome {
        tree::remove(folder)?;
        let above = folder.parent().expect("a project lies in a folder");
        fs::create_dir_all(above)
            .map_err(|error| format!("`{}` can't be made: {error}", above.display()))?;
        run(Command::new(built("sandbook"))
            .args(["plugin", "new", &self.name, "--lang", self.language, "--to"])
            .arg(folder)
            .stdout(Stdio::null()))?;
        // With other toolchains it is to be built anew.
        let pinned = folder.join("toolchains.txt");
        write(&pinned, tools::pinned())?;
        self.laid_over
            .iter()
            .try_for_each(|files| tree::copy(files, folder))
    }
}

/// The plugin's name, by the first line of its manifest.
fn manifest_name(folder: &Path) -> Outcome<String> {
    let manifest = folder.join("plugin.yaml");
    fs::read_to_string(&manifest)
        .ok()
        .and_then(|text| Some(text.lines().next()?.strip_prefix("name: ")?.to_owned()))
        .ok_or_else(|| format!("`{}` does not begin with `name:`", manifest.display()))
}

fn copy_file(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to).map(drop).map_err(|error| {
        format!(
            "`{}` can't be copied to `{}`: {error}",
            from.display(),
            to.display()
        )
    })
}
