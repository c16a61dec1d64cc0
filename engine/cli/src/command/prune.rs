//! `sandbook prune`: finished runs of long ago are removed.

use sandbook_journal::{
    Clock as _, PruneError, Pruned, RunId, RunSummary, SystemClock, prune as remove,
};

use super::anchor::send_head;
use super::runs::cant_be_read;
use crate::arguments::Prune;
use crate::exit::Exit;
use crate::operator::operator;
use crate::places::Places;
use crate::problem::Problem;
use crate::prompt;
use crate::render::count;
use crate::screen::{Ink, Output, Table, Zone, complain, safe};

pub(crate) fn prune(
    arguments: &Prune,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let now = SystemClock.now();
    let age = u64::try_from(arguments.older_than.as_millis()).unwrap_or(u64::MAX);
    let before = now.saturating_sub(age);
    let Some(record) = places.record_if_any()? else {
        output.line("No run ended that long ago.");
        return Ok(Exit::Succeeded);
    };
    let mut old = Vec::new();
    let mut unreadable = 0;
    for run in record.list(None)? {
        match run {
            Ok(run) if run.status.is_final() && run.finished_at.is_some_and(|at| at < before) => {
                old.push(run);
            }
            Ok(_) => {}
            Err(_) => unreadable += 1,
        }
    }
    if unreadable > 0 {
        complain(&cant_be_read(unreadable));
    }
    if old.is_empty() {
        output.line("No run ended that long ago.");
    } else {
        output.text(&table(&old).render(output.paper));
    }
    let runs = count(old.len(), "run");
    if arguments.dry_run {
        output.line(&format!("{runs} would be removed."));
        return Ok(Exit::Succeeded);
    }
    if !old.is_empty() {
        confirm(arguments, &runs)?;
    }
    let ids: Vec<RunId> = old.iter().map(|run| run.id).collect();
    let state = places.state()?;
    let pruned = remove(&state, &ids, &operator(), now).map_err(problem)?;
    tell(&pruned, output);
    if !pruned.runs.is_empty() {
        send_head(places, &state)?;
    }
    // What can't be read is never old enough to go, and shouldn't be forgotten for that.
    Ok(if pruned.left.is_empty() && unreadable == 0 {
        Exit::Succeeded
    } else {
        Exit::Failed
    })
}

fn tell(pruned: &Pruned, output: &mut Output) {
    for (run, left) in &pruned.left {
        complain(&format!("Run {run} stays: {}", safe(&left.to_string())));
    }
    let contents = match pruned.contents {
        Some(contents) => format!("{} that no run names any more", count(contents, "file")),
        None => "their files are left for the next time, since other runs kept starting".to_owned(),
    };
    output.line(&format!(
        "Removed {}; {contents}.",
        count(pruned.runs.len(), "run")
    ));
}

fn confirm(arguments: &Prune, runs: &str) -> Result<(), Problem> {
    if arguments.yes {
        return Ok(());
    }
    if !prompt::somebody_is_there() {
        return Err(Problem::wrong(format!("removing {runs} is not confirmed"))
            .help("confirm it with `--yes`, or look first with `--dry-run`"));
    }
    if prompt::confirm(&format!("Remove {runs} for good?"))? {
        Ok(())
    } else {
        Err(Problem::wrong("not confirmed, so nothing was done"))
    }
}

fn table(runs: &[RunSummary]) -> Table {
    let zone = Zone::local();
    let mut table = Table::headed(&["run", "ended", "runbook"]);
    for run in runs {
        let ended = zone.stamp(run.finished_at.unwrap_or_default());
        table.row([
            (Ink::Name, run.id.to_string()),
            (Ink::Plain, ended),
            (Ink::Plain, run.facts.runbook.name.clone()),
        ]);
    }
    table
}

fn problem(error: PruneError) -> Problem {
    match error {
        PruneError::Store(error) => error.into(),
        PruneError::StateDir(error) => error.into(),
        PruneError::Read(error) => error.into(),
        PruneError::Log(_) => Problem::engine("a run can't be read").caused_by(&error),
    }
}
