//! The places of a runbook that hold an expression.

use crate::expression::Expression;
use crate::path::Path;
use crate::runbook::{Placed, Runbook, Section};
use crate::step::{Action, Check, Step, Use};
use crate::template::Template;

/// An expression, where it stands, and when it is evaluated.
pub(crate) struct Site<'a> {
    pub(super) place: Path,
    pub(super) expression: &'a Expression,
    pub(super) time: Time<'a>,
}

/// When an expression is evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time<'a> {
    /// Before anything runs.
    Before,
    /// When this step, which is in this section, comes.
    Step(Section, &'a Step, Role),
    /// When the run has succeeded.
    End,
}

/// What a step's expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It decides whether the step runs.
    Condition,
    /// It says what the step does, once it runs.
    Action,
    /// It says how the step is undone, once it has succeeded.
    Rollback,
}

/// All expressions of a runbook, in the order of the document's sections.
pub(super) fn sites<'a>(runbook: &'a Runbook, placed: &[Placed<'a>]) -> Vec<Site<'a>> {
    let mut sites = Vec::new();
    for (index, check) in runbook.checks.iter().enumerate() {
        of_check(
            check,
            &Path::root().key("checks").index(index),
            Time::Before,
            &mut sites,
        );
    }
    if let Some(concurrency) = &runbook.concurrency {
        let place = Path::root().key("concurrency");
        of_template(
            &concurrency.group,
            &place,
            "group",
            Time::Before,
            &mut sites,
        );
    }
    for &(section, ref place, step) in placed {
        if let Some(condition) = &step.condition {
            let time = Time::Step(section, step, Role::Condition);
            sites.push(Site {
                place: place.key("if"),
                expression: condition,
                time,
            });
        }
        of_action(
            step,
            place,
            Time::Step(section, step, Role::Action),
            &mut sites,
        );
        if let Some(undoing) = step.rollback.as_deref().and_then(Step::plugin) {
            let time = Time::Step(section, step, Role::Rollback);
            of_use(undoing, &place.key("rollback"), time, &mut sites);
        }
    }
    for (name, template) in &runbook.outputs {
        let place = Path::root().key("outputs");
        of_template(template, &place, name.as_str(), Time::End, &mut sites);
    }
    sites
}

fn of_action<'a>(step: &'a Step, place: &Path, time: Time<'a>, sites: &mut Vec<Site<'a>>) {
    match &step.action {
        Action::Wait(duration) => of_template(duration, place, "wait", time, sites),
        Action::Assert(check) => of_check(check, &place.key("assert"), time, sites),
        Action::Approval(approval) => {
            let place = place.key("approval");
            of_template(&approval.message, &place, "message", time, sites);
        }
        Action::Manual(manual) => {
            let place = place.key("manual");
            of_template(&manual.instructions, &place, "instructions", time, sites);
        }
        Action::Plugin(using) => of_use(using, place, time, sites),
    }
}

fn of_use<'a>(using: &'a Use, place: &Path, time: Time<'a>, sites: &mut Vec<Site<'a>>) {
    of_template(&using.with, place, "with", time, sites);
    for (index, line) in using.allow.iter().enumerate() {
        let holes = line.holes().iter();
        sites.extend(holes.map(|expression| Site {
            place: place.key("allow").index(index),
            expression,
            time: Time::Before,
        }));
    }
}

fn of_check<'a>(check: &'a Check, place: &Path, time: Time<'a>, sites: &mut Vec<Site<'a>>) {
    sites.push(Site {
        place: place.key("condition"),
        expression: &check.condition,
        time,
    });
    of_template(&check.message, place, "message", time, sites);
}

/// The expressions of a template that is the value of a key.
fn of_template<'a>(
    template: &'a Template,
    place: &Path,
    key: &str,
    time: Time<'a>,
    sites: &mut Vec<Site<'a>>,
) {
    sites.extend(template.expressions().map(|(path, expression)| Site {
        place: place.key(key).extend(path.segments().iter().cloned()),
        expression,
        time,
    }));
}
