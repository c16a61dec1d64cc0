//! Counts of what was done to runs, and what came of it.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;

use crate::disturbance::{Blow, Disturbance};
use crate::driver::Report;

/// The counts of many trials.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs.
    pub runs: usize,
    /// Processes that were started for them.
    pub processes: usize,
    /// Processes that died at a failpoint.
    pub aborts: usize,
    /// Failpoints that weren't passed as often as was expected.
    pub missed: usize,
    /// Processes that died by `SIGKILL`.
    pub kills: usize,
    /// Faults of the cloud that requests have met.
    pub faults: usize,
    /// Doubts that a person was asked about.
    pub doubts: usize,
    /// Decisions that people made.
    pub decisions: usize,
    /// What doesn't hold, with what is needed to repeat it.
    pub violations: Vec<String>,
}

impl Tally {
    pub(crate) fn add(
        &mut self,
        what: &str,
        disturbance: &Disturbance,
        report: &Report,
        faults: usize,
    ) {
        self.runs += 1;
        self.processes += report.processes.len();
        for (process, blow) in &disturbance.blows {
            let status = report.processes.get(*process).map(|it| it.status);
            let died = status.is_some_and(|status| status.signal().is_some());
            match blow {
                Blow::Abort { .. } if died => self.aborts += 1,
                Blow::Abort { .. } => self.missed += 1,
                Blow::Kill { .. } => self.kills += usize::from(died),
            }
        }
        self.faults += faults;
        self.doubts += report.doubts;
        self.decisions += report.decisions;
        for violation in &report.violations {
            self.violations
                .push(format!("{what}: {disturbance}\n    {violation}"));
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} processes, {} aborted, {} killed, {} faults, {} doubts, {} decisions, {} violations",
            self.runs,
            self.processes,
            self.aborts,
            self.kills,
            self.faults,
            self.doubts,
            self.decisions,
            self.violations.len()
        )?;
        if self.missed > 0 {
            write!(f, " ({} failpoints were not come by)", self.missed)?;
        }
        Ok(())
    }
}
