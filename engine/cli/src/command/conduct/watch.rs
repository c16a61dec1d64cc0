//! Watching a run: its events become lines, live lines or JSON, while the run goes on by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sandbook_executor::Progress;
use sandbook_journal::{Clock, RunState, Signal, StepId, Stored, SystemClock};
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::sync::{mpsc, watch as channel};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{MissedTickBehavior, interval};

use crate::render::{Live, Stream};
use crate::screen::{Output, complain};

/// How often it is looked what has happened. Whoever watches doesn't see the difference to at once, and the
/// engine is spared being watched at each of its steps.
const LOOK: Duration = Duration::from_millis(50);

/// What is watched.
pub(super) struct Watch<T> {
    pub(super) events: mpsc::UnboundedReceiver<Arc<Stored>>,
    pub(super) live: broadcast::Receiver<Progress>,
    pub(super) stopped: channel::Receiver<Option<Signal>>,
    pub(super) waits: HashMap<StepId, Duration>,
    pub(super) json: bool,
    /// What the run's log came to before these events.
    pub(super) before: RunState,
    /// The run itself: once it is through, all of its events are there.
    pub(super) completing: JoinHandle<T>,
}

/// How events are shown.
enum View {
    Json,
    Lines(Stream),
    Live(Box<Live>),
}

/// Shows the run until it is through; returns what its log comes to, and what came of it.
pub(super) async fn watch<T>(
    watch: Watch<T>,
    output: &mut Output,
) -> (RunState, Result<T, JoinError>) {
    let Watch {
        mut events,
        mut live,
        mut stopped,
        waits,
        json,
        before,
        mut completing,
    } = watch;
    let mut view = match (json, output.paper.is_terminal()) {
        (true, _) => View::Json,
        (false, false) => View::Lines(Stream::default()),
        (false, true) => View::Live(Box::new(Live::new(output.paper, waits))),
    };
    let mut state = before;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = false;
    let completed = loop {
        tokio::select! {
            biased;
            completed = &mut completing => break completed,
            Ok(signal) = stopped.wait_for(Option::is_some), if !told => {
                told = true;
                view.interrupted(*signal);
                view.events(&mut events, &mut state, output);
                view.say("Interrupting: nothing new is sent; waiting for what is in flight. Once more stops at once.");
            }
            _ = looks.tick() => {
                view.events(&mut events, &mut state, output);
                view.draw(&mut live, &state);
            }
        }
    };
    view.events(&mut events, &mut state, output);
    if let View::Live(live) = view {
        live.close();
    }
    (state, completed)
}

impl View {
    /// Shows all events that are waiting, at one go.
    fn events(
        &mut self,
        events: &mut mpsc::UnboundedReceiver<Arc<Stored>>,
        state: &mut RunState,
        output: &mut Output,
    ) {
        let mut lines = Vec::new();
        while let Ok(stored) = events.try_recv() {
            // What the journal has stored follows; it was folded before.
            let _ = state.apply(&stored.event, stored.time);
            match self {
                View::Json => lines.push(stored.line()),
                View::Lines(stream) => lines.extend(stream.lines(&stored, state, output.paper)),
                View::Live(live) => lines.extend(live.event(&stored, state)),
            }
        }
        if lines.is_empty() {
            return;
        }
        match self {
            View::Json | View::Lines(_) => output.text(&(lines.join("\n") + "\n")),
            View::Live(live) => live.print(&lines.join("\n")),
        }
    }

    /// Draws the live lines, with what the plugins have said last.
    fn draw(&mut self, said: &mut broadcast::Receiver<Progress>, state: &RunState) {
        let View::Live(live) = self else { return };
        loop {
            match said.try_recv() {
                Ok(progress) => live.progress(progress),
                // Later words are there in place of those that were missed.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        live.draw(state, SystemClock.now());
    }

    fn interrupted(&self, signal: Option<Signal>) {
        if let (View::Live(live), Some(Signal::Interrupt)) = (self, signal) {
            live.forget_echo();
        }
    }

    fn say(&self, line: &str) {
        match self {
            View::Live(live) => live.print(line),
            View::Json | View::Lines(_) => complain(line),
        }
    }
}
