//! Watching a run: its events become lines, live lines or JSON, while the run goes on by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sandbook_executor::Progress;
use sandbook_journal::{Clock, RunState, Signal, StepId, Stored, SystemClock};
use tokio::sync::{broadcast, mpsc, watch as channel};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::render::{Live, Stream};
use crate::screen::{Output, complain};

/// How often the live lines are drawn.
const FRAME: Duration = Duration::from_millis(100);

/// What is watched.
pub(super) struct Watch<'a, T> {
    pub(super) events: mpsc::UnboundedReceiver<Arc<Stored>>,
    pub(super) live: broadcast::Receiver<Progress>,
    pub(super) stopped: channel::Receiver<Option<Signal>>,
    pub(super) waits: HashMap<StepId, Duration>,
    pub(super) json: bool,
    /// The run itself: once it is through, no event comes any more.
    pub(super) completing: &'a JoinHandle<T>,
}

/// How events are shown.
enum View {
    Json,
    Lines(Stream),
    Live(Box<Live>),
}

/// Shows the run until its last event; returns what its log comes to.
pub(super) async fn watch<T>(watch: Watch<'_, T>, output: &mut Output) -> RunState {
    let Watch {
        mut events,
        mut live,
        mut stopped,
        waits,
        json,
        completing,
    } = watch;
    let mut view = match (json, output.paper.is_terminal()) {
        (true, _) => View::Json,
        (false, false) => View::Lines(Stream::default()),
        (false, true) => View::Live(Box::new(Live::new(output.paper, waits))),
    };
    let mut state = RunState::default();
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = false;
    while !is_over(&state) {
        tokio::select! {
            biased;
            stored = events.recv() => match stored {
                Some(stored) => view.event(&stored, &mut state, output),
                None => break,
            },
            Ok(progress) = live.recv() => view.progress(progress),
            Ok(_) = stopped.wait_for(Option::is_some), if !told => {
                told = true;
                view.say("Interrupting: nothing new is sent; waiting for what is in flight. Once more stops at once.");
            }
            _ = frames.tick() => {
                view.draw(&state);
                if completing.is_finished() && events.is_empty() {
                    break;
                }
            }
        }
    }
    if let View::Live(live) = view {
        live.close();
    }
    state
}

/// Whether the last event of this process was seen.
fn is_over(state: &RunState) -> bool {
    state.finish().is_some() || state.status() == sandbook_journal::RunStatus::Interrupted
}

impl View {
    fn event(&mut self, stored: &Stored, state: &mut RunState, output: &mut Output) {
        // What the journal has stored follows; it was folded before.
        let _ = state.apply(&stored.event, stored.time);
        match self {
            View::Json => output.line(&stored.line()),
            View::Lines(stream) => {
                for line in stream.lines(stored, state, output.paper) {
                    output.line(&line);
                }
            }
            View::Live(live) => live.event(stored, state),
        }
    }

    fn progress(&mut self, progress: Progress) {
        if let View::Live(live) = self {
            live.progress(progress);
        }
    }

    fn draw(&mut self, state: &RunState) {
        if let View::Live(live) = self {
            live.draw(state, SystemClock.now());
        }
    }

    fn say(&self, line: &str) {
        match self {
            View::Live(live) => live.print(line),
            View::Json | View::Lines(_) => complain(line),
        }
    }
}
