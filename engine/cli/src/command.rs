//! The commands, one a file.

mod anchor;
mod audit;
mod cancel;
mod carry_out;
mod check;
mod completions;
mod conduct;
mod decide;
mod given;
mod init;
mod list;
mod log;
mod note;
mod plan;
mod plugin;
mod prune;
mod resume;
mod run;
mod runs;
mod schema;
mod secrets;
mod show;
mod whoami;

use crate::arguments::{Arguments, Command};
use crate::delegated::Account;
use crate::exit::Exit;
use crate::places::Places;
use crate::problem::Problem;
use crate::screen::Output;

/// Does what the arguments ask for; with an account, in its places only.
pub(crate) fn execute(
    arguments: Arguments,
    account: Option<Account>,
    output: &mut Output,
) -> Result<Exit, Problem> {
    let places = &match account {
        Some(account) => Places::of_account(account),
        None => Places::new(arguments.places),
    };
    match arguments.command {
        Command::List(format) => list::list(format, places, output),
        Command::Run(arguments) => run::run(&arguments, places, output),
        Command::Resume(arguments) => resume::resume(&arguments, places, output),
        Command::Decide(arguments) => decide::decide(&arguments, places, output),
        Command::Cancel(arguments) => cancel::cancel(&arguments, places, output),
        Command::Undo(arguments) => cancel::undo(&arguments, places, output),
        Command::Check(arguments) => check::check(&arguments, places, output),
        Command::Plan(arguments) => plan::plan(&arguments, places, output),
        Command::Runs(arguments) => runs::runs(&arguments, places, output),
        Command::Show(arguments) => show::show(&arguments, places, output),
        Command::Log(arguments) => log::log(&arguments, places, output),
        Command::Note(arguments) => note::note(&arguments, places, output),
        Command::Audit(command) => audit::audit(&command, places, output),
        Command::Prune(arguments) => prune::prune(&arguments, places, output),
        Command::Plugin(command) => plugin::plugin(command, places, output),
        Command::Secrets(command) => secrets::secrets(&command, places, output),
        Command::Init(arguments) => init::init(&arguments, output),
        Command::Schema(arguments) => Ok(schema::schema(&arguments, output)),
        Command::Whoami(format) => whoami::whoami(format, places, output),
        Command::Completions(arguments) => Ok(completions::completions(&arguments, output)),
    }
}
