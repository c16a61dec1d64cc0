//! What is done to a run.

use std::fmt;
use std::time::Duration;

use simcloud::Fault;

/// All that is done to one run.
#[derive(Debug, Clone, Default)]
pub struct Disturbance {
    /// Which of its processes is hit, counted from 0 over all that are started for it, and how.
    pub blows: Vec<(usize, Blow)>,
    /// What goes wrong at the simulated cloud.
    pub faults: Vec<Fault>,
}

/// How a process is made to die.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blow {
    /// It aborts at a failpoint.
    Abort {
        /// The failpoint: `before/KIND`, `within/KIND` and `after/KIND` of an event's commit, and those of the gate.
        point: String,
        /// At which time that it is passed, from 1.
        hit: usize,
    },
    /// It gets `SIGKILL` so long after it was started.
    Kill {
        /// How long.
        after: Duration,
    },
}

impl Disturbance {
    /// One blow.
    #[must_use]
    pub fn blow(process: usize, blow: Blow) -> Disturbance {
        Disturbance {
            blows: vec![(process, blow)],
            faults: Vec::new(),
        }
    }

    pub(crate) fn on(&self, process: usize) -> Option<&Blow> {
        let blow = self.blows.iter().find(|(on, _)| *on == process);
        blow.map(|(_, blow)| blow)
    }
}

impl Blow {
    /// What the environment variable `FAILPOINTS` says for it.
    pub(crate) fn failpoints(&self) -> Option<String> {
        match self {
            Blow::Abort { point, hit } => Some(format!("{point}={}*off->return", hit - 1)),
            Blow::Kill { .. } => None,
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blows = self.blows.iter().map(|(process, blow)| match blow {
            Blow::Abort { point, hit } => {
                format!("process {process} aborts at `{point}` the time {hit}")
            }
            Blow::Kill { after } => format!("process {process} is killed after {after:?}"),
        });
        let faults = self
            .faults
            .iter()
            .map(|fault| format!("from request {} on: {:?}", fault.nth, fault.effect));
        let all: Vec<String> = blows.chain(faults).collect();
        f.write_str(&all.join("; "))
    }
}
