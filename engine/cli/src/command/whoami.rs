//! `sandbook whoami`: who one is to the engine, and where it looks and writes.

use sandbook_journal::Operator;
use serde_json::json;

use crate::arguments;
use crate::exit::Exit;
use crate::operator::{account, operator};
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::{Ink, Output, Table};

pub(crate) fn whoami(
    format: arguments::Output,
    places: &Places,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let (operator, account) = (operator(), account());
    let project = places.project_if_any()?;
    let state = places.state_of(project.as_ref())?;
    let root = project
        .as_ref()
        .map(|project| project.root().display().to_string());
    if format.is_json() {
        let whole = json!({
            "operator": operator,
            "account": { "uid": account.uid, "name": account.name },
            "delegated": places.account().is_some(),
            "project": root,
            "state": state,
        });
        output.line(&whole.to_string());
        return Ok(Exit::Succeeded);
    }
    let mut table = Table::default();
    let mut fact =
        |name: &str, value: String| table.row([(Ink::Faint, name.to_owned()), (Ink::Plain, value)]);
    let none = match places.account() {
        Some(_) => "none: no sandbook.yaml in the account's home or in `project` there",
        None => "none: no sandbook.yaml here or above",
    };
    fact("operator", shown(&operator));
    if places.account().is_some() {
        let whose = "the engine runs as this one, which holds the secrets";
        fact("account", format!("{}: {whose}", shown(&account)));
        let accepted = "names of the account's project, and no path, variable or folder of yours";
        fact("delegated", format!("yes: accepted are {accepted}"));
    } else {
        let whose = "the engine runs as you, and you hold the secrets yourself";
        fact("account", format!("your own: {whose}"));
        fact("delegated", "no".to_owned());
    }
    fact("project", root.unwrap_or_else(|| none.to_owned()));
    fact("state", state.display().to_string());
    output.text(&table.render(output.paper));
    Ok(Exit::Succeeded)
}

fn shown(who: &Operator) -> String {
    match who.name == who.uid.to_string() {
        true => format!("uid {}, which has no name here", who.uid),
        false => format!("{} (uid {})", who.name, who.uid),
    }
}
