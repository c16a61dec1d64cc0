//! `sandbook resume`: a run goes on where it was.

use sandbook_executor::Engine;

use super::conduct::conduct;
use crate::arguments::Resume;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::Output;

pub(crate) fn resume(
    arguments: &Resume,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = places.project()?;
    let run = places.record()?.resolve(&arguments.run)?;
    let engine = Engine::open(&places.state_of(Some(&project))?, arguments.jobs)?;
    let accept = arguments.reason.as_deref();
    let resume = async |options| engine.resume(run, &project, accept, options).await;
    conduct(&engine, resume, arguments.output, output)
}
