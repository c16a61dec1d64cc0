//! Whole processes: how long they take, and how much memory.

use std::fs::{File, read_to_string};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// How often a process is asked for its memory. The kernel keeps the peak, so only what is taken in the last
/// moment before the end can be missed.
const LOOK: Duration = Duration::from_micros(500);

/// The exit status of a process that succeeded.
const SUCCEEDED: i32 = 0;

/// The exit status of `sandbook` where the run waits for a person.
pub(crate) const WAITING: i32 = 3;

/// Runs a process from start to end, with nothing to read and its output thrown away; what it says on standard
/// error is shown if it fails. Returns seconds.
pub(crate) fn seconds(command: Command, errors: &Path) -> Outcome<f64> {
    seconds_to(command, errors, SUCCEEDED)
}

/// [`seconds`] of a process that ends with this exit status.
pub(crate) fn seconds_to(mut command: Command, errors: &Path, end: i32) -> Outcome<f64> {
    quiet(&mut command, errors)?;
    let started = Instant::now();
    let status = command
        .status()
        .map_err(|error| unstarted(&command, &error))?;
    let took = started.elapsed();
    ended(&command, status, end, errors)?;
    Ok(took.as_secs_f64())
}

/// Runs a process and returns the most memory that it had at once: its resident set, in bytes.
pub(crate) fn peak_memory(mut command: Command, errors: &Path) -> Outcome<f64> {
    quiet(&mut command, errors)?;
    let mut child = command
        .spawn()
        .map_err(|error| unstarted(&command, &error))?;
    let mut peak = 0.0;
    let status = loop {
        peak = resident_peak(&child).unwrap_or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(LOOK);
    };
    ended(&command, status, SUCCEEDED, errors)?;
    Ok(peak)
}

/// Runs a process and returns what it printed.
pub(crate) fn printed(mut command: Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unstarted(&command, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn quiet(command: &mut Command, errors: &Path) -> Outcome {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(errors)?);
    Ok(())
}

fn unstarted(command: &Command, error: &std::io::Error) -> String {
    format!("{command:?} could not be started: {error}")
}

fn ended(command: &Command, status: ExitStatus, end: i32, errors: &Path) -> Outcome {
    if status.code() == Some(end) {
        return Ok(());
    }
    Err(format!(
        "{command:?} ended with {status}: {}",
        read_to_string(errors)?.trim()
    )
    .into())
}

/// The kernel's `VmHWM`. Nothing once the process has ended, or where there is no /proc.
fn resident_peak(child: &Child) -> Option<f64> {
    let status = read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    kibibytes
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<f64>()
        .ok()
        .map(|kibibytes| kibibytes * 1024.0)
}
