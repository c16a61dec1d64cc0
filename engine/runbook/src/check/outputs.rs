//! Outputs that may not be there: a step that was skipped, or that failed and was let pass, has none.

use super::order::Order;
use super::site::{Role, Site, Time};
use crate::expression::Expression;
use crate::fault::Fault;
use crate::runbook::Section;
use crate::step::{OnFailure, Step};

/// Asks for a default where an expression would come out undefined.
pub(super) fn check(site: &Site<'_>, order: &Order<'_>, faults: &mut Vec<Fault>) {
    let mut asked = Vec::new();
    for touched in site.expression.touches() {
        let Some((section, step)) = touched.step().and_then(|id| order.find(id.as_str())) else {
            continue;
        };
        if asked.contains(&&step.id) {
            continue;
        }
        asked.push(&step.id);
        let Some(why) = may_be_missing(section, step, site.time) else {
            continue;
        };
        if is_guarded(step, site.time) || !site.expression.is_undefined_without(&step.id) {
            continue;
        }
        let fault = Fault::error(
            site.place.clone(),
            format!("`{touched}` is undefined when {why}"),
        );
        faults.push(fault.on_part(touched.to_string()).help(format!(
            "add a default, such as `{touched} | default('unknown')`"
        )));
    }
}

/// Why a step may have no outputs when the expression is evaluated.
fn may_be_missing(section: Section, step: &Step, time: Time<'_>) -> Option<String> {
    let id = &step.id;
    let elsewhere = match time {
        Time::Before => false,
        Time::Step(own, ..) => own != section,
        Time::End => section == Section::OnFailure,
    };
    if elsewhere {
        Some(format!("step `{id}` has not run or has failed"))
    } else if step.condition.is_some() {
        Some(format!("step `{id}` is skipped by its `if`"))
    } else if step.on_failure == OnFailure::Continue {
        Some(format!(
            "step `{id}` fails, which `on_failure: continue` lets pass"
        ))
    } else {
        None
    }
}

/// Whether the step that uses the outputs runs only if its `if`, which looks at the other step, says so.
fn is_guarded(step: &Step, time: Time<'_>) -> bool {
    let Time::Step(_, own, Role::Action) = time else {
        return false;
    };
    let looked_at = own.condition.iter().flat_map(Expression::touches);
    looked_at
        .filter_map(|touched| touched.step())
        .any(|id| *id == step.id)
}
