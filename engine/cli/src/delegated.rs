//! The delegated mode: a person runs the engine as another account, by sudo, with that account's secrets.
//!
//! Nothing of the person's decides what is run with them. What is accepted are names of the account's own project
//! and values of inputs; no path (`arguments`), and nothing that surrounds the process (`surroundings`).

mod account;
mod arguments;
mod commands;
mod surroundings;

use clap::{ArgMatches, Command};

pub(crate) use self::account::Account;
use crate::operator::{is_delegated, operator};
use crate::problem::Problem;

/// The account whose project it is, when the engine runs for somebody else; none when people run it as themselves.
///
/// It refuses every path among the arguments, and then leaves behind what is the caller's: environment variables,
/// working directory, limits. To be called before anything else looks at those.
///
/// # Errors
///
/// A path was given, or what only whoever looks after the host does; the account has no home, or who runs this can't be told;
/// what the caller has left open can't be told.
pub(crate) fn enter(command: &Command, given: &ArgMatches) -> Result<Option<Account>, Problem> {
    if !is_delegated()? {
        return Ok(None);
    }
    // Before anything is opened: who looks up an account may keep a connection to where that is known.
    surroundings::close_inherited()?;
    let account = Account::of_this_process()?;
    arguments::refuse_paths(command, given)
        .map_err(|path| path.refused(&operator().name, &account))?;
    commands::refuse_upkeep(given)?;
    surroundings::leave_behind(&account)?;
    Ok(Some(account))
}
