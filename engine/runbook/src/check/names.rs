//! Whether what an expression names is there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::declared::Declared;
use super::order::Order;
use super::site::{Role, Site, Time};
use crate::expression::{Expression, Touched};
use crate::fault::Fault;
use crate::manifest::Manifest;
use crate::misfit::listed;
use crate::names::{PluginName, StepId};
use crate::path::Path;
use crate::runbook::Runbook;
use crate::step::{Action, Needs, Step};
use crate::suggest::closest;

/// What expressions can name.
pub(super) struct Known<'a> {
    pub(super) runbook: &'a Runbook,
    pub(super) order: &'a Order<'a>,
    /// The manifests, where they are known.
    pub(super) manifests: Option<&'a BTreeMap<PluginName, Manifest>>,
    /// The variables, where the environment is known.
    pub(super) vars: Option<&'a Value>,
}

const ROOTS: [&str; 4] = ["inputs", "vars", "steps", "run"];
const STEP_FACTS: [&str; 4] = ["status", "changed", "outputs", "error"];
const RUN_FACTS: [&str; 7] = [
    "id",
    "status",
    "failed_step",
    "error",
    "user",
    "started_at",
    "dry_run",
];

impl Known<'_> {
    pub(super) fn check(&self, site: &Site<'_>, faults: &mut Vec<Fault>) {
        let about = site
            .expression
            .touches()
            .iter()
            .filter_map(|touched| self.fault(touched, site));
        faults.extend(about);
    }

    fn fault(&self, touched: &Touched, site: &Site<'_>) -> Option<Fault> {
        let at = At {
            touched,
            place: &site.place,
        };
        match touched.root() {
            "inputs" => {
                let inputs = self.runbook.inputs.iter().map(|input| input.name.as_str());
                at.member_of("input", inputs)
            }
            "vars" => self
                .vars
                .and_then(|vars| at.variable(vars, site.expression.source())),
            "run" => match site.time {
                Time::Before => Some(
                    at.fault("nothing of the run is known before it")
                        .help("use `inputs` and `vars` here"),
                ),
                Time::Step(..) | Time::End => at.member_of("fact of the run", RUN_FACTS),
            },
            "steps" => self.step(&at, site),
            root => Some(self.unknown_root(root, &at)),
        }
    }

    fn step(&self, at: &At<'_>, site: &Site<'_>) -> Option<Fault> {
        if matches!(site.time, Time::Before) {
            return Some(
                at.fault("no step has run before the run")
                    .help("use `inputs` and `vars` here"),
            );
        }
        let id = at.touched.member()?;
        let Some((_, step)) = self.order.find(id) else {
            return at.member_of("step", self.order.ids());
        };
        if let Time::Step(_, own, role) = site.time {
            let is_own = own.id == step.id;
            if is_own && role != Role::Rollback {
                return Some(at.fault("a step can't use its own results"));
            }
            if !is_own && !self.order.is_over(id, own.id.as_str()) {
                let help = match &own.needs {
                    Needs::These(needs) => {
                        let needs = needs
                            .iter()
                            .map(StepId::as_str)
                            .chain([id])
                            .collect::<Vec<_>>()
                            .join(", ");
                        format!("add it to the step's needs: `needs: [{needs}]`")
                    }
                    Needs::AllBefore => "move this step below it, or give it `needs`".to_owned(),
                };
                return Some(
                    at.fault(format!(
                        "step `{id}` may not be over when step `{}` starts",
                        own.id
                    ))
                    .help(help),
                );
            }
        }
        match at.touched.names().get(2).map(String::as_str) {
            None => None,
            Some("outputs") => self.output(at, step),
            Some(fact) if STEP_FACTS.contains(&fact) => None,
            Some(fact) => {
                let declared = Declared::by(step, self.manifests);
                let fault = at.fault(format!("a step has no `{fact}`"));
                Some(match closest(fact, STEP_FACTS) {
                    Some(meant) => fault.label(format!("did you mean `{meant}`?")),
                    None if declared.is_some_and(|declared| declared.has(fact)) => {
                        fault.help(format!("the output is `steps.{id}.outputs.{fact}`"))
                    }
                    None => fault.help(format!("a step has {}", listed(STEP_FACTS))),
                })
            }
        }
    }

    fn output(&self, at: &At<'_>, step: &Step) -> Option<Fault> {
        let output = at.touched.output()?;
        if !matches!(step.action, Action::Plugin(_) | Action::Manual(_)) {
            return Some(at.fault(format!(
                "step `{}` runs no plugin and has no outputs",
                step.id
            )));
        }
        let declared = Declared::by(step, self.manifests)?;
        if declared.is_open || declared.has(output) {
            return None;
        }
        let names = || declared.names.iter().copied();
        let fault = at.fault(format!("{} has no output `{output}`", declared.whose));
        Some(match closest(output, names()) {
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None => fault.help(at.there_are("its outputs are", names())),
        })
    }

    fn unknown_root(&self, root: &str, at: &At<'_>) -> Fault {
        let fault = at.fault(format!("`{root}` names nothing"));
        if let Some(meant) = closest(root, ROOTS) {
            return fault.label(format!("did you mean `{meant}`?"));
        }
        let input = self
            .runbook
            .inputs
            .iter()
            .find(|input| input.name.as_str() == root);
        if input.is_some() {
            return fault.label(format!("did you mean `inputs.{root}`?"));
        }
        if self.order.find(root).is_some() {
            return fault.label(format!("did you mean `steps.{root}`?"));
        }
        fault.help(format!(
            "expressions know {}; text in them is in quotes: `'{root}'`",
            listed(ROOTS)
        ))
    }
}

/// A name and the place where it is touched.
struct At<'a> {
    touched: &'a Touched,
    place: &'a Path,
}

impl At<'_> {
    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::error(self.place.clone(), message).on_part(self.touched.to_string())
    }

    /// That the name's second part is one of these.
    fn member_of<'k>(&self, what: &str, known: impl IntoIterator<Item = &'k str>) -> Option<Fault> {
        let member = self.touched.member()?;
        let known: Vec<&str> = known.into_iter().collect();
        if known.contains(&member) {
            return None;
        }
        let fault = self.fault(format!("there is no {what} `{member}`"));
        Some(match closest(member, known.iter().copied()) {
            Some(meant) => fault.label(format!("did you mean `{meant}`?")),
            None => fault.help(self.there_are("there are", known.into_iter())),
        })
    }

    /// That the variable is there, as far down as it is a mapping. One that is asked whether it is there
    /// may be missing.
    fn variable(&self, vars: &Value, source: &str) -> Option<Fault> {
        if source.contains("default") || source.contains("defined") {
            return None;
        }
        let mut at = vars;
        let mut name = "vars".to_owned();
        for part in &self.touched.names()[1..] {
            let Value::Object(map) = at else { return None };
            name = format!("{name}.{part}");
            let Some(below) = map.get(part) else {
                let fault = self.fault(format!("the environment has no variable `{name}`"));
                let known = map.keys().map(String::as_str);
                return Some(match closest(part, known.clone()) {
                    Some(meant) => fault.label(format!("did you mean `{meant}`?")),
                    None => fault.help(self.there_are("it has", known)),
                });
            };
            at = below;
        }
        None
    }

    fn there_are<'k>(&self, what: &str, known: impl Iterator<Item = &'k str>) -> String {
        let known = listed(known);
        if known.is_empty() {
            format!("{what} none")
        } else {
            format!("{what} {known}")
        }
    }
}

/// That a text of an environment uses its own variables and nothing else.
pub(crate) fn only_vars(expression: &Expression, vars: &Value, place: &Path) -> Vec<Fault> {
    let fault = |touched: &Touched| {
        let at = At { touched, place };
        match touched.root() {
            "vars" => at.variable(vars, expression.source()),
            _ => Some(
                at.fault(format!("`{touched}` is not known to an environment"))
                    .help("an environment can use its own `vars`"),
            ),
        }
    };
    expression.touches().iter().filter_map(fault).collect()
}
