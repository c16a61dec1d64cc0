//! `sandbook plugin accept`: what a person takes over from elsewhere, in `sandbook.lock`.

use crate::arguments::PluginAccept;
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
    if acceptance.is_accepted() {
        output.line(&format!("`{}` is accepted as it is.", safe(name)));
        return Ok(());
    }
    complain(render::acceptance(name, &acceptance, Paper::standard_error()).trim_end());
    if !arguments.yes {
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
    output.line(&format!(
        "`{}` is accepted; `sandbook.lock` says so.",
        safe(name)
    ));
    Ok(())
}
