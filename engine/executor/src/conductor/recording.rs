//! From the loop to the journal and to the runners: what is put on record, and what runs once it is.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use sandbook_journal::{self as journal, Appended, Appending};
use sandbook_runbook::{Planned, Use};

use super::{Conductor, Timer};
use crate::attempt::{Attempt, Attempted};
use crate::facts::{self, millis};
use crate::failed::Failed;

/// Events that are being put on record, and what runs once they are.
pub(super) struct Recording {
    pub(super) appending: Appending,
    pub(super) launches: Vec<Attempt>,
}

/// What was begun and doesn't run yet.
pub(super) enum Launch {
    Attempt {
        attempt: Box<Attempt>,
        after: u64,
    },
    Wait {
        index: usize,
        attempt: u32,
        duration: Duration,
    },
}

impl Conductor<'_> {
    /// Makes an attempt ready to be launched.
    pub(super) fn prepare(
        &mut self,
        index: usize,
        attempt: u32,
        using: &Use,
    ) -> Result<Box<Attempt>, journal::Failure> {
        let planned = self.steps.get(index);
        let input = using
            .with
            .render(&self.scope)
            .map_err(|fault| facts::invalid(format!("its `with`: {fault}")))?;
        self.setting.bench.plugins[&using.plugin]
            .schemas
            .check_input(&input)
            .map_err(facts::invalid)?;
        let replay = Arc::clone(self.replays.entry(index).or_default());
        let bench = Arc::clone(&self.setting.bench);
        let mut record = self.replay(index);
        record.rewind();
        record.redact(&bench.redactor);
        drop(record);
        Ok(Box::new(Attempt {
            index,
            attempt,
            step: self.steps.id(index),
            plugin: using.plugin.clone(),
            input,
            limits: planned.limits.clone(),
            permission: planned.permission.clone(),
            credentials: planned.credentials.clone(),
            reveal: planned.reveal.clone(),
            partition: partition(planned),
            dry_run: self.setting.dry_run,
            replay,
        }))
    }

    /// Hands what was written to the journal, and lets loose what needn't wait for it to be on record.
    pub(super) fn record(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        let (lines, launches) = (mem::take(&mut self.lines), mem::take(&mut self.launches));
        let (journal, run) = (&self.setting.desk.journal, self.setting.desk.run);
        // While nothing runs there is nothing better to do than to write it oneself.
        let appending = if self.running.is_empty() {
            journal.append(run, lines)
        } else {
            journal.append_behind(run, lines)
        };
        self.handed_in += 1;
        let now = appending.time();
        let (mut free, mut waiting) = (Vec::new(), Vec::new());
        for launch in launches {
            match launch {
                Launch::Attempt { attempt, after } => {
                    if attempt.attempt == 1 {
                        self.started_at[attempt.index] = Some(now);
                    }
                    if after <= self.recorded {
                        free.push(*attempt);
                    } else {
                        waiting.push(*attempt);
                    }
                }
                Launch::Wait {
                    index,
                    attempt,
                    duration,
                } => {
                    // From its first start on, also where a crash lies in between.
                    let since = *self.started_at[index].get_or_insert(now);
                    let until = since.saturating_add(millis(duration));
                    let over = Timer::WaitOver(attempt);
                    self.timers.push(Reverse((until, index, over)));
                }
            }
        }
        self.recordings.push_back(Recording {
            appending,
            launches: waiting,
        });
        self.launch(free);
    }

    /// Lets attempts loose.
    pub(super) fn launch(&mut self, attempts: Vec<Attempt>) {
        let alone = attempts.len() == 1;
        for attempt in attempts {
            let made = self.make(attempt);
            self.running.run(Box::pin(made), alone);
        }
    }

    fn make(&self, attempt: Attempt) -> impl Future<Output = Attempted> + Send + use<> {
        let bench = Arc::clone(&self.setting.bench);
        let mut desk = self.setting.desk.clone();
        if self.steps.is_before_finally(attempt.index) {
            desk.cut = self.cut.subscribe();
        } else {
            desk.cut = self.uncut.subscribe();
        }
        let first_start = self.started_at[attempt.index].expect("what is launched was begun");
        async move { attempt.make(&bench, desk, first_start).await }
    }

    /// Waits until everything is on record; what was to begin then does not.
    pub(super) async fn all_recorded(&mut self) -> Result<(), Failed> {
        for recording in self.recordings.drain(..) {
            recording.appending.await?;
        }
        Ok(())
    }
}

/// Waits for the journal's next answer, if one is to come, and says what runs now.
pub(super) async fn next_recorded(
    recordings: &mut VecDeque<Recording>,
) -> Option<(Appended, Vec<Attempt>)> {
    let appended = (&mut recordings.front_mut()?.appending).await;
    let launches = recordings.pop_front()?.launches;
    Some((appended, launches))
}

/// Steps that are granted the same with the same credentials share connections, and no others.
fn partition(planned: &Planned) -> String {
    let grants = planned.permission.step.iter().map(ToString::to_string);
    let credentials = planned
        .credentials
        .iter()
        .map(|bound| bound.credential.to_string());
    grants.chain(credentials).collect::<Vec<_>>().join("\n")
}
