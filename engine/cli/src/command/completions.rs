//! `sandbook completions`: a shell's completion script.

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::Exit;
use crate::screen::Output;

pub(crate) fn completions(arguments: &Completions, output: &mut Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "sandbook",
        &mut script,
    );
    output.text(&String::from_utf8_lossy(&script));
    Exit::Succeeded
}
