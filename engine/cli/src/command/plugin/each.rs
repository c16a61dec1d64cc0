//! Doing something with several plugins: what is wrong with one doesn't keep the others from it.

use crate::exit::Exit;
use crate::problem::Problem;
use crate::screen::{Output, Paper, complain};

/// Says how each ended; the exit status tells whether all went well.
pub(super) fn each<T>(
    done: impl IntoIterator<Item = (String, Result<T, Problem>)>,
    output: &mut Output,
    say: impl Fn(&str, T) -> String,
) -> Result<Exit, Problem> {
    let mut some = false;
    let mut exit = Exit::Succeeded;
    for (name, done) in done {
        some = true;
        match done {
            Ok(done) => output.line(&say(&name, done)),
            Err(problem) => {
                complain(&problem.render(Paper::standard_error()));
                exit = problem.exit;
            }
        }
    }
    if !some {
        output.line("The project has no plugins from outside.");
    }
    Ok(exit)
}
