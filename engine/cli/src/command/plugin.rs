//! `sandbook plugin`: packing plugins, looking at them, and trying them.

mod accept;
mod diff;
mod doctor;
mod new;
mod run;
mod test;
mod toolchains;

use std::fs;
use std::path::{Path, PathBuf};

use sandbook_executor::{Standing, is_path, read_plugin, replace};
use sandbook_runbook::{Manifest, Source};
use sandbook_sandbox::{Packed, Sandbox, Settings, pack};
use serde_json::json;

use crate::arguments::{PluginCommand, PluginInspect, PluginPack};
use crate::compiling::compiler;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render;
use crate::screen::{Ink, Output, Table, one_line, safe};

pub(crate) fn plugin(
    command: PluginCommand,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    match command {
        PluginCommand::New(arguments) => new::new(&arguments, output)?,
        PluginCommand::Doctor(arguments) => return Ok(doctor::doctor(&arguments, output)),
        PluginCommand::Pack(arguments) => pack_plugin(&arguments, output)?,
        PluginCommand::Inspect(arguments) => inspect(&arguments, places, output)?,
        PluginCommand::Diff(arguments) => diff::diff(&arguments, places, output)?,
        PluginCommand::Test(arguments) => return test::test(&arguments, places, output),
        PluginCommand::Run(arguments) => return run::run_alone(&arguments, places, output),
        PluginCommand::Accept(arguments) => accept::accept(&arguments, places, output)?,
        PluginCommand::Check { plugin } => check(&plugin, places, output)?,
        PluginCommand::List(format) => list(format.is_json(), places, output)?,
    }
    Ok(Exit::Succeeded)
}

fn pack_plugin(arguments: &PluginPack, output: &mut Output) -> Result<(), Problem> {
    let PluginPack {
        component,
        manifest,
        to,
        quiet,
    } = arguments;
    let bytes = fs::read(component).map_err(|error| Problem::file("read", component, &error))?;
    let text =
        fs::read_to_string(manifest).map_err(|error| Problem::file("read", manifest, &error))?;
    let source = Source {
        name: manifest.display().to_string(),
        text,
    };
    let manifest = Manifest::parse(&source).map_err(Problem::document)?;
    let json = manifest.to_json();
    let not_one = || Problem::wrong(format!("`{}` can't be made a plugin", component.display()));
    let packed = pack(&bytes, json.as_bytes()).map_err(|error| not_one().caused_by(&error))?;
    let packed = Packed::read(packed).map_err(|error| not_one().caused_by(&error))?;
    let to = to
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.wasm", manifest.name)));
    replace(&to, packed.bytes(), 0o666).map_err(|error| Problem::file("write", &to, &error))?;
    if !quiet {
        output.line(&format!(
            "Packed `{}` {} into `{}`.",
            manifest.name,
            safe(&manifest.version),
            to.display()
        ));
        output.line(&packed.digest().to_string());
    }
    Ok(())
}

fn inspect(arguments: &PluginInspect, places: &Places, output: &mut Output) -> Result<(), Problem> {
    let plugin = &arguments.plugin;
    let (packed, manifest) = read(plugin, places)?;
    let standing = match is_path(plugin) {
        true => None,
        false => Some(places.project()?.standing(plugin, &packed, &manifest)?),
    };
    if arguments.step {
        let name = if is_path(plugin) {
            manifest.name.as_str()
        } else {
            plugin
        };
        output.text(&render::step(name, &manifest));
    } else if arguments.output.is_json() {
        output.line(&format!(
            "{:#}",
            render::inspection_json(&packed, &manifest, standing.as_ref())
        ));
    } else {
        output.text(&render::inspection(
            &packed,
            &manifest,
            standing.as_ref(),
            output.paper,
        ));
    }
    Ok(())
}

/// Reads a packed plugin: a file, or one of the project's by its name.
fn read(plugin: &str, places: &Places) -> Result<(Packed, Manifest), Problem> {
    if is_path(plugin) {
        Ok(read_plugin(Path::new(plugin))?)
    } else {
        Ok(places.project()?.plugin(plugin)?)
    }
}

/// Compiles it and fits it to the contract, as a run would; calls nothing of it.
fn check(plugin: &str, places: &Places, output: &mut Output) -> Result<(), Problem> {
    let (packed, manifest) = read(plugin, places)?;
    let broken = Problem::engine("the sandbox can't be made");
    let settings = Settings {
        compiler: compiler(),
        ..Settings::default()
    };
    let sandbox = Sandbox::new(&settings).map_err(|error| broken.caused_by(&error))?;
    sandbox
        .load(&packed)
        .map_err(|error| Problem::wrong(format!("`{plugin}` can't be loaded")).caused_by(&error))?;
    output.line(&format!(
        "`{}` {} is a plugin and can be loaded.",
        manifest.name,
        safe(&manifest.version)
    ));
    Ok(())
}

fn list(json: bool, places: &Places, output: &mut Output) -> Result<(), Problem> {
    let project = places.project()?;
    let mut table = Table::headed(&["plugin", "version", "digest", "from", "description"]);
    let mut some = false;
    for (name, path) in project.plugins() {
        some = true;
        let read = project.plugin(name).and_then(|(packed, manifest)| {
            let standing = project.standing(name, &packed, &manifest)?;
            Ok((packed, manifest, standing))
        });
        if json {
            let (error, read) = match read {
                Ok(read) => (None, Some(read)),
                Err(refused) => (Some(refused.to_string()), None),
            };
            let line = json!({
                "name": name, "path": path, "error": error,
                "digest": read.as_ref().map(|(packed, ..)| packed.digest().to_string()),
                "version": read.as_ref().map(|(_, manifest, _)| &manifest.version),
                "description": read.as_ref().map(|(_, manifest, _)| &manifest.description),
                "outside": read.as_ref().map(|(.., standing)| *standing != Standing::Inside),
                "accepted": read.as_ref().and_then(|(.., standing)| standing.is_accepted()),
            });
            output.line(&line.to_string());
            continue;
        }
        let cells = match &read {
            Ok((packed, manifest, standing)) => [
                (Ink::Name, name.to_owned()),
                (Ink::Plain, one_line(&manifest.version)),
                (Ink::Faint, packed.digest().hex()[..12].to_owned()),
                render::standing(standing),
                (Ink::Plain, one_line(&manifest.description)),
            ],
            Err(refused) => [
                (Ink::Name, name.to_owned()),
                (Ink::Plain, String::new()),
                (Ink::Plain, String::new()),
                (Ink::Plain, String::new()),
                (Ink::Bad, one_line(&refused.to_string())),
            ],
        };
        table.row(cells);
    }
    if !json {
        output.text(&if some {
            table.render(output.paper)
        } else {
            "No plugins in sandbook.yaml.\n".to_owned()
        });
    }
    Ok(())
}
