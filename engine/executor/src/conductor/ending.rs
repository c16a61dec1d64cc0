//! How steps and runs end: what is written of it, and what the steps that follow see.

use std::cmp::Reverse;
use std::sync::MutexGuard;

use sandbook_journal::{self as journal, Entry as Line, Event, SkipReason};
use sandbook_runbook::{OnFailure, Step, StepFacts};
use sandbook_sandbox::Output;
use serde_json::json;

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
        let step = &self.steps.get(index).step;
        let circumstances = Circumstances {
            attempt: self.failures[index] + 1,
            lost: seen.lost,
            ambiguous: seen.ambiguous,
            held_back: seen.held_back,
            jitter: self.setting.jitter,
        };
        match judge(ended, &step.retry, circumstances) {
            Verdict::Succeeded(mut output) => match self.check_output(step, &output) {
                Ok(()) => {
                    output.changed |= self.replay(index).changed_before();
                    self.succeed(index, attempt, output);
                }
                Err(lie) => self.fail(index, attempt, facts::bad_output(lie), seen.ambiguous),
            },
            Verdict::HeldBack => self.held_back(index, attempt),
            Verdict::Again { failure, wait } => {
                if failure.start_over {
                    self.replay(index).clear();
                }
                self.failures[index] += 1;
                let retry_at = self.setting.clock.now().saturating_add(millis(wait));
                self.timers
                    .push(Reverse((retry_at, index, Timer::Retry(attempt + 1))));
                let (step, failure) = (facts::id(&step.id), self.redacted(facts::failure(failure)));
                self.write(Event::AttemptFailed {
                    step,
                    attempt,
                    failure,
                    retry_at,
                });
            }
            Verdict::Failed { failure, in_doubt } => {
                self.fail(index, attempt, facts::failure(failure), in_doubt);
            }
            Verdict::Stopped(stop) => {
                // While the run is interrupted the step stays as it is; any other stop is the engine's own fault.
                if self.setting.desk.stop.borrow().is_none() {
                    return Err(Failed::stopped(&step.id, stop));
                }
            }
        }
        Ok(())
    }

    /// The record of a step that was attempted.
    pub(super) fn replay(&self, index: usize) -> MutexGuard<'_, Replay> {
        self.replays[&index]
            .lock()
            .expect("nothing panics while it holds this lock")
    }

    /// Whether a plugin's outputs are what its manifest says.
    fn check_output(&self, step: &Step, output: &Output) -> Result<(), String> {
        let using = step.plugin().expect("only a plugin's attempt is judged");
        self.setting.bench.plugins[&using.plugin]
            .schemas
            .check_output(&output.data)
    }

    pub(super) fn succeed(&mut self, index: usize, attempt: u32, mut output: Output) {
        let planned = self.steps.get(index);
        let is_sensitive = |name: &str| planned.sensitive_outputs.contains(name);
        // Before any step that follows can know them.
        sensitive::hide_outputs(&self.setting.bench.redactor, &mut output, is_sensitive);
        let empty = serde_json::Map::new();
        let outputs = output.data.as_object().unwrap_or(&empty);
        let (outputs, contents) = facts::recorded(outputs, is_sensitive, &self.setting.desk.key);
        let event = Event::StepSucceeded {
            step: facts::id(&planned.step.id),
            attempt,
            outputs,
            changed: output.changed,
            summary: Some(output.summary).filter(|summary| !summary.is_empty()),
            unknown: false,
        };
        self.scope.set_step(
            &planned.step.id,
            &facts::succeeded(output.changed, output.data),
        );
        self.write(Line { event, contents });
        self.agenda.done(index, Done::Satisfied);
    }

    pub(super) fn held_back(&mut self, index: usize, attempt: u32) {
        let id = &self.steps.get(index).step.id;
        self.unknown.insert(id.clone());
        self.scope.set_step(id, &facts::succeeded(true, json!({})));
        self.write(Event::StepSucceeded {
            step: facts::id(id),
            attempt,
            outputs: journal::Values::new(),
            changed: true,
            summary: None,
            unknown: true,
        });
        self.agenda.done(index, Done::Satisfied);
    }

    pub(super) fn fail(
        &mut self,
        index: usize,
        attempt: u32,
        failure: journal::Failure,
        in_doubt: Option<u32>,
    ) {
        // The engine's own words may quote what an expression came to.
        let failure = self.redacted(failure);
        let step = &self.steps.get(index).step;
        // Steps of a dry run see a world in which what was held back has not happened: their failing says little.
        let beside_the_point = self.setting.dry_run && !self.unknown.is_empty();
        let let_pass = step.on_failure == OnFailure::Continue || beside_the_point;
        if beside_the_point {
            self.unknown.insert(step.id.clone());
        }
        if !let_pass && self.broke.is_none() {
            self.broke = Some((step.id.clone(), failure.message.clone()));
        }
        self.scope.set_step(&step.id, &facts::failed(&failure));
        if let_pass {
            self.passed.push(facts::id(&step.id));
        }
        self.write(Event::StepFailed {
            step: facts::id(&step.id),
            attempt,
            failure,
            in_doubt,
            let_pass,
        });
        self.agenda.done(
            index,
            if let_pass {
                Done::Satisfied
            } else {
                Done::Broke
            },
        );
    }

    pub(super) fn skip(&mut self, index: usize, reason: SkipReason, how: Done) {
        let id = &self.steps.get(index).step.id;
        self.scope.set_step(id, &StepFacts::skipped());
        self.write(Event::StepSkipped {
            step: facts::id(id),
            reason,
        });
        self.agenda.done(index, how);
    }

    fn redacted(&self, failure: journal::Failure) -> journal::Failure {
        sensitive::redact_failure(&self.setting.bench.redactor, failure)
    }

    /// All sections are through: what the runbook puts out, and the last event.
    pub(super) fn finish(&mut self) {
        let mut error = self
            .broke
            .as_ref()
            .map(|(step, message)| format!("step `{step}`: {message}"));
        let mut outputs = journal::Values::new();
        let mut contents = Vec::new();
        if error.is_none() {
            match facts::run_outputs(
                self.plan,
                &self.scope,
                &self.unknown,
                &self.setting.desk.key,
            ) {
                Ok(evaluated) => (outputs, contents) = evaluated,
                Err(message) => error = Some(message),
            }
        }
        let redactor = &self.setting.bench.redactor;
        sensitive::redact_values(redactor, &mut outputs);
        if let Some(error) = &mut error {
            sensitive::redact_text(redactor, error);
        }
        let status = match error {
            None => journal::FinalStatus::Succeeded,
            Some(_) => journal::FinalStatus::Failed,
        };
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
}
