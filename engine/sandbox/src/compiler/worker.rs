//! The child's side: bounds itself, and compiles what it is handed.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, getrlimit, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use crate::{engine, packed::MAX_COMPONENT_BYTES};

/// The exit status that says that the component is at fault.
pub(super) const INVALID: i32 = 1;

/// The exit status that says that it is not.
const FAILED: u8 = 2;

/// Compiles the component on standard input, and writes its code on standard output. It reads and writes nothing
/// else. What goes wrong is said on standard error.
///
/// It is for a process that a [`ChildCompiler`](super::ChildCompiler) has started, with the arguments that follow
/// its own: how much memory the process may have in bytes, how much processor time in seconds, and how much it may
/// write in bytes. These hold for the rest of the process, which ends when its parent does.
pub fn compile_for_parent(bounds: impl IntoIterator<Item = OsString>) -> ExitCode {
    let component = match bind(bounds).and_then(|()| read()) {
        Ok(component) => component,
        Err(error) => return fail(FAILED, &error.to_string()),
    };
    let engine = match engine::engine(None) {
        Ok(engine) => engine,
        Err(error) => return fail(FAILED, &format!("{error:#}")),
    };
    match engine.precompile_component(&component) {
        Ok(code) => match io::stdout().lock().write_all(&code) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(FAILED, &error.to_string()),
        },
        Err(error) => fail(INVALID as u8, &format!("{error:#}")),
    }
}

/// Takes on the bounds. Without all of them nothing is compiled.
fn bind(bounds: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    let number = |text: OsString| text.to_str()?.parse().ok();
    let bounds: Option<Vec<u64>> = bounds.into_iter().map(number).collect();
    let Some([memory, cpu, code]) = bounds.as_deref() else {
        let usage = "this is for the engine itself: it wants three numbers";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, usage));
    };
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Where memory runs out all the same, this is to go first. While one can still write there: then nobody looks
    // into this process, as nobody looks into its parent.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Data, *memory),
        (Resource::Cpu, *cpu),
        (Resource::Fsize, *code),
    ] {
        let highest = getrlimit(resource).maximum;
        let current = Some(highest.map_or(most, |highest| highest.min(most)));
        let maximum = match resource {
            // Its signal says what was used up; the end behind it says nothing.
            Resource::Cpu => current.map(|seconds| highest.unwrap_or(u64::MAX).min(seconds + 1)),
            _ => current,
        };
        setrlimit(resource, Rlimit { current, maximum })?;
    }
    Ok(())
}

fn read() -> io::Result<Vec<u8>> {
    let mut component = Vec::new();
    let most = MAX_COMPONENT_BYTES as u64 + 1;
    io::stdin().lock().take(most).read_to_end(&mut component)?;
    if component.len() > MAX_COMPONENT_BYTES {
        return Err(io::Error::other("the component is too large"));
    }
    Ok(component)
}

fn fail(status: u8, why: &str) -> ExitCode {
    // Where that can't be written either, the status says what it can.
    let _ = writeln!(io::stderr().lock(), "{why}");
    ExitCode::from(status)
}
