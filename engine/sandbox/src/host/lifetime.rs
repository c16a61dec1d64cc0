//! By which time an attempt lives, and how much of it it has.

use std::time::Duration;

use crate::{
    limits::{Breach, Limit, Limits},
    time::Time,
};

/// How long an attempt whose time leaps may take by the machine's: so long that a slow machine doesn't end it. What it
/// computes is bounded by its processor time.
const MACHINE_TIME: Duration = Duration::from_secs(60);

/// The time of one attempt. Clones are the same attempt's.
#[derive(Clone)]
pub(crate) struct Lifetime {
    time: Time,
    /// When it began, by that time.
    begun: Duration,
    limits: Limits,
}

impl Lifetime {
    /// An attempt that begins now.
    pub(super) fn begin(time: Time, limits: Limits) -> Lifetime {
        Lifetime {
            begun: time.now(),
            time,
            limits,
        }
    }

    pub(super) fn time(&self) -> &Time {
        &self.time
    }

    /// Ends the attempt when its time is up by a time that leaps: no timer of the machine's tells.
    pub(super) fn check(&self) -> Result<(), Breach> {
        match &self.time {
            Time::Leaping(_) if self.time.now().saturating_sub(self.begun) >= self.limits.wall => {
                Err(self.limits.breach(Limit::Wall))
            }
            _ => Ok(()),
        }
    }

    /// How long the attempt may take by the machine's clock, and what is to be said when it has.
    pub(crate) fn by_the_machine(&self) -> (Duration, Breach) {
        match &self.time {
            Time::Real => (self.limits.wall, self.limits.breach(Limit::Wall)),
            Time::Leaping(_) => {
                let value = format!("{MACHINE_TIME:?} by the machine's clock");
                let limit = Limit::Wall;
                (MACHINE_TIME, Breach { limit, value })
            }
        }
    }
}
