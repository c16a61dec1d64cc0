//! `sandbook note`: a remark on a run's record.

use std::sync::Arc;

use sandbook_journal::{Event, Journal, SystemClock};

use super::anchor::send_head;
use crate::arguments::Note;
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::Output;

pub(crate) fn note(
    arguments: &Note,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let text = arguments.text.join(" ");
    if text.trim().is_empty() {
        return Err(Problem::wrong("the remark is empty"));
    }
    let run = places.record()?.resolve(&arguments.run)?;
    let state = places.state()?;
    let journal = Journal::open(&state, Arc::new(SystemClock))?;
    journal.append_blocking(
        run,
        vec![
            Event::Noted {
                by: operator(),
                text,
            }
            .into(),
        ],
    )?;
    output.line(&format!("Noted on run {run}."));
    drop(journal);
    send_head(places, &state)?;
    Ok(Exit::Succeeded)
}
