//! How steps and runs end: what is written of it, and what the steps that follow see.

use std::cmp::Reverse;
use std::sync::MutexGuard;
use std::time::Duration;

use sandbook_journal::{self as journal, Entry as Line, Event, FinalStatus, SkipReason, Waiting};
use sandbook_runbook::{OnFailure, StepFacts};
use sandbook_sandbox::{Failure, Output};
use serde_json::{Value, json};

use super::{Conductor, Timer};
use crate::agenda::Done;
use crate::attempt::Attempted;
use crate::facts::{self, millis};
use crate::failed::Failed;
use crate::replay::Replay;
use crate::sensitive;
use crate::verdict::{Circumstances, Verdict, judge};

impl Conductor<'_> {
    /// An attempt has ended; the verdict says what becomes of its step.
    pub(super) fn ended(&mut self, attempted: Attempted) -> Result<(), Failed> {
        let Attempted {
            index,
            attempt,
            ended,
            seen,
        } = attempted;
        self.placed -= 1;
        let planned = self.steps.get(index);
        let step = &planned.step;
        let circumstances = Circumstances {
            limits: &planned.limits,
            attempt: self.failures[index] + 1,
            lost: seen.lost,
            ambiguous: seen.ambiguous,
            held_back: seen.held_back,
            jitter: self.setting.jitter,
        };
        let in_doubt = seen.lost.or(seen.ambiguous);
        match judge(ended, &step.retry, circumstances) {
            Verdict::Succeeded(mut output) => match self.check_output(index, &output) {
                Ok(()) => {
                    output.changed |= self.replay(index).changed_before();
                    self.succeed(index, attempt, output);
                }
                Err(lie) => self.fail(index, attempt, facts::bad_output(lie), seen.ambiguous),
            },
            Verdict::HeldBack => self.held_back(index, attempt),
            Verdict::Again { failure, .. } if self.is_cut_off(index) => {
                self.fail_for_good(index, attempt, facts::failure(failure));
            }
            Verdict::Again { failure, wait } => self.try_again(index, attempt, failure, wait),
            Verdict::Diverged {
                recorded,
                asked,
                failure,
            } => {
                let failure = facts::failure(failure);
                if self.is_cut_off(index) {
                    self.fail_for_good(index, attempt, failure);
                } else {
                    let waiting = Waiting::Diverged { recorded, asked };
                    self.ask(index, attempt, waiting, Some(failure));
                }
            }
            Verdict::Failed { failure, in_doubt } => {
                self.fail(index, attempt, facts::failure(failure), in_doubt);
            }
            // While the run is interrupted the step stays as it is.
            Verdict::Stopped(_) if self.setting.desk.stop.borrow().is_some() => {}
            Verdict::Stopped(_) if self.is_cut_off(index) => {
                self.fail(index, attempt, facts::cancelled(), in_doubt);
            }
            // Any other stop is the engine's own fault.
            Verdict::Stopped(stop) => return Err(Failed::stopped(&step.id, stop)),
        }
        Ok(())
    }

    fn try_again(&mut self, index: usize, attempt: u32, failure: Failure, wait: Duration) {
        if failure.start_over {
            self.replay(index).clear();
        }
        self.failures[index] += 1;
        let retry_at = self.setting.clock.now().saturating_add(millis(wait));
        self.timers
            .push(Reverse((retry_at, index, Timer::Retry(attempt + 1))));
        let failure = self.redacted(facts::failure(failure));
        self.write(Event::AttemptFailed {
            step: self.steps.id(index),
            attempt,
            failure,
            retry_at,
        });
    }

    /// The record of a step that was attempted.
    pub(super) fn replay(&mut self, index: usize) -> MutexGuard<'_, Replay> {
        self.replays
            .entry(index)
            .or_default()
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Whether a plugin's outputs are what its manifest says, and can be hidden where they are sensitive.
    fn check_output(&self, index: usize, output: &Output) -> Result<(), String> {
        let planned = self.steps.get(index);
        let using = planned
            .step
            .plugin()
            .expect("only a plugin's attempt is judged");
        let bench = &self.setting.bench;
        let is_sensitive = |name: &str| planned.sensitive_outputs.contains(name);
        sensitive::check_room(&bench.redactor, output, is_sensitive)?;
        bench.plugins[&using.plugin]
            .schemas
            .check_output(&output.data)
    }

    pub(super) fn succeed(&mut self, index: usize, attempt: u32, mut output: Output) {
        let planned = self.steps.get(index);
        let is_sensitive = |name: &str| planned.sensitive_outputs.contains(name);
        if let Some(tape) = &self.setting.desk.tape {
            let outputs = output.data.as_object().into_iter().flatten();
            let sensitive = outputs.filter(|(name, _)| is_sensitive(name));
            sensitive.for_each(|(_, value)| tape.keep_sensitive(value));
        }
        // Before any step that follows can know them.
        sensitive::hide_outputs(&self.setting.bench.redactor, &mut output, is_sensitive);
        let empty = serde_json::Map::new();
        let outputs = output.data.as_object().unwrap_or(&empty);
        let (outputs, contents) = facts::recorded(outputs, is_sensitive, &self.setting.desk.key);
        let event = Event::StepSucceeded {
            step: self.steps.id(index),
            attempt,
            outputs,
            changed: output.changed,
            summary: Some(output.summary).filter(|summary| !summary.is_empty()),
            unknown: false,
        };
        self.write(Line { event, contents });
        self.has_succeeded(index, output.changed, output.data);
    }

    /// What a step's success, which is written, means for the others.
    pub(super) fn has_succeeded(&mut self, index: usize, changed: bool, outputs: Value) {
        self.succeeded.push((index, changed));
        if self.steps.is_rollback(index) {
            let undone = &self.steps.get(index).step.id;
            self.scope.set_step(undone, StepFacts::rolled_back());
        } else {
            self.tell(index, facts::succeeded(changed, outputs));
        }
        self.settle(index, Done::Satisfied);
    }

    fn held_back(&mut self, index: usize, attempt: u32) {
        let id = &self.steps.get(index).step.id;
        self.unknown.insert(id.clone());
        self.tell(index, facts::succeeded(true, json!({})));
        self.write(Event::StepSucceeded {
            step: self.steps.id(index),
            attempt,
            outputs: journal::Values::new(),
            changed: true,
            summary: None,
            unknown: true,
        });
        self.settle(index, Done::Satisfied);
    }

    /// A step has failed: a doubt waits for a person whatever the runbook says, and the rest as it says.
    pub(super) fn fail(
        &mut self,
        index: usize,
        attempt: u32,
        failure: journal::Failure,
        in_doubt: Option<u32>,
    ) {
        let pauses = self.steps.get(index).step.on_failure == OnFailure::Pause;
        let waiting = match in_doubt {
            Some(request) => Some(Waiting::InDoubt { request }),
            None if pauses && !self.setting.dry_run && !self.is_cut_off(index) => {
                Some(Waiting::Paused)
            }
            None => None,
        };
        match waiting {
            Some(waiting) => {
                if failure.start_over {
                    self.replay(index).clear();
                }
                self.ask(index, attempt, waiting, Some(failure));
            }
            None => self.fail_for_good(index, attempt, failure),
        }
    }

    /// A step has failed, and nobody is asked.
    pub(super) fn fail_for_good(&mut self, index: usize, attempt: u32, failure: journal::Failure) {
        let step = &self.steps.get(index).step;
        // Steps of a dry run see a world in which what was held back has not happened: their failing says little.
        let beside_the_point = self.setting.dry_run && !self.unknown.is_empty();
        let let_pass = step.on_failure == OnFailure::Continue || beside_the_point;
        if beside_the_point {
            self.unknown.insert(step.id.clone());
        }
        self.end_failed(index, attempt, failure, None, let_pass);
    }

    /// A step has failed; unless that is let pass, what follows it doesn't start.
    pub(super) fn end_failed(
        &mut self,
        index: usize,
        attempt: u32,
        failure: journal::Failure,
        in_doubt: Option<u32>,
        let_pass: bool,
    ) {
        let failure = self.redacted(failure);
        self.tell(index, facts::failed(&failure));
        let how = if let_pass {
            self.passed.push(self.steps.id(index));
            Done::Satisfied
        } else {
            self.has_broken(index, &failure);
            Done::Broke
        };
        self.write(Event::StepFailed {
            step: self.steps.id(index),
            attempt,
            failure,
            in_doubt,
            let_pass,
        });
        self.settle(index, how);
    }

    /// What it means for the run that a step has failed and isn't let pass.
    fn has_broken(&mut self, index: usize, failure: &journal::Failure) {
        let step = &self.steps.get(index).step;
        let why = || (step.id.clone(), failure.message.clone());
        if self.steps.is_rollback(index) {
            self.undo_broke.get_or_insert_with(why);
            return;
        }
        // What a cancellation ends is not why the run ends.
        if self.cancelled.is_none() {
            self.broke.get_or_insert_with(why);
        }
        if step.on_failure == OnFailure::Rollback && !self.setting.dry_run {
            self.agenda.want_rollback();
        }
    }

    pub(super) fn skip(&mut self, index: usize, reason: SkipReason, how: Done) {
        self.tell(index, StepFacts::skipped());
        self.write(Event::StepSkipped {
            step: self.steps.id(index),
            reason,
        });
        self.settle(index, how);
    }

    /// Says that a step is over. For those that need it, one that was let go was so before, and nothing comes of it
    /// any more but how the run ends.
    pub(super) fn settle(&mut self, index: usize, how: Done) {
        if !self.let_go.remove(&index) {
            self.agenda.done(index, how);
        }
    }

    /// Tells expressions how a step stands; they don't see what undoes one.
    pub(super) fn tell(&mut self, index: usize, facts: StepFacts) {
        if !self.steps.is_rollback(index) {
            self.scope.set_step(&self.steps.get(index).step.id, facts);
        }
    }

    /// The engine's own words may quote what an expression came to.
    pub(super) fn redacted(&self, failure: journal::Failure) -> journal::Failure {
        sensitive::redact_failure(&self.setting.bench.redactor, failure)
    }

    /// All sections are through: what the runbook puts out, and the last event.
    pub(super) fn finish(&mut self) {
        let (mut status, mut error) = self.come_to();
        let mut outputs = journal::Values::new();
        let mut contents = Vec::new();
        if status == FinalStatus::Succeeded {
            match facts::run_outputs(
                self.plan,
                &self.scope,
                &self.unknown,
                &self.setting.desk.key,
            ) {
                Ok(evaluated) => (outputs, contents) = evaluated,
                Err(message) => (status, error) = (FinalStatus::Failed, Some(message)),
            }
        }
        let redactor = &self.setting.bench.redactor;
        sensitive::redact_values(redactor, &mut outputs);
        if let Some(error) = &mut error {
            sensitive::redact_text(redactor, error);
        }
        let passed_failures = std::mem::take(&mut self.passed);
        let failed_step = self.broke.as_ref().map(|(step, _)| facts::id(step));
        let event = Event::RunFinished {
            status,
            failed_step,
            error,
            outputs,
            passed_failures,
        };
        self.write(Line { event, contents });
        self.finished = Some(status);
    }

    /// How the run ends, and why.
    fn come_to(&self) -> (FinalStatus, Option<String>) {
        let undo_broke = self
            .undo_broke
            .as_ref()
            .map(|(step, why)| format!("undoing stopped at step `{step}`: {why}"));
        let broke = self
            .broke
            .as_ref()
            .map(|(step, why)| format!("step `{step}`: {why}"));
        let cancelled = self
            .cancelled
            .as_ref()
            .map(|it| format!("cancelled by {}: {}", it.by.name, it.reason));
        let status = match (&cancelled, &broke) {
            _ if self.undoing && undo_broke.is_some() => FinalStatus::Failed,
            _ if self.undoing => FinalStatus::Cancelled,
            (Some(_), _) => FinalStatus::Cancelled,
            (None, Some(_)) => FinalStatus::Failed,
            (None, None) => FinalStatus::Succeeded,
        };
        let undone = self
            .undoing
            .then(|| "what it had done was undone".to_owned())
            .filter(|_| undo_broke.is_none());
        let why: Vec<String> = [cancelled, broke, undone, undo_broke]
            .into_iter()
            .flatten()
            .collect();
        (status, Some(why.join("; ")).filter(|why| !why.is_empty()))
    }
}
