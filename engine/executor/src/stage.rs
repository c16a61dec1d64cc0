//! What surrounds a plugin that is tested: no network, a time of its own, and nothing that differs from one run to the
//! next.

use std::sync::Arc;

use sandbook_journal::{Clock, RunId};
use sandbook_sandbox::network::Wire;
use sandbook_sandbox::{LeapingTime, Plugin, Time};

/// The surroundings of a run that nothing leaves.
#[derive(Clone)]
pub(crate) struct Stage {
    /// What answers requests.
    pub(crate) wire: Arc<dyn Wire>,
    pub(crate) time: LeapingTime,
    /// The plugin, ready to be called: it is made ready once for all runs.
    pub(crate) plugin: Plugin,
    /// What the run is called.
    pub(crate) run: RunId,
    /// What its random numbers are drawn from.
    pub(crate) seed: [u8; 32],
    /// Whether the run is taken up from what is kept of it.
    pub(crate) is_resumed: bool,
}

/// The clock of a time that leaps.
pub(crate) struct StageClock(pub(crate) LeapingTime);

impl Clock for StageClock {
    fn now(&self) -> u64 {
        let now = Time::Leaping(self.0.clone()).now();
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }
}
