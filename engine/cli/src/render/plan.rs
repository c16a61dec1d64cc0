//! A plan before it runs: the order of the steps, and what each may do with which credential.

use sandbook_executor::Prepared;
use sandbook_runbook::{
    Action, Approval, Backoff, Behavior, Grant, Needs, OnDoubt, OnFailure, Plan, Planned, Step,
    Template, format_duration,
};

use super::heading::rehearsal_in;
use super::plugin::signers;
use super::words;
use crate::screen::{Ink, Paper, Table, one_line, safe};

/// A plan in full, for whoever reviews it.
pub(crate) fn plan(prepared: &Prepared, paper: Paper) -> String {
    let plan = &prepared.plan;
    let mut text = title(prepared, paper);
    if let Some(description) = &plan.runbook.description {
        text.push_str(&format!("{}\n", one_line(description)));
    }
    let mut inputs = Table::indented(2);
    for (name, value) in plan.inputs.iter() {
        let shown = if plan.inputs.is_sensitive(name.as_str()) {
            "[sensitive]".to_owned()
        } else {
            value.to_string()
        };
        inputs.row([
            (Ink::Name, name.to_string()),
            (Ink::Plain, safe(&shown).into_owned()),
        ]);
    }
    let inputs = inputs.render(paper);
    if !inputs.is_empty() {
        text.push_str(&format!(
            "\n{}\n{inputs}",
            paper.ink(Ink::Strong, "Inputs:")
        ));
    }
    text.push_str(&group(plan, paper));
    for (heading, steps) in sections(plan) {
        if !steps.is_empty() {
            text.push_str(&format!("\n{}\n", paper.ink(Ink::Strong, heading)));
        }
        for (position, planned) in steps.iter().enumerate() {
            text.push_str(&step(planned, position == 0, prepared, paper));
        }
    }
    text
}

/// Which runs there is to be only one of at a time.
fn group(plan: &Plan, paper: Paper) -> String {
    let Some((group, behavior)) = plan.group() else {
        return String::new();
    };
    let how = match behavior {
        Behavior::Reject => "is refused while another one holds it",
        Behavior::Queue => "waits for its turn while another one holds it",
    };
    let heading = paper.ink(Ink::Strong, "Group:");
    format!(
        "\n{heading}\n  {}  a run {how}\n",
        paper.ink(Ink::Name, &one_line(group))
    )
}

/// Whether some step or rollback may send a request that can change something.
pub(crate) fn may_change_something(plan: &Plan) -> bool {
    plan.all_steps()
        .chain(plan.rollbacks())
        .flat_map(|planned| &planned.permission.step)
        .any(Grant::may_change)
}

/// A plan in short: one line a step, for the question whether to run it.
pub(crate) fn brief(prepared: &Prepared, paper: Paper) -> String {
    let mut table = Table::indented(2);
    for (_, steps) in sections(&prepared.plan) {
        for planned in steps {
            let changing: Vec<String> = planned
                .permission
                .step
                .iter()
                .filter(|grant| grant.may_change())
                .map(ToString::to_string)
                .collect();
            let may = if changing.is_empty() {
                "changes nothing".to_owned()
            } else {
                changing.join(", ")
            };
            let ink = if changing.is_empty() {
                Ink::Faint
            } else {
                Ink::Warn
            };
            table.row([
                (Ink::Name, planned.step.id.to_string()),
                (Ink::Plain, what(&planned.step)),
                (ink, may),
            ]);
        }
    }
    format!("\n{}{}", title(prepared, paper), table.render(paper))
}

fn title(prepared: &Prepared, paper: Paper) -> String {
    let plan = &prepared.plan;
    let name = paper.ink(Ink::Strong, plan.runbook.name.as_str());
    let Some(environment) = &plan.environment else {
        return format!("{name}, in no environment\n");
    };
    let heading = if environment.is_rehearsal() {
        rehearsal_in(environment.name.as_str(), paper) + "\n"
    } else {
        String::new()
    };
    let protected = if environment.protected {
        ", which is protected"
    } else {
        ""
    };
    format!("{heading}{name} in {}{protected}\n", environment.name)
}

pub(super) fn sections(plan: &Plan) -> [(&'static str, &[Planned]); 3] {
    [
        ("Steps:", &plan.steps),
        ("When the run fails:", &plan.on_failure),
        ("In any case:", &plan.finally),
    ]
}

fn step(planned: &Planned, is_first: bool, prepared: &Prepared, paper: Paper) -> String {
    let step = &planned.step;
    let name = step
        .name
        .as_deref()
        .map(|name| format!("  {}", one_line(name)))
        .unwrap_or_default();
    let mut text = format!("  {}{name}\n", paper.ink(Ink::Name, step.id.as_str()));
    let mut facts = Facts(Table::indented(4));
    facts.add("runs", Ink::Plain, what_exactly(planned, prepared));
    facts.provenance(planned, prepared);
    facts.add("starts", Ink::Plain, order(&step.needs, is_first));
    if let Some(condition) = &step.condition {
        let condition = safe(&condition.to_string()).into_owned();
        facts.add("if", Ink::Plain, condition);
    }
    facts.rights(planned, prepared);
    let fails = match step.on_failure {
        OnFailure::Abort => None,
        OnFailure::Continue => Some("without ending the run"),
        OnFailure::Pause => Some("and waits for a person"),
        OnFailure::Rollback => Some("and has what was done undone"),
    };
    if let Some(fails) = fails {
        facts.add("fails", Ink::Plain, fails.to_owned());
    }
    if step.on_doubt == OnDoubt::Continue {
        let goes_on = "what needs it goes on, while a person is asked";
        facts.add("in doubt", Ink::Plain, goes_on.to_owned());
    }
    if let Some(rollback) = &planned.rollback {
        facts.add("undone by", Ink::Name, what_exactly(rollback, prepared));
        facts.provenance(rollback, prepared);
        facts.rights(rollback, prepared);
    }
    // What a reviewer reads isn't cut.
    text.push_str(&facts.0.render(paper.uncut()));
    text
}

/// What is said of a step, a line each.
struct Facts(Table);

impl Facts {
    fn add(&mut self, label: &str, ink: Ink, value: String) {
        self.0.row([(Ink::Faint, label.to_owned()), (ink, value)]);
    }

    /// Where a plugin comes from, when that isn't the project, and who has signed it.
    fn provenance(&mut self, planned: &Planned, prepared: &Prepared) {
        let plugin = planned.step.plugin();
        let provenance = plugin.and_then(|using| prepared.provenance(using.plugin.as_str()));
        let Some(provenance) = provenance else {
            return;
        };
        if provenance.outside {
            self.add("from", Ink::Plain, one_line(&provenance.source));
        }
        match signers(provenance) {
            Some(signers) => self.add("signed by", Ink::Plain, signers),
            None if provenance.outside => {
                let nobody = "nobody that sandbook.yaml asks for".to_owned();
                self.add("signed by", Ink::Faint, nobody);
            }
            None => {}
        }
    }

    /// What a step, or what undoes it, may do and how often it tries.
    fn rights(&mut self, planned: &Planned, prepared: &Prepared) {
        for (position, grant) in planned.permission.step.iter().enumerate() {
            let ink = if grant.may_change() {
                Ink::Warn
            } else {
                Ink::Plain
            };
            let label = if position == 0 { "may" } else { "" };
            self.add(label, ink, grant.to_string());
        }
        if let (Action::Plugin(_), true) =
            (&planned.step.action, planned.permission.step.is_empty())
        {
            self.add("may", Ink::Faint, "send no request".to_owned());
        }
        for (position, ask) in not_granted(planned, prepared).into_iter().enumerate() {
            let label = if position == 0 { "may not" } else { "" };
            self.add(
                label,
                Ink::Faint,
                format!("{ask}, though the plugin asks for it"),
            );
        }
        for bound in &planned.credentials {
            let origins: Vec<String> = bound.origins.iter().map(ToString::to_string).collect();
            let (credential, slot, origins) = (&bound.credential, &bound.slot, origins.join(", "));
            self.add(
                "as",
                Ink::Plain,
                format!("{credential} (slot `{slot}`), only at {origins}"),
            );
        }
        if !planned.reveal.is_empty() {
            let slots = words::names(&planned.reveal);
            self.add(
                "sees",
                Ink::Bad,
                format!("the plain text of the secret in {slots}"),
            );
        }
        if has_wasi_http(planned, prepared) {
            let words = "its own HTTP client (`wasi:http`), through the same gate";
            self.add("by", Ink::Plain, words.to_owned());
        }
        if let Some(limits) = limits(planned) {
            self.add("limits", Ink::Plain, limits);
        }
        if let Some(tries) = tries(&planned.step) {
            self.add("tries", Ink::Plain, tries);
        }
    }
}

/// What a step's plugin asks for and isn't granted: requests, credentials, the plain text of secrets.
fn not_granted(planned: &Planned, prepared: &Prepared) -> Vec<String> {
    let Some(plugin) = &planned.plugin else {
        return Vec::new();
    };
    let requests = plugin.not_granted.iter();
    let requests = requests.map(|ask| safe(&ask.to_string()).into_owned());
    let slots = plugin.unbound.iter();
    let slots = slots.map(|slot| format!("use a credential (slot `{slot}`)"));
    let reveal =
        is_reveal_withheld(planned, prepared).then(|| "see the plain text of a secret".to_owned());
    requests.chain(slots).chain(reveal).collect()
}

/// Whether a step's plugin asks for the plain text of secrets and is granted none.
pub(super) fn is_reveal_withheld(planned: &Planned, prepared: &Prepared) -> bool {
    let using = planned.step.plugin();
    using.is_some_and(|using| {
        planned.reveal.is_empty() && prepared.asks_to_reveal(using.plugin.as_str())
    })
}

/// Whether a step's plugin brings its own HTTP client.
pub(super) fn has_wasi_http(planned: &Planned, prepared: &Prepared) -> bool {
    let using = planned.step.plugin();
    using.is_some_and(|using| prepared.has_wasi_http(using.plugin.as_str()))
}

/// What a step may use of the host, where that isn't the usual.
fn limits(planned: &Planned) -> Option<String> {
    let unusual = planned.limits.unusual();
    let limits: Vec<String> = unusual
        .map(|(limit, value)| format!("{} {value}", limit.key()))
        .collect();
    (!limits.is_empty()).then(|| limits.join(", "))
}

/// What a step runs, in a word.
fn what(step: &Step) -> String {
    match &step.action {
        Action::Plugin(using) => using.plugin.to_string(),
        Action::Wait(_) => "wait".to_owned(),
        Action::Assert(_) => "assert".to_owned(),
        Action::Approval(_) => "approval".to_owned(),
        Action::Manual(_) => "manual".to_owned(),
    }
}

fn what_exactly(planned: &Planned, prepared: &Prepared) -> String {
    let step = &planned.step;
    match &step.action {
        Action::Plugin(using) => {
            let digest = prepared
                .plugins()
                .find(|(name, _)| *name == using.plugin.as_str());
            let digest = digest
                .map(|(_, digest)| format!(" ({digest})"))
                .unwrap_or_default();
            let version = planned
                .plugin
                .as_ref()
                .map(|plugin| format!(" {}", safe(&plugin.version)))
                .unwrap_or_default();
            format!(
                "{}{version}{digest}, at most {}",
                using.plugin,
                format_duration(step.timeout)
            )
        }
        Action::Wait(duration) if touches_sensitive(prepared, duration) => {
            "a wait of [sensitive]".to_owned()
        }
        Action::Wait(duration) => match duration.render(&prepared.plan.scope()) {
            Ok(serde_json::Value::String(duration)) => format!("a wait of {}", safe(&duration)),
            _ => "a wait, for as long as it is known only then".to_owned(),
        },
        Action::Assert(check) => format!("a check that {}", safe(&check.condition.to_string())),
        Action::Approval(approval) => who_approves(approval),
        Action::Manual(_) => "what a person does by hand".to_owned(),
    }
}

fn who_approves(approval: &Approval) -> String {
    let people = match (approval.min, &approval.approvers[..]) {
        (1, []) => "anybody".to_owned(),
        (min, []) => format!("{min} people"),
        (min, [_, _, ..]) => format!("{min} of {}", safe(&approval.approvers.join(", "))),
        (_, [only]) => safe(only).into_owned(),
    };
    let but = if approval.allow_self {
        ""
    } else {
        " but whoever starts the run"
    };
    format!("an approval by {people}{but}")
}

fn touches_sensitive(prepared: &Prepared, template: &Template) -> bool {
    let touched = template.touches();
    touched
        .iter()
        .any(|touched| prepared.plan.is_sensitive(touched))
}

fn order(needs: &Needs, is_first: bool) -> String {
    match needs {
        Needs::AllBefore if is_first => "first".to_owned(),
        Needs::AllBefore => "after all above".to_owned(),
        Needs::These(ids) if ids.is_empty() => "at once".to_owned(),
        Needs::These(ids) => format!("after {}", words::names(ids)),
    }
}

fn tries(step: &Step) -> Option<String> {
    let retry = &step.retry;
    if retry.attempts < 2 {
        return None;
    }
    let growing = match retry.backoff {
        Backoff::Constant => String::new(),
        Backoff::Exponential => format!(
            ", twice as long each time, at most {}",
            format_duration(retry.max_delay)
        ),
    };
    Some(format!(
        "{} times, {} apart{growing}",
        retry.attempts,
        format_duration(retry.delay)
    ))
}
