//! `sandbook`: arguments in, reports out. What may run, when, and with which rights is decided by the
//! executor and the crates below it; here it is only asked for and shown.

mod arguments;
mod command;
mod compiling;
mod delegated;
mod exit;
mod operator;
mod places;
mod problem;
mod prompt;
mod render;
mod screen;
mod signals;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use signal_hook::consts::SIGXFSZ;

use self::arguments::Arguments;
use self::exit::Exit;
use self::problem::Problem;
use self::screen::{Output, Paper, complain};

fn main() -> ExitCode {
    // First of all, so that it has its bounds before anything else can happen.
    if compiling::is_asked_for() {
        return compiling::compile().unwrap_or_else(|problem| tell(&problem).into());
    }
    signals::take_back();
    dump_nothing();
    // A file that may not grow any further is then an error, which is told; by itself it would end the process
    // without a word. Where that can't be had, all else still can.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    let mut definition = Arguments::command();
    definition.build();
    let given = definition.get_matches_mut();
    let arguments = Arguments::from_arg_matches(&given).unwrap_or_else(|error| error.exit());
    let mut output = Output::standard();
    let done = delegated::enter(&definition, &given)
        .and_then(|account| command::execute(arguments, account, &mut output));
    let exit = done.unwrap_or_else(|problem| tell(&problem));
    match output.fault() {
        // The run's own status says more than what became of its report.
        Some(error) if exit == Exit::Succeeded => tell(&Problem::output(&error)).into(),
        _ => exit.into(),
    }
}

/// Keeps secrets in memory from being written to a disk when the process dies, and from being read by others of the
/// same user. Where that can't be had, all else still can.
fn dump_nothing() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Tells the person what went wrong.
fn tell(problem: &Problem) -> Exit {
    complain(&problem.render(Paper::standard_error()));
    problem.exit
}
