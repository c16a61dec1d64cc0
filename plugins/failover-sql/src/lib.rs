//! Moves a database's writer: an Azure SQL failover group, or a Patroni cluster.

mod azure;
mod pace;
mod patroni;

use sandbook_step::prelude::*;

/// What is to be moved, and to where.
#[derive(Deserialize)]
#[serde(tag = "target", rename_all = "snake_case")]
enum Input {
    AzureSql(azure::Target),
    Patroni(patroni::Target),
}

#[derive(Serialize, Debug, PartialEq)]
struct Output {
    /// Who has the writer now.
    primary: String,
    /// Who had it before, where that is known.
    previous: Option<String>,
}

fn run(context: &Context, input: Input) -> Result<Done<Output>, Failure> {
    match input {
        Input::AzureSql(target) => azure::fail_over(context, &target),
        Input::Patroni(target) => patroni::switch_over(context, &target),
    }
}

/// Nothing was to be done.
fn already(primary: &str) -> Done<Output> {
    let output = Output {
        primary: primary.to_owned(),
        previous: Some(primary.to_owned()),
    };
    Done::unchanged(output).summary(format!("`{primary}` already has the writer"))
}

/// The writer has moved.
fn moved(primary: &str, previous: Option<String>) -> Done<Output> {
    let from = previous
        .as_ref()
        .map(|previous| format!(" from `{previous}`"))
        .unwrap_or_default();
    let summary = format!("the writer moved{from} to `{primary}`");
    Done::changed(Output {
        primary: primary.to_owned(),
        previous,
    })
    .summary(summary)
}

sandbook_step::step!(run);
