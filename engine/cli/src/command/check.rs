//! `sandbook check`: everything that can be known without running, all faults at once.

use std::collections::BTreeSet;

use sandbook_executor::{Checked, Project, Refused};
use sandbook_runbook::Severity;
use serde_json::json;

use super::given::runtime;
use crate::arguments::Check;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::{Problem, documents};
use crate::render::{self, count};
use crate::screen::{Output, Paper, complain};

pub(crate) fn check(
    arguments: &Check,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let project = match arguments.runbooks.first() {
        Some(runbook) => places.project_of(runbook)?,
        None => places.project()?,
    };
    let checked = project.check(&arguments.runbooks, arguments.env.as_deref())?;
    let has_errors = checked.has_errors();
    if arguments.output.is_json() {
        print_json(&checked, output);
    } else {
        print(checked, output);
    }
    if has_errors {
        return Ok(Exit::Wrong);
    }
    if let (true, Some(environment)) = (arguments.live, &arguments.env) {
        obtain_all(arguments, &project, environment, output)?;
    }
    Ok(Exit::Succeeded)
}

/// Obtains every credential that the runbooks may use.
fn obtain_all(
    arguments: &Check,
    project: &Project,
    environment: &str,
    output: &mut Output,
) -> Result<(), Problem> {
    let runbooks = match arguments.runbooks.is_empty() {
        true => project.runbook_names()?,
        false => arguments.runbooks.clone(),
    };
    let mut obtained = BTreeSet::new();
    let runtime = runtime()?;
    for runbook in runbooks {
        let draft = project.draft(&runbook, Some(environment))?;
        obtained.extend(runtime.block_on(draft.obtain())?);
    }
    if arguments.output.is_json() {
        output.line(&json!({ "obtained": obtained }).to_string());
        return Ok(());
    }
    let obtained: Vec<String> = obtained.into_iter().collect();
    output.line(&match obtained.as_slice() {
        [] => "No credential is used.".to_owned(),
        names => format!(
            "{} obtained: {}.",
            count(names.len(), "credential"),
            render::names(names)
        ),
    });
    Ok(())
}

fn print(checked: Checked, output: &mut Output) {
    if !checked.reports.is_empty() {
        complain(documents(&checked.reports, Paper::standard_error()).trim_end());
    }
    let errors = checked.refused.len();
    for refused in checked.refused {
        complain(&Problem::from(refused).render(Paper::standard_error()));
    }
    let number = |severity| {
        let faults = checked.reports.iter().flat_map(|report| &report.faults);
        faults.filter(|fault| fault.severity == severity).count()
    };
    let errors = errors + number(Severity::Error);
    let found = match (errors, number(Severity::Warning)) {
        (0, 0) => "no faults".to_owned(),
        (errors, 0) => count(errors, "fault"),
        (0, warnings) => count(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", count(errors, "fault"), count(warnings, "warning")),
    };
    output.line(&format!(
        "{} checked: {found}.",
        count(checked.files, "document")
    ));
}

/// One fault a line.
fn print_json(checked: &Checked, output: &mut Output) {
    for report in &checked.reports {
        for fault in report.located() {
            let severity = match fault.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let line = json!({
                "file": report.source.name, "severity": severity, "line": fault.line, "column": fault.column,
                "path": fault.path, "message": fault.message, "help": fault.help,
            });
            output.line(&line.to_string());
        }
    }
    for refused in &checked.refused {
        let help = match refused {
            Refused::Because(reason) => reason.help.as_deref(),
            Refused::Invalid(_) => None,
        };
        let line = json!({ "severity": "error", "message": refused.to_string(), "help": help });
        output.line(&line.to_string());
    }
}
