//! What is read of a run's log to go on with the run.

use std::collections::HashMap;

use sandbook_journal::{self as journal, Event, Head, Reader, RunId, RunState, Stored};

use crate::failed::Failed;

/// A run's log, as far as going on with it takes. Of ten thousand steps that are over, it holds what they came to.
pub(crate) struct Story {
    /// What the log comes to.
    pub(crate) state: RunState,
    /// How far it goes.
    pub(crate) head: Head,
    /// The events of the run itself and of its steps that aren't over yet, and the failures, in their order.
    pub(crate) events: Vec<Stored>,
}

impl Story {
    /// Reads a run's log, checked along its chain.
    ///
    /// # Errors
    ///
    /// There is no such run, or its log isn't one.
    pub(crate) fn read(reader: &Reader, run: RunId) -> Result<Story, Failed> {
        let mut events = Vec::new();
        let mut of_steps: HashMap<journal::StepId, Vec<Stored>> = HashMap::new();
        let read = reader.walk(run, |state, stored| {
            let Some(step) = stored.event.step() else {
                return events.push(stored);
            };
            let is_over = state
                .step(step.as_str())
                .is_some_and(|step| step.status.is_ended());
            if is_over {
                of_steps.remove(step);
                if matches!(stored.event, Event::StepFailed { .. }) {
                    events.push(stored);
                }
            } else {
                of_steps.entry(step.clone()).or_default().push(stored);
            }
        });
        let (state, head) = read.map_err(|error| Failed::State(error.into()))?;
        events.extend(of_steps.into_values().flatten());
        events.sort_by_key(|stored| stored.seq);
        Ok(Story {
            state,
            head,
            events,
        })
    }
}
