//! `sandbook log`: a run's events, one a line.

use std::thread::sleep;
use std::time::Duration;

use sandbook_journal::{Reader, RunId, RunState, RunStatus, Stored};

use crate::arguments::Log;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::render::{Stream, rehearsal, sentence};
use crate::screen::{Ink, Output, Paper, Zone};

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) fn log(arguments: &Log, places: &Places, output: &mut Output) -> Result<Exit, Problem> {
    let record = places.record()?;
    let run = record.resolve(&arguments.run)?;
    let mut printer = Printer {
        json: arguments.output.is_json(),
        state: RunState::default(),
        stream: None,
        zone: Zone::local(),
        day: String::new(),
    };
    let mut seen = print_new(&record, run, 0, &mut printer, output)?;
    // Whether it still runs is asked before the last look, so that nothing is missed in between.
    while arguments.follow
        && output.is_open()
        && record.status(run, &printer.state)? == RunStatus::Running
    {
        sleep(LOOK);
        seen = print_new(&record, run, seen, &mut printer, output)?;
    }
    print_new(&record, run, seen, &mut printer, output)?;
    Ok(Exit::Succeeded)
}

/// Prints what came after the event `seen`; returns the last one's number.
fn print_new(
    record: &Reader,
    run: RunId,
    seen: u64,
    printer: &mut Printer,
    output: &mut Output,
) -> Result<u64, Problem> {
    let events = record.events(run, seen)?;
    let mut lines = String::new();
    for stored in &events {
        for line in printer.lines(stored, output.paper) {
            lines.push_str(&line);
            lines.push('\n');
        }
    }
    output.text(&lines);
    Ok(events.last().map_or(seen, |stored| stored.seq))
}

struct Printer {
    json: bool,
    state: RunState,
    stream: Option<Stream>,
    zone: Zone,
    /// The day of the last line.
    day: String,
}

impl Printer {
    fn lines(&mut self, stored: &Stored, paper: Paper) -> Vec<String> {
        // A log that doesn't follow is for `audit` to judge; here it is shown all the same.
        let _ = self.state.apply(&stored.event, stored.time);
        if self.json {
            return vec![stored.line()];
        }
        let mut lines = Vec::new();
        if let (None, Some(facts)) = (&self.stream, self.state.facts()) {
            lines.extend(rehearsal(facts, paper));
            self.stream = Some(Stream::of(facts));
        }
        let day = self.zone.day(stored.time);
        if day != self.day {
            lines.push(paper.ink(Ink::Faint, &day));
            self.day = day;
        }
        let said = sentence(stored, &self.state);
        let time = paper.ink(Ink::Faint, &self.zone.clock(stored.time));
        let line = self.stream.get_or_insert_default().line(&said, paper);
        lines.push(format!("{time}  {line}"));
        lines
    }
}
