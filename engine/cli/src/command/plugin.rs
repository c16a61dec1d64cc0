//! `sandbook plugin`: packing plugins, looking at them, trying them, and having them from elsewhere.

mod accept;
mod diff;
mod doctor;
mod each;
mod list;
mod new;
mod run;
mod sources;
mod test;
mod toolchains;

use std::fs;
use std::path::{Path, PathBuf};

use sandbook_executor::{PluginStanding, is_path, read_plugin, replace};
use sandbook_runbook::{Manifest, Source};
use sandbook_sandbox::{Packed, Sandbox, Settings, pack};

use crate::arguments::{PluginCommand, PluginInspect, PluginPack};
use crate::compiling::compiler;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render;
use crate::screen::{Output, safe};

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
        PluginCommand::Add(arguments) => accept::add(&arguments, places, output)?,
        PluginCommand::Update(arguments) => return accept::update(&arguments, places, output),
        PluginCommand::Remove(arguments) => sources::remove(&arguments, places, output)?,
        PluginCommand::Fetch(arguments) => return sources::fetch(&arguments, places, output),
        PluginCommand::Verify(arguments) => return sources::verify(&arguments, places, output),
        PluginCommand::Publish(arguments) => sources::publish(&arguments, output)?,
        PluginCommand::Check { plugin } => check(&plugin, places, output)?,
        PluginCommand::List(format) => list::list(format.is_json(), places, output)?,
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
    let (packed, manifest, standing) = look_at(plugin, places)?;
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

/// A packed plugin, to be looked at: a file, or one of the project's by its name, with how it stands there.
fn look_at(
    plugin: &str,
    places: &Places,
) -> Result<(Packed, Manifest, Option<PluginStanding>), Problem> {
    if is_path(plugin) {
        let (packed, manifest) = read_plugin(Path::new(plugin))?;
        return Ok((packed, manifest, None));
    }
    let mut standing = places.project()?.standing(plugin)?;
    let Some((packed, manifest)) = standing.plugin.take() else {
        let refused = standing.refused;
        return Err(refused
            .expect("invariant: what can't be read is refused")
            .into());
    };
    Ok((packed, manifest, Some(standing)))
}

/// Reads a packed plugin, to be compiled: a file, or one of the project's by its name, as it may be used.
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
