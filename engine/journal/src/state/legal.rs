//! What a whole run's status forbids.

use super::{Illegal, RunState, Section, StepStatus};
use crate::event::{Event, FinalStatus, SkipReason, StepId};

impl RunState {
    pub(super) fn refuse_by_status(&self, event: &Event) -> Result<(), Illegal> {
        let Some(facts) = self.facts() else {
            return if matches!(event, Event::RunStarted(_)) {
                Ok(())
            } else {
                Err(Illegal::NotStarted)
            };
        };
        if matches!(event, Event::Noted { .. }) {
            return Ok(());
        }
        if self.finish.is_some() {
            return Err(Illegal::Finished);
        }
        if matches!(event, Event::RunStarted(_)) {
            return Err(Illegal::StartedTwice);
        }
        if self.interrupted && !matches!(event, Event::RunResumed { .. }) {
            return Err(Illegal::Interrupted);
        }
        refuse_by_dryness(event, facts.dry_run)
    }

    pub(super) fn refuse_finish(&self, status: FinalStatus) -> Result<(), Illegal> {
        if self.tally.running > 0 {
            return Err(self.unfinished(|_, status| status == StepStatus::Running));
        }
        if status != FinalStatus::Succeeded {
            return Ok(());
        }
        if self.tally.owed > 0 {
            return Err(self.unfinished(|section, status| {
                section != Section::OnFailure && !status.is_ended()
            }));
        }
        let dry_run = self.facts().is_some_and(|facts| facts.dry_run);
        match self
            .steps
            .iter()
            .find(|step| step.status == StepStatus::Failed && !step.let_pass)
        {
            Some(step) if self.tally.broke > 0 && !dry_run => Err(Illegal::Unfinished {
                step: step.id.clone(),
                status: step.status,
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn refuse_unless_failed(&self, id: &StepId) -> Result<(), Illegal> {
        let step = self
            .step(id.as_str())
            .ok_or_else(|| Illegal::UnknownStep { step: id.clone() })?;
        match step.status {
            StepStatus::Failed => Ok(()),
            status => Err(Illegal::NotFailed {
                step: id.clone(),
                status,
            }),
        }
    }

    fn unfinished(&self, is_it: impl Fn(Section, StepStatus) -> bool) -> Illegal {
        let step = self
            .steps
            .iter()
            .find(|step| is_it(step.section, step.status));
        let step = step.expect("invariant: the tally counts the steps");
        Illegal::Unfinished {
            step: step.id.clone(),
            status: step.status,
        }
    }
}

/// A dry run begins no request that may change something; only a dry run holds back and lists.
fn refuse_by_dryness(event: &Event, dry_run: bool) -> Result<(), Illegal> {
    let what = match (event, dry_run) {
        (Event::RequestBegun { .. }, true) => "a changing request",
        (Event::RequestHeld { .. }, false) => "a held-back request",
        (Event::StepSucceeded { unknown: true, .. }, false) => "an unknown output",
        (
            Event::StepSkipped {
                reason: SkipReason::Listed { .. } | SkipReason::ListedOnly,
                ..
            },
            false,
        ) => "a step that is only listed",
        _ => return Ok(()),
    };
    Err(Illegal::DryRun { what, dry_run })
}
