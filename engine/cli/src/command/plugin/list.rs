//! `sandbook plugin list`: the project's plugins, where they come from and how they stand.

use sandbook_executor::PluginStanding;
use serde_json::json;

use crate::places::Places;
use crate::problem::Problem;
use crate::render;
use crate::screen::{Ink, Output, Table, one_line};

pub(super) fn list(json: bool, places: &Places, output: &mut Output) -> Result<(), Problem> {
    let standings = places.project()?.standings();
    if json {
        standings
            .iter()
            .for_each(|plugin| output.line(&line(plugin)));
        return Ok(());
    }
    if standings.is_empty() {
        output.text("No plugins in sandbook.yaml.\n");
        return Ok(());
    }
    output.text(&table(&standings).render(output.paper));
    Ok(())
}

/// What no plugin has gets no column.
fn table(standings: &[PluginStanding]) -> Table {
    let some_outside = standings.iter().any(|plugin| plugin.provenance.outside);
    let some_signed = standings
        .iter()
        .any(|plugin| !plugin.provenance.signed_by.is_empty());
    let mut headings = vec!["plugin", "version", "digest", "from"];
    headings.extend(some_signed.then_some("signed by"));
    headings.extend(some_outside.then_some("source"));
    headings.push("description");
    let mut table = Table::headed(&headings);
    for plugin in standings {
        let read = plugin.plugin.as_ref();
        let version = read.map_or_else(String::new, |(_, manifest)| one_line(&manifest.version));
        let mut cells = vec![
            (Ink::Name, plugin.name.clone()),
            (Ink::Plain, version),
            (Ink::Faint, short(plugin)),
            render::standing(plugin),
        ];
        let signers = render::signers(&plugin.provenance).unwrap_or_default();
        cells.extend(some_signed.then_some((Ink::Plain, signers)));
        let source = match plugin.provenance.outside {
            true => one_line(&plugin.provenance.source),
            false => String::new(),
        };
        cells.extend(some_outside.then_some((Ink::Plain, source)));
        cells.push(match (read, &plugin.refused) {
            (Some((_, manifest)), _) => (Ink::Plain, one_line(&manifest.description)),
            (None, Some(refused)) => (Ink::Bad, one_line(&refused.to_string())),
            (None, None) => (Ink::Plain, String::new()),
        });
        table.row(cells);
    }
    table
}

fn line(plugin: &PluginStanding) -> String {
    let read = plugin.plugin.as_ref();
    json!({
        "name": plugin.name,
        "source": plugin.provenance.source,
        "state": plugin.standing.as_str(),
        "outside": plugin.provenance.outside,
        "accepted": plugin.is_accepted(),
        "signed_by": render::signed_by(&plugin.provenance),
        "pinned": plugin.pinned,
        "error": plugin.refused.as_ref().map(ToString::to_string),
        "digest": read.map(|(packed, _)| packed.digest().to_string()),
        "version": read.map(|(_, manifest)| &manifest.version),
        "description": read.map(|(_, manifest)| &manifest.description),
    })
    .to_string()
}

/// The beginning of the digest: of what is here, else of what was accepted.
fn short(plugin: &PluginStanding) -> String {
    let here = plugin
        .plugin
        .as_ref()
        .map(|(packed, _)| packed.digest().to_string());
    let digest = here.or_else(|| plugin.pinned.clone()).unwrap_or_default();
    digest
        .trim_start_matches("sha256:")
        .chars()
        .take(12)
        .collect()
}
