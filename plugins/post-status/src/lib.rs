//! Statuspage: opens, updates and resolves an incident, and sets components' states.
//!
//! The service knows no idempotency key. The engine's is put into the incident's `metadata` and looked for before
//! anything is opened, and an update is sent only where something differs.

mod incident;
mod input;
mod page;
mod update;

use sandbook_step::prelude::*;

use incident::Incident;
use input::{Input, Status};
use page::Page;

#[derive(Serialize, Debug, Default, PartialEq)]
struct Output {
    /// The incident's id; absent when there is none.
    incident: Option<String>,
    /// Where people read of it.
    url: Option<String>,
    /// What the incident's status was before.
    before: Option<String>,
    /// And is now.
    status: Option<String>,
    /// Whether this step opened it.
    opened: bool,
    /// The components whose state this step set on their own, outside an incident.
    components: Vec<String>,
}

fn run(context: &Context, input: Input) -> Result<Done<Output>, Failure> {
    let page = Page::new(context, &input.page)?;
    if !input.concerns_an_incident() {
        if input.components.is_empty() {
            return Err(
                Failure::invalid_input("neither an incident nor components are named")
                    .with_code("NothingToDo"),
            );
        }
        return set_components(&page, &input);
    }
    match find(context, &page, &input)? {
        Some(incident) => update(context, &page, &input, incident),
        // What is to be resolved and isn't there is resolved.
        None if input.status == Some(Status::Resolved) => set_components(&page, &input),
        None => open(context, &page, &input),
    }
}

/// The incident that is meant: the one with the given id, else among the unresolved ones.
fn find(context: &Context, page: &Page, input: &Input) -> Result<Option<Incident>, Failure> {
    if let Some(id) = &input.incident {
        return page.incident(id).map(Some);
    }
    let unresolved = page.unresolved()?;
    Ok(incident::choose(
        unresolved,
        context,
        input.title.as_deref(),
    ))
}

fn open(context: &Context, page: &Page, input: &Input) -> Result<Done<Output>, Failure> {
    let Some(title) = &input.title else {
        return Err(Failure::not_found(
            "there is no unresolved incident that this run opened; name one by `incident`, or give a `title` to open one",
        )
        .with_code("IncidentNotFound"));
    };
    let opened = page.open(&update::opening(context, input, title))?;
    let summary = format!("opened `{title}`");
    Ok(Done::changed(output(&opened, None, true)).summary(summary))
}

fn update(
    context: &Context,
    page: &Page,
    input: &Input,
    incident: Incident,
) -> Result<Done<Output>, Failure> {
    // It carries this step's own key: an earlier attempt opened it.
    let opened = incident.is_opened_by(context);
    let Some(fields) = update::difference(&incident, input) else {
        let summary = if opened {
            "opened by an earlier attempt"
        } else {
            "everything is as it should be"
        };
        let before = (!opened).then(|| incident.status.clone());
        return Ok(Done::when(opened, output(&incident, before, opened)).summary(summary));
    };
    let updated = page.update(&incident.id, &fields)?;
    let summary = format!(
        "`{}`: {} -> {}",
        updated.name, incident.status, updated.status
    );
    Ok(Done::changed(output(&updated, Some(incident.status), opened)).summary(summary))
}

/// Sets states outside of any incident.
fn set_components(page: &Page, input: &Input) -> Result<Done<Output>, Failure> {
    let mut set = Vec::new();
    for (id, state) in &input.components {
        if page.component(id)? != state.word() {
            page.set_component(id, *state)?;
            set.push(id.clone());
        }
    }
    let summary = match set.len() {
        0 => "everything is as it should be".to_owned(),
        1 => "set the state of one component".to_owned(),
        count => format!("set the states of {count} components"),
    };
    let changed = !set.is_empty();
    Ok(Done::when(
        changed,
        Output {
            components: set,
            ..Output::default()
        },
    )
    .summary(summary))
}

fn output(incident: &Incident, before: Option<String>, opened: bool) -> Output {
    Output {
        incident: Some(incident.id.clone()),
        url: incident.shortlink.clone(),
        before,
        status: Some(incident.status.clone()),
        opened,
        components: Vec::new(),
    }
}

sandbook_step::step!(run);

#[cfg(test)]
mod tests;
