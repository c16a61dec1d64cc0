//! `sandbook show`: a run as it is on record.

use sandbook_journal::{Reader, RunId, RunState, Stored};

use crate::arguments::Show;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::{self, Held, Standing, effects};
use crate::screen::{Output, Zone};

pub(crate) fn show(
    arguments: &Show,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let record = places.record()?;
    let run = record.resolve(&arguments.run)?;
    let events = record.events(run, 0)?;
    let state = record.state(run)?;
    let status = record.status(run, &state)?;
    if arguments.output.is_json() {
        output.line(&format!("{:#}", render::run_json(&events, &state, status)));
    } else {
        let run = Standing {
            id: run,
            state: &state,
            status,
            held: &held(&record, run, &state, &events)?,
        };
        let zone = Zone::local();
        if arguments.markdown {
            output.text(&render::markdown(&run, &events, &zone));
        } else {
            output.text(&render::run(&run, &events, &zone, output.paper));
        }
    }
    Ok(Exit::Succeeded)
}

/// What a dry run held back, with the bodies.
pub(crate) fn held(
    record: &Reader,
    run: RunId,
    state: &RunState,
    events: &[Stored],
) -> Result<Vec<Held>, Problem> {
    if !state.facts().is_some_and(|facts| facts.dry_run) {
        return Ok(Vec::new());
    }
    Ok(Held::among(&effects(events), |kept| {
        record.content(run, kept)
    })?)
}
