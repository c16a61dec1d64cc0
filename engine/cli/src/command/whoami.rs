//! `sandbook whoami`: who one is to the engine, and where it looks and writes.

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
        let account = json!({ "uid": account.uid, "name": account.name });
        let whole =
            json!({ "operator": operator, "account": account, "project": root, "state": state });
        output.line(&whole.to_string());
        return Ok(Exit::Succeeded);
    }
    let mut table = Table::default();
    let mut fact =
        |name: &str, value: String| table.row([(Ink::Faint, name.to_owned()), (Ink::Plain, value)]);
    fact(
        "operator",
        format!("{} (uid {})", operator.name, operator.uid),
    );
    if account.uid != operator.uid {
        fact(
            "account",
            format!(
                "{} (uid {}): the engine runs as this one",
                account.name, account.uid
            ),
        );
    }
    fact(
        "project",
        root.unwrap_or_else(|| "none: no sandbook.yaml here or above".to_owned()),
    );
    fact("state", state.display().to_string());
    output.text(&table.render(output.paper));
    Ok(Exit::Succeeded)
}
