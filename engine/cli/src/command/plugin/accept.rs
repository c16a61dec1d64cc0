//! `sandbook plugin accept`, `add` and `update`: what a person takes over from elsewhere, in `sandbook.lock`.

use sandbook_executor::{Acceptance, Network};

use super::each::each;
use crate::arguments::{PluginAccept, PluginAdd, PluginUpdate};
use crate::command::given::runtime;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render;
use crate::screen::{Output, Paper, complain, safe};

pub(super) fn accept(
    arguments: &PluginAccept,
    places: &Places,
    output: &mut Output,
) -> Result<(), Problem> {
    let name = &arguments.plugin;
    let acceptance = places.project()?.acceptance(name)?;
    let said = take(name, acceptance, arguments.yes)?;
    output.line(&said);
    Ok(())
}

pub(super) fn add(
    arguments: &PluginAdd,
    places: &Places,
    output: &mut Output,
) -> Result<(), Problem> {
    let PluginAdd {
        name,
        source,
        signed_by,
        yes,
    } = arguments;
    let project = places.project()?;
    let network = Network::of_user()?;
    let signed_by = (!signed_by.is_empty()).then_some(signed_by.as_slice());
    let addition = project.addition(&network, name, source, signed_by);
    let acceptance = runtime()?.block_on(addition)?;
    take(name, acceptance, *yes)?;
    output.line(&format!(
        "`{}` is in the project. `sandbook plugin inspect {} --step` prints a step that uses it.",
        safe(name),
        safe(name)
    ));
    Ok(())
}

pub(super) fn update(
    arguments: &PluginUpdate,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let network = Network::of_user()?;
    let mut names = arguments.names.clone();
    if names.is_empty() {
        names = project.updatable();
    }
    let runtime = runtime()?;
    let updated = names.into_iter().map(|name| {
        let offered = runtime.block_on(project.update(&network, &name));
        let said = offered
            .map_err(Problem::from)
            .and_then(|acceptance| take(&name, acceptance, arguments.yes));
        (name, said)
    });
    each(updated, output, |_, said| said)
}

/// Shows what there is to accept, asks, and puts it in place. What it returns says how that ended.
fn take(name: &str, acceptance: Acceptance, yes: bool) -> Result<String, Problem> {
    if acceptance.is_accepted() {
        acceptance.accept()?;
        return Ok(format!("`{}` is accepted as it is.", safe(name)));
    }
    complain(render::acceptance(name, &acceptance, Paper::standard_error()).trim_end());
    if !yes {
        if !prompt::somebody_is_there() {
            return Err(
                Problem::wrong(format!("`{name}` is not accepted: nobody is here to ask"))
                    .help("do it on a terminal, or confirm what is shown with `--yes`"),
            );
        }
        if !prompt::confirm("Accept it?")? {
            return Err(Problem::wrong("not confirmed, so nothing was accepted"));
        }
    }
    acceptance.accept()?;
    Ok(format!(
        "`{}` is accepted; `sandbook.lock` says so.",
        safe(name)
    ))
}
