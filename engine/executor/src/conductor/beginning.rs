//! How steps begin: by their conditions, and when there is a place for them.

use std::collections::VecDeque;
use std::mem;

use sandbook_journal::{Event, SkipReason};
use sandbook_runbook::Action;

use super::recording::Launch;
use super::{Conductor, Waiting};
use crate::agenda::Done;
use crate::facts;

impl Conductor<'_> {
    /// Of a section in which a step broke, what waits for a place isn't begun any more.
    pub(super) fn drop_what_is_stopped(&mut self) {
        if !self.agenda.is_stopped() {
            return;
        }
        let begun = |waiting: &Waiting| self.started_at[waiting.index].is_some();
        let (begun, stopped) = mem::take(&mut self.queue).into_iter().partition(begun);
        self.queue = begun;
        let stopped: VecDeque<Waiting> = stopped;
        for waiting in stopped {
            self.skip(waiting.index, SkipReason::Stopped, Done::Unsatisfied);
        }
    }

    /// A step's needs are satisfied: its condition decides.
    pub(super) fn consider(&mut self, index: usize) {
        let step = &self.steps.get(index).step;
        self.tell_run(index);
        if self.setting.dry_run {
            let unknown = facts::unknown_touched(step, &self.unknown);
            if !unknown.is_empty() {
                self.unknown.insert(step.id.clone());
                return self.skip(index, SkipReason::Listed { unknown }, Done::Satisfied);
            }
        }
        match step
            .condition
            .as_ref()
            .map_or(Ok(true), |condition| condition.eval_bool(&self.scope))
        {
            Ok(true) if self.setting.dry_run && only_waits(&step.action) => {
                self.skip(index, SkipReason::ListedOnly, Done::Satisfied);
            }
            Ok(true) => self.go(index, 1),
            Ok(false) => self.skip(index, SkipReason::Condition, Done::Satisfied),
            Err(fault) => {
                self.write(Event::StepStarted {
                    step: self.steps.id(index),
                    attempt: 1,
                });
                // Trying again doesn't look at the condition.
                let failure = facts::invalid(format!("its `if`: {fault}"));
                self.fail_for_good(index, 1, failure);
            }
        }
    }

    /// Lets an attempt begin, once there is a place for it where it needs one.
    pub(super) fn go(&mut self, index: usize, attempt: u32) {
        match self.steps.get(index).step.action {
            Action::Plugin(_) => self.enqueue(index, attempt),
            _ => self.begin(self.due(index, attempt)),
        }
    }

    /// An attempt that may begin: what it waited for is on record, or in the events that go there next.
    pub(super) fn due(&self, index: usize, attempt: u32) -> Waiting {
        Waiting {
            index,
            attempt,
            after: self.handed_in + 1,
        }
    }

    /// Lets an attempt wait for a place.
    pub(super) fn enqueue(&mut self, index: usize, attempt: u32) {
        let due = self.due(index, attempt);
        self.queue.push_back(due);
    }

    /// Begins an attempt.
    pub(super) fn begin(&mut self, waiting: Waiting) {
        let Waiting {
            index,
            attempt,
            after,
        } = waiting;
        let planned = self.steps.get(index);
        let step = self.steps.id(index);
        self.write(Event::StepStarted { step, attempt });
        let prepared = match &planned.step.action {
            Action::Plugin(using) => self.prepare(index, attempt, using).map(|attempt| {
                self.placed += 1;
                self.launches.push(Launch::Attempt { attempt, after });
            }),
            Action::Wait(duration) => facts::wait(duration, &self.scope).map(|duration| {
                self.launches.push(Launch::Wait {
                    index,
                    attempt,
                    duration,
                });
            }),
            Action::Assert(check) => facts::assert(check, &self.scope).map(|()| {
                self.succeed(index, attempt, facts::nothing_changed());
            }),
            Action::Approval(approval) => self.ask_for_approval(index, attempt, approval),
            Action::Manual(manual) => self.ask_for_hands(index, attempt, manual),
        };
        if let Err(failure) = prepared {
            self.fail(index, attempt, failure, None);
        }
    }

    /// Keeps what expressions see of the run as it is when this step comes.
    fn tell_run(&mut self, index: usize) {
        if !self.steps.main().contains(&index) {
            let cancelled = self.cancelled.is_some();
            let so_far = self.setting.opening.so_far(self.broke.as_ref(), cancelled);
            self.scope.set_run(&so_far);
        }
    }
}

/// Whether a step's action is only waiting, for time or for a person.
fn only_waits(action: &Action) -> bool {
    match action {
        Action::Wait(_) | Action::Approval(_) | Action::Manual(_) => true,
        Action::Plugin(_) | Action::Assert(_) => false,
    }
}
