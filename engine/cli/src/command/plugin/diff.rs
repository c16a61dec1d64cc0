//! `sandbook plugin diff`: what a new version wants that the old one did not.

use sandbook_executor::Asked;

use super::look_at;
use crate::arguments::PluginDiff;
use crate::places::Places;
use crate::problem::Problem;
use crate::render;
use crate::screen::Output;

pub(super) fn diff(
    arguments: &PluginDiff,
    places: &Places,
    output: &mut Output,
) -> Result<(), Problem> {
    let version = |plugin: &str| -> Result<render::Version, Problem> {
        let (packed, manifest, _) = look_at(plugin, places)?;
        Ok(render::Version {
            asked: Asked::of(&packed, &manifest),
            name: manifest.name,
        })
    };
    let (old, new) = (version(&arguments.old)?, version(&arguments.new)?);
    if arguments.output.is_json() {
        output.line(&format!("{:#}", render::difference_json(&old, &new)));
    } else {
        output.text(&render::difference(&old, &new, output.paper));
    }
    Ok(())
}
