//! Whether what a step is granted lies within the environment's ceiling, as far as it is known.

use serde_json::Map;

use super::uses;
use crate::environment::Environment;
use crate::expression::{Expression, Touched};
use crate::fault::Fault;
use crate::grant::{Ask, Grant, Wider};
use crate::manifest::Manifest;
use crate::misfit::listed;
use crate::path::Path;
use crate::runbook::{Placed, Runbook};
use crate::scope::Scope;
use crate::step::Use;

/// Refuses sensitive inputs in grants: what a step may do is shown to everybody.
pub(super) fn refuse_sensitive(
    runbook: &Runbook,
    using: &Use,
    place: &Path,
    faults: &mut Vec<Fault>,
) {
    for (index, line) in using.allow.iter().enumerate() {
        let touched = line.holes().iter().flat_map(Expression::touches);
        let named = touched
            .filter(|touched| touched.root() == "inputs")
            .filter_map(Touched::member);
        for name in named {
            if runbook
                .inputs
                .iter()
                .any(|input| input.sensitive && input.name.as_str() == name)
            {
                let place = place.key("allow").index(index);
                let fault = Fault::error(
                    place,
                    format!("input `{name}` is sensitive, and a grant is shown to everybody"),
                );
                faults.push(
                    fault
                        .on_part(format!("inputs.{name}"))
                        .help("put `*` in its place, or make the input a plain one"),
                );
            }
        }
    }
}

/// Checks the lines that hold nothing but variables; those with inputs are checked once these are known.
pub(super) fn check(placed: &[Placed<'_>], environment: &Environment, faults: &mut Vec<Fault>) {
    let scope = Scope::new(&Map::new(), &environment.vars);
    let lines = placed.iter().flat_map(uses).flat_map(|(place, using)| {
        let lines = using.allow.iter().enumerate();
        lines.map(move |(index, line)| (place.key("allow").index(index), line))
    });
    for (place, line) in lines {
        let mut touched = line.holes().iter().flat_map(Expression::touches);
        if touched.any(|touched| touched.root() != "vars") {
            continue;
        }
        // What can't be resolved names nothing, which is told elsewhere, or doesn't fit in.
        match line.resolve(&scope) {
            Ok(grant) => faults.extend(outside(&grant, environment, || place)),
            Err(fault) if line.holes().iter().all(|hole| hole.eval(&scope).is_ok()) => {
                faults.push(Fault::error(place, fault.to_string()));
            }
            Err(_) => {}
        }
    }
}

/// Warns of lines that grant more than the plugin's manifest asks for.
pub(super) fn wider_than_asked(
    using: &Use,
    manifest: &Manifest,
    place: &Path,
    faults: &mut Vec<Fault>,
) {
    let plugin = &manifest.name;
    for (index, line) in using.allow.iter().enumerate() {
        let Some(Wider { more, asked }) = line.wider_than(&manifest.allow) else {
            continue;
        };
        let place = place.key("allow").index(index);
        if asked.is_empty() {
            let message = format!("plugin `{plugin}` asks for nothing of this");
            let help = match manifest.allow.as_slice() {
                [] => "its manifest names no request at all".to_owned(),
                asks => format!("it asks for {}", listed(asks.iter().map(Ask::to_string))),
            };
            faults.push(Fault::warning(place, message).help(help));
            continue;
        }
        let more = match more.as_slice() {
            [] => String::new(),
            more => format!(": {}", more.join(", ")),
        };
        let message = format!("this grants more than plugin `{plugin}` asks for{more}");
        let asked = listed(asked.iter().map(Ask::to_string));
        faults.push(Fault::warning(place, message).help(format!("it asks for {asked}")));
    }
}

/// A grant that the ceiling cuts off: an error where nothing is left of it, a warning where something is.
pub(crate) fn outside(
    grant: &Grant,
    environment: &Environment,
    place: impl FnOnce() -> Path,
) -> Option<Fault> {
    let ceiling = &environment.ceiling;
    if grant.within(ceiling) {
        return None;
    }
    let name = &environment.name;
    let left: Vec<String> = ceiling
        .iter()
        .filter(|line| line.overlaps(grant))
        .map(ToString::to_string)
        .collect();
    Some(if left.is_empty() {
        Fault::error(place(), format!("environment `{name}` allows nothing of `{grant}`"))
            .help(format!("add it to the environment's `ceiling`, or remove it here; the step could not use it in `{name}`"))
    } else {
        Fault::warning(
            place(),
            format!("environment `{name}` allows only a part of `{grant}`"),
        )
        .help(format!(
            "what counts is what its `ceiling` allows as well: {}",
            listed(left)
        ))
    })
}
