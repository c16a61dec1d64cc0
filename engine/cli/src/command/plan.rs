//! `sandbook plan`: what would be run, and what an environment has to allow for it.

use sandbook_executor::Project;

use super::given;
use crate::arguments::Plan;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render;
use crate::screen::Output;

pub(crate) fn plan(
    arguments: &Plan,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    if arguments.ceiling {
        return ceiling(arguments, places, output);
    }
    let Some(runbook) = &arguments.runbook else {
        return Err(Problem::wrong("no runbook is named"));
    };
    let (_, prepared) = given::prepare(runbook, &arguments.given, places)?;
    if arguments.output.is_json() {
        output.line(&format!("{:#}", render::plan_json(&prepared)));
    } else {
        output.text(&render::plan(&prepared, output.paper));
    }
    Ok(Exit::Succeeded)
}

/// What an environment has to allow for one runbook, or for all of the project's.
fn ceiling(arguments: &Plan, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    let project: Project = match &arguments.runbook {
        Some(runbook) => places.project_of(runbook)?,
        None => places.project()?,
    };
    let runbooks = match &arguments.runbook {
        Some(runbook) => vec![runbook.clone()],
        None => project.runbook_names()?,
    };
    let mut ceiling = render::Ceiling::default();
    for runbook in &runbooks {
        ceiling.add(&project.draft(runbook, None)?.runbook);
    }
    if arguments.output.is_json() {
        output.line(&ceiling.json(&runbooks).to_string());
    } else {
        output.text(&ceiling.yaml(&runbooks));
    }
    Ok(Exit::Succeeded)
}
