//! Results that may not be there: a step that was skipped, that failed and was let pass, or that nobody waits for
//! while it is in doubt, has no outputs, and only one that failed has an error.

use super::order::Order;
use super::site::{Role, Site, Time};
use crate::expression::{Expression, Stand};
use crate::fault::Fault;
use crate::names::StepId;
use crate::runbook::Section;
use crate::step::{OnDoubt, OnFailure, Step};

/// Asks for a default where an expression would come out undefined.
pub(super) fn check(site: &Site<'_>, order: &Order<'_>, faults: &mut Vec<Fault>) {
    let mut asked: Vec<&StepId> = Vec::new();
    for touched in site.expression.touches() {
        let Some((section, step)) = touched.step().and_then(|id| order.find(id.as_str())) else {
            continue;
        };
        if asked.contains(&&step.id) || is_guarded(step, site.time) {
            continue;
        }
        asked.push(&step.id);
        let missing: Vec<&str> = stands(section, step, site.time)
            .into_iter()
            .filter(|(stand, _)| site.expression.is_undefined_when(&step.id, *stand))
            .map(|(_, how)| how)
            .collect();
        if missing.is_empty() {
            continue;
        }
        let fault = Fault::error(
            site.place.clone(),
            format!(
                "`{touched}` is undefined when step `{}` {}",
                step.id,
                missing.join(" or ")
            ),
        );
        faults.push(fault.on_part(touched.to_string()).help(format!(
            "add a default, such as `{touched} | default('unknown')`"
        )));
    }
}

/// How a step may stand when the expression is evaluated, in words.
fn stands(section: Section, step: &Step, time: Time<'_>) -> Vec<(Stand, &'static str)> {
    let elsewhere = match time {
        Time::Before => return Vec::new(),
        Time::Step(own, ..) => own != section,
        Time::End => section == Section::OnFailure,
    };
    let succeeded = (Stand::Succeeded, "has succeeded");
    if let Time::Step(_, own, Role::Rollback) = time
        && own.id == step.id
    {
        return vec![succeeded];
    }
    let mut stands = Vec::new();
    if elsewhere {
        stands.push((Stand::NotRun, "has not run"));
        stands.push((Stand::Failed, "has failed"));
    } else {
        if step.condition.is_some() {
            stands.push((Stand::Skipped, "is skipped by its `if`"));
        }
        if step.on_failure == OnFailure::Continue {
            stands.push((
                Stand::Failed,
                "fails, which `on_failure: continue` lets pass",
            ));
        }
        if step.on_failure == OnFailure::Pause {
            stands.push((
                Stand::Skipped,
                "fails and is skipped by whom `on_failure: pause` asks",
            ));
        }
        if step.on_doubt == OnDoubt::Continue {
            stands.push((
                Stand::Waiting,
                "is in doubt, which `on_doubt: continue` doesn't wait for",
            ));
        }
    }
    stands.push(succeeded);
    stands
}

/// Whether the step that uses the outputs runs only if its `if`, which looks at the other step, says so.
fn is_guarded(step: &Step, time: Time<'_>) -> bool {
    let Time::Step(_, own, Role::Action | Role::Rollback) = time else {
        return false;
    };
    let looked_at = own.condition.iter().flat_map(Expression::touches);
    looked_at
        .filter_map(|touched| touched.step())
        .any(|id| *id == step.id)
}
