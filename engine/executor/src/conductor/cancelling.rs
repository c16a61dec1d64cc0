//! A person wants the run to end.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem;

use sandbook_journal::Cancelling;

use super::{Conductor, Timer, Waiting};
use crate::facts;

impl Conductor<'_> {
    /// Lets nothing begin any more but what runs in any case, and cuts off what runs: a request that is under way is
    /// waited for, and the next one isn't sent. A doubt stays.
    pub(super) fn cancel(&mut self, cancelling: Cancelling) {
        if self.cancelled.is_some() {
            return;
        }
        if cancelling.rollback {
            self.agenda.want_rollback();
        }
        self.cancelled = Some(cancelling);
        self.agenda.cancel();
        self.cut.send_replace(true);
        self.end_pauses();
        self.end_queued();
        self.ask_nobody_any_more();
    }

    /// Whether a cancellation ends this step, if it was begun before.
    pub(super) fn is_cut_off(&self, index: usize) -> bool {
        self.cancelled.is_some() && self.steps.is_before_finally(index)
    }

    /// Steps that wait for time.
    fn end_pauses(&mut self) {
        let timers: BinaryHeap<_> = mem::take(&mut self.timers);
        let (cut_off, stay): (Vec<_>, Vec<_>) = timers
            .into_iter()
            .partition(|Reverse((_, index, _))| self.is_cut_off(*index));
        self.timers = stay.into();
        for Reverse((_, index, timer)) in cut_off {
            let attempt = match timer {
                Timer::Retry(next) => next - 1,
                Timer::WaitOver(attempt) => attempt,
                // Among the questions.
                Timer::Expired(_) => continue,
            };
            self.fail_for_good(index, attempt, facts::cancelled());
        }
    }

    /// Steps that were begun, and whose next attempt waits for a place.
    fn end_queued(&mut self) {
        let (cut_off, stay): (VecDeque<Waiting>, VecDeque<Waiting>) =
            mem::take(&mut self.queue).into_iter().partition(|waiting| {
                self.is_cut_off(waiting.index) && self.started_at[waiting.index].is_some()
            });
        self.queue = stay;
        for Waiting { index, attempt, .. } in cut_off {
            self.fail_for_good(index, attempt - 1, facts::cancelled());
        }
    }

    /// But for doubts, what people were asked when the run was cancelled doesn't matter any more.
    fn ask_nobody_any_more(&mut self) {
        let open = mem::take(&mut self.asking);
        for (index, asking) in open {
            if asking.in_doubt || !self.is_cut_off(index) {
                self.asking.insert(index, asking);
            } else {
                self.fail_for_good(index, asking.attempt, facts::cancelled());
            }
        }
    }
}
