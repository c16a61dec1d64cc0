//! What becomes of a run when the disk that holds its record is nearly full.

use std::cmp::Reverse;

use sandbook_journal::{Event, Interruption};

use super::{Conducted, Conductor, Timer};
use crate::agenda::Due;
use crate::failed::Failed;

impl Conductor<'_> {
    /// Where there is too little room to start anything, waits for what runs, and interrupts the run. Nothing where
    /// there is enough, or where only the run's end is left to be written.
    pub(super) async fn end_for_space(&mut self) -> Result<Option<Conducted>, Failed> {
        let Some(no_space) = self.setting.space.shortage().cloned() else {
            return Ok(None);
        };
        // Their starts are on their way to the record, as those of attempts that were cut off.
        self.launches.clear();
        for recording in &mut self.recordings {
            recording.launches.clear();
        }
        loop {
            self.record();
            if self.running.is_empty() && self.recordings.is_empty() && !self.waits_out() {
                break;
            }
            if let Some(signal) = self.something_happens().await? {
                self.wind_up(signal).await?;
                return Ok(Some(Conducted::Interrupted(signal)));
            }
        }
        if self.agenda.clone().next() == Some(Due::Finish) {
            return Ok(None);
        }
        let cause = Interruption::NoSpace;
        self.write(Event::RunInterrupted { cause });
        self.record();
        self.all_recorded().await?;
        Ok(Some(Conducted::OutOfSpace(no_space)))
    }

    /// Whether the wait of a step is under way.
    fn waits_out(&self) -> bool {
        let is_wait =
            |timer: &Reverse<(u64, usize, Timer)>| matches!(timer.0.2, Timer::WaitOver(_));
        self.timers.iter().any(is_wait)
    }
}
