//! `sandbook plugin run`: a plugin once, alone, as a run of one step; and its recording as a case.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use sandbook_executor::{
    Draft, Engine, GivenAlone, PluginAlone, Project, Recorded, Recording, RecordingError, Trials,
    create, is_path,
};
use sandbook_runbook::Slot;
use serde_json::{Map, Value};

use crate::arguments::PluginRun;
use crate::command::conduct::conduct;
use crate::command::{given, run};
use crate::compiling::compiler;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::{Problem, documents};
use crate::prompt;
use crate::render;
use crate::screen::{Output, Paper, complain, safe};

pub(super) fn run_alone(
    arguments: &PluginRun,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let plugin = if is_path(&arguments.plugin) {
        PluginAlone::of_file(Path::new(&arguments.plugin))?
    } else {
        PluginAlone::of_project(&project, &arguments.plugin)?
    };
    arguments.record.as_deref().map_or(Ok(()), refuse_place)?;
    let alone = given_alone(arguments, &plugin)?;
    let (draft, inputs) = draft(&project, &plugin, &alone, arguments.given.env.as_deref())?;
    if !draft.warnings.is_empty() {
        complain(&documents(&draft.warnings, Paper::standard_error()));
    }
    let mut prepared = draft.prepare(inputs)?;
    complain(render::plan(&prepared, Paper::standard_error()).trim_end());
    run::confirm(&prepared, arguments.dry_run, arguments.yes, None)?;
    let recording = arguments
        .record
        .as_ref()
        .map(|file| (file, Recording::of(&mut prepared)));
    // What a recording needs is there before anything is sent.
    let recording = match recording {
        None => None,
        Some((file, recording)) => {
            let state = places.state_of(Some(&project))?;
            let trials = Trials::new(plugin.packed(), &state, compiler())?;
            Some((file, recording, trials))
        }
    };
    let engine = places.engine(&project, 1)?;
    let start = async |options| engine.start(prepared, arguments.dry_run, options).await;
    let exit = conduct(&engine, &project, start, arguments.output, output)?;
    if let Some((file, recording, trials)) = recording {
        let at = place_of(&arguments.plugin, &project);
        let tested = relative(&at, file);
        record(&engine, (&recording, file), &tested, &alone, &trials)?;
    }
    Ok(exit)
}

/// Writes a recording, whole or not at all.
fn record(
    engine: &Engine,
    (recording, file): (&Recording, &Path),
    plugin: &str,
    given: &GivenAlone,
    trials: &Trials,
) -> Result<(), Problem> {
    let nothing = format!("nothing was written to `{}`", file.display());
    let Recorded { text, differences } = match recording.write(engine, plugin, given, trials) {
        Ok(recorded) => recorded,
        Err(error @ (RecordingError::Unreadable(_) | RecordingError::Failed(_))) => {
            return Err(Problem::engine(nothing).caused_by(&error));
        }
        // What was done is done: how the run went is told by its exit status.
        Err(error) => {
            complain(&format!("warning: {nothing}: {}", safe(&error.to_string())));
            return Ok(());
        }
    };
    if let Err(error) = create(file, text.as_bytes(), 0o666) {
        complain(&format!("warning: {nothing}: {error}"));
        return Ok(());
    }
    complain(&format!(
        "Recorded in `{0}`; `sandbook plugin test {0}` tries it.",
        file.display()
    ));
    for difference in differences {
        complain(&format!(
            "warning: tried at once, it goes otherwise: {}",
            safe(&difference.message)
        ));
    }
    Ok(())
}

/// Refuses, before anything is sent, to record where nothing can be written.
fn refuse_place(file: &Path) -> Result<(), Problem> {
    // A link that leads nowhere is there too.
    if file.symlink_metadata().is_ok() {
        return Err(
            Problem::wrong(format!("`{}` is there already", file.display()))
                .help("name another file: a recording replaces none"),
        );
    }
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(
            Problem::wrong(format!("there is no folder `{}`", folder.display()))
                .help("make it, or name a file elsewhere"),
        ),
    }
}

/// What the plugin is run with.
fn given_alone(arguments: &PluginRun, plugin: &PluginAlone) -> Result<GivenAlone, Problem> {
    let parse = |name: &str, text: &str| plugin.parse_input(name, text);
    let input = given::read_inputs(&arguments.given, parse)?;
    let mut credentials = BTreeMap::new();
    for pair in &arguments.credential {
        let (slot, name) = pair.split_once('=').ok_or_else(|| {
            Problem::wrong(format!("`{pair}` is not of the form SLOT=NAME")).help(format!(
                "write `--credential {pair}=NAME`, with the name of one of the environment's credentials"
            ))
        })?;
        credentials.insert(slot_of(slot)?, name.to_owned());
    }
    let reveal = arguments.reveal.iter().map(|slot| slot_of(slot));
    Ok(GivenAlone {
        input,
        credentials,
        reveal: reveal.collect::<Result<_, _>>()?,
        allow: Some(arguments.allow.clone()).filter(|lines| !lines.is_empty()),
    })
}

fn slot_of(text: &str) -> Result<Slot, Problem> {
    Slot::new(text).map_err(|fault| Problem::wrong(fault.to_string()))
}

/// The runbook of the one step, with its environment.
fn draft(
    project: &Project,
    plugin: &PluginAlone,
    alone: &GivenAlone,
    environment: Option<&str>,
) -> Result<(Draft, Map<String, Value>), Problem> {
    if environment.is_some() {
        return Ok(plugin.draft(project, alone, environment)?);
    }
    let (draft, inputs) = plugin.draft(project, alone, None)?;
    let somebody = prompt::somebody_is_there();
    match given::environment_of(project, &draft, somebody)? {
        None => Ok((draft, inputs)),
        Some(name) => Ok(plugin.draft(project, alone, Some(&name))?),
    }
}

/// Where a plugin lies.
fn place_of(plugin: &str, project: &Project) -> PathBuf {
    let mut known = project.plugins();
    let known = known.find(|(name, _)| *name == plugin && !is_path(plugin));
    known.map_or_else(|| PathBuf::from(plugin), |(_, path)| path)
}

/// A path as it is written in a file.
fn relative(path: &Path, file: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, file) = (whole(path), whole(file));
    let folder = file.parent().unwrap_or(&file);
    let common = folder
        .components()
        .zip(path.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder.components().skip(common).map(|_| "..".as_ref());
    let down = path.components().skip(common);
    let relative: PathBuf = up.chain(down.map(Component::as_os_str)).collect();
    relative.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_at_the_files_folder() {
        let of = |path: &str, file: &str| relative(Path::new(path), Path::new(file));
        assert_eq!(of("/a/b/c.wasm", "/a/b/c.cases.yaml"), "c.wasm");
        assert_eq!(of("/a/b/c.wasm", "/a/d/e/cases.yaml"), "../../b/c.wasm");
        assert_eq!(of("x.wasm", "cases/x.yaml"), "../x.wasm");
    }
}
