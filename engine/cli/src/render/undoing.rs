//! What would be undone of a run.

use sandbook_journal::{ROLLBACK, RunId, RunState, StepState};

use crate::screen::{Ink, Paper, Table, one_line};

/// The steps that would be undone, in the order in which that is done, and those that changed something and can't be.
pub(crate) fn undoing(run: RunId, state: &RunState, paper: Paper) -> String {
    let changed = state.succeeded().iter().rev().map(|&at| state.step_at(at));
    let can_be = |step: &&StepState| state.step(&format!("{}{ROLLBACK}", step.id)).is_some();
    let (undone, stay): (Vec<_>, Vec<_>) = changed.filter(|step| step.changed).partition(can_be);
    let mut table = Table::indented(2);
    for step in &undone {
        let summary = step.summary.as_deref().map(one_line).unwrap_or_default();
        table.row([(Ink::Name, step.id.to_string()), (Ink::Plain, summary)]);
    }
    let heading = match undone.len() {
        0 => format!(
            "Of run {run}, nothing can be undone: no step that changed something has a `rollback`."
        ),
        _ => format!("Of run {run}, this is undone, in this order:"),
    };
    let mut text = format!(
        "{}\n{}",
        paper.ink(Ink::Strong, &heading),
        table.render(paper)
    );
    if !stay.is_empty() {
        let ids: Vec<String> = stay.iter().map(|step| format!("`{}`", step.id)).collect();
        text.push_str(&format!(
            "What {} changed stays: no `rollback` says how to undo it.\n",
            ids.join(", ")
        ));
    }
    text.trim_end().to_owned()
}
