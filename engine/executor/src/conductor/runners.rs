//! The attempts that run.

use std::pin::Pin;

use tokio::task::{JoinError, JoinSet};

use crate::attempt::Attempted;

type Made = Pin<Box<dyn Future<Output = Attempted> + Send>>;

/// Attempts that run: beside each other as tasks, or a single one within the conductor's own, which spares a
/// sequence of steps two changes of task, and often of thread, at each of them.
#[derive(Default)]
pub(super) struct Runners {
    tasks: JoinSet<Attempted>,
    own: Option<Made>,
}

impl Runners {
    pub(super) fn is_empty(&self) -> bool {
        self.own.is_none() && self.tasks.is_empty()
    }

    /// Lets an attempt run. `alone` says that no other begins at the same time.
    pub(super) fn run(&mut self, made: Made, alone: bool) {
        if alone && self.is_empty() {
            self.own = Some(made);
        } else {
            self.tasks.spawn(made);
        }
    }

    /// Waits for the next attempt to end; nothing where none runs.
    pub(super) async fn next(&mut self) -> Option<Result<Attempted, JoinError>> {
        let Some(own) = &mut self.own else {
            return self.tasks.join_next().await;
        };
        tokio::select! {
            attempted = own => {
                self.own = None;
                Some(Ok(attempted))
            }
            Some(joined) = self.tasks.join_next() => Some(joined),
        }
    }

    /// Another attempt that has ended by now.
    pub(super) fn try_next(&mut self) -> Option<Result<Attempted, JoinError>> {
        self.tasks.try_join_next()
    }
}
