//! The parent's side: starts a compiler, waits for it, and ends it in time.

use std::{
    ffi::CStr,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{MemfdFlags, memfd_create},
    process::Signal,
};

use super::{ChildCompiler, CompileError, CompileLimits};
use crate::limits::bytes;

/// How much of what it says on standard error is looked at.
const SAID_BYTES: u64 = 4 << 10;

/// The longest that its end goes unnoticed.
const LOOK: Duration = Duration::from_millis(10);

impl ChildCompiler {
    /// The machine code of a component.
    ///
    /// What goes to the child and comes from it lies in files without a name: nothing can be blocked by a child that
    /// doesn't read, or flooded by one that doesn't end.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, CompileError> {
        let files = || Ok((nameless(c"code")?, nameless(c"said")?));
        let (mut code, mut said) = files().map_err(CompileError::Start)?;
        let status = self.run(component, &code, &said);
        let status = status.map_err(CompileError::Start)?;
        if status.is_some_and(|status| status.success()) {
            let most = self.limits.code_bytes;
            let code = read(&mut code, most.saturating_add(1)).map_err(CompileError::Start)?;
            return if code.len() as u64 > most {
                Err(too_much_code(&self.limits))
            } else {
                Ok(code)
            };
        }
        let said = read(&mut said, SAID_BYTES).map_err(CompileError::Start)?;
        let said = String::from_utf8_lossy(&said);
        Err(ended_badly(status, said.trim(), &self.limits))
    }

    /// Runs the child to its end; nothing when its time was over.
    fn run(&self, component: &[u8], code: &File, said: &File) -> io::Result<Option<ExitStatus>> {
        let mut given = nameless(c"component")?;
        given.write_all(component)?;
        given.rewind()?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(self.limits.memory_bytes.to_string())
            .arg(self.limits.cpu.as_secs().max(1).to_string())
            .arg(self.limits.code_bytes.to_string())
            .env_clear()
            // What a terminal sends to its foreground isn't meant for it; it ends with this process.
            .process_group(0)
            .stdin(given)
            .stdout(code.try_clone()?)
            .stderr(said.try_clone()?)
            .spawn()?;
        wait(&mut child, self.limits.wall)
    }
}

/// A file's bytes from its beginning on, so many at most.
fn read(file: &mut File, most: u64) -> io::Result<Vec<u8>> {
    let most = most.min(file.metadata()?.len());
    // Room for all of it at once: a buffer that grows holds it twice.
    let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or_default());
    file.rewind()?;
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file in memory that no other process can open.
fn nameless(name: &CStr) -> io::Result<File> {
    Ok(memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// Waits for the child to end, and ends it when its time is over.
fn wait(child: &mut Child, most: Duration) -> io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(None) if begun.elapsed() < most => {
                thread::sleep(pause);
                pause = (pause * 2).min(LOOK);
            }
            Ok(Some(status)) => return Ok(Some(status)),
            ended => {
                // One that has just ended can't be killed, and is waited for all the same.
                let _ = child.kill();
                let waited = child.wait();
                return ended.and(waited).map(|_| None);
            }
        }
    }
}

/// What kept the child from compiling.
fn ended_badly(status: Option<ExitStatus>, said: &str, limits: &CompileLimits) -> CompileError {
    let limit = |what, value| CompileError::Limit { what, value };
    let memory = || limit("memory", bytes(limits.memory_bytes));
    let Some(status) = status else {
        return limit("time", format!("{:?}", limits.wall));
    };
    let out_of_memory = [
        "memory allocation of",
        "out of memory",
        "Cannot allocate memory",
    ];
    match status.signal().and_then(Signal::from_named_raw) {
        Some(Signal::XCPU) => limit("processor time", format!("{:?}", limits.cpu)),
        Some(Signal::XFSZ) => too_much_code(limits),
        // Nobody else sends it this than a machine that has no memory left.
        Some(Signal::KILL) => memory(),
        _ if out_of_memory.iter().any(|words| said.contains(words)) => memory(),
        _ if status.code() == Some(super::worker::INVALID) => {
            CompileError::Invalid(said.to_owned())
        }
        _ => CompileError::Ended {
            how: format!("{status}: {}", said.lines().last().unwrap_or_default()),
        },
    }
}

fn too_much_code(limits: &CompileLimits) -> CompileError {
    CompileError::Limit {
        what: "machine code",
        value: bytes(limits.code_bytes),
    }
}

#[cfg(test)]
mod tests;
