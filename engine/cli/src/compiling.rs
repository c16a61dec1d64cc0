//! The part of this program that compiles one component, in a process of its own that an engine has started.
//!
//! It is no command: it reads a component from its standard input, writes code to its standard output, and touches
//! nothing else. Whoever calls it by hand gets just that, and where people run the engine as another account it is
//! refused: there it would only be a way to keep the account's machine busy.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sandbook_sandbox::{ChildCompiler, CompileLimits, Compiler, compile_for_parent};

use crate::operator::is_delegated;
use crate::problem::Problem;

/// The first argument that asks for it.
const WORD: &str = "__compile";

/// What compiles components for this process: this very program.
pub(crate) fn compiler() -> Compiler {
    // The file may have been replaced since this process began; this name still means what runs.
    let running = Path::new("/proc/self/exe");
    let program = match running.try_exists() {
        Ok(true) => Some(running.to_owned()),
        _ => env::current_exe().ok(),
    };
    Compiler::Child(ChildCompiler {
        program: program.unwrap_or_else(|| PathBuf::from("sandbook")),
        arguments: vec![WORD.into()],
        limits: CompileLimits::default(),
    })
}

/// Whether this process is to compile something.
pub(crate) fn is_asked_for() -> bool {
    env::args_os().nth(1).is_some_and(|word| word == WORD)
}

/// Compiles what is handed in.
///
/// # Errors
///
/// Somebody asks for it who runs the engine as another account.
pub(crate) fn compile() -> Result<ExitCode, Problem> {
    if is_delegated()? {
        return Err(Problem::wrong(format!(
            "`{WORD}` is not accepted from you: it is the engine's own"
        )));
    }
    Ok(compile_for_parent(env::args_os().skip(2)))
}
