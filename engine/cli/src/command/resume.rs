//! `sandbook resume`: a run goes on where it was.

use super::conduct::{Taking, take_up};
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
    let engine = places.engine(&project, arguments.jobs)?;
    let taking = Taking {
        run,
        accept: arguments.reason.as_deref(),
        format: arguments.output,
    };
    take_up(&engine, &project, taking, output)
}
