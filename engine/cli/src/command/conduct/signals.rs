//! Signals: the first interrupts the run; a second one, or SIGQUIT, stops at once.

use sandbook_journal::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::problem::Problem;

/// Listens until the process ends. The first signal goes to `stop`; what is in flight is then waited for.
pub(super) fn listen(stop: watch::Sender<Option<Signal>>) -> Result<(), Problem> {
    let source = |kind| {
        signal(kind)
            .map_err(|error| Problem::engine("signals can't be listened to").caused_by(&error))
    };
    let mut interrupt = source(SignalKind::interrupt())?;
    let mut terminate = source(SignalKind::terminate())?;
    let mut hangup = source(SignalKind::hangup())?;
    let mut quit = source(SignalKind::quit())?;
    tokio::spawn(async move {
        loop {
            let caught = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                _ = hangup.recv() => Signal::Hangup,
                _ = quit.recv() => stop_at_once(),
            };
            if stop.borrow().is_some() {
                stop_at_once();
            }
            stop.send_replace(Some(caught));
        }
    });
    Ok(())
}

fn stop_at_once() -> ! {
    // What was begun and has no outcome on record is in the journal as such.
    std::process::exit(Exit::Interrupted.status().into());
}
