//! Before its first event a run waits for its turn, obtains its credentials, and compiles what was never run before.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sandbook_executor::{Compiling, Waits};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::render;
use crate::screen::{Paper, complain};

/// How long nothing is to be seen before it is said why.
const LONG: Duration = Duration::from_millis(400);

/// How far a run is that hasn't begun.
enum Stage {
    /// Another run is before it.
    Queued,
    Loading,
    Compiling(Compiling),
}

/// Says what a run waits for, until there is nobody left who would tell it. What is over sooner than it could be read
/// isn't said.
pub(super) async fn say_why_it_takes_long(mut waits: mpsc::UnboundedReceiver<Waits>) {
    let mut last = Stage::Loading;
    loop {
        // Whatever comes next is said at once where it had to be waited for, and otherwise once it lasts.
        match timeout(LONG, waits.recv()).await {
            Ok(Some(Waits::Queued(behind))) => {
                complain(&render::queued(&behind));
                last = Stage::Queued;
            }
            Ok(Some(Waits::Compiling(compiling))) => last = Stage::Compiling(compiling),
            Ok(None) => return,
            Err(_) => break,
        }
    }
    if !Paper::standard_error().is_terminal() {
        while let Some(told) = waits.recv().await {
            if let Waits::Queued(behind) = told {
                complain(&render::queued(&behind));
            }
        }
        return;
    }
    let line = spinner();
    line.set_message(words(&last));
    while let Some(told) = waits.recv().await {
        match told {
            Waits::Queued(behind) => {
                line.suspend(|| complain(&render::queued(&behind)));
                line.set_message(words(&Stage::Queued));
            }
            Waits::Compiling(compiling) => {
                line.set_message(words(&Stage::Compiling(compiling)));
            }
        }
    }
    line.finish_and_clear();
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}")
        .expect("invariant: the template is well formed");
    let line = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
    line.enable_steady_tick(Duration::from_millis(100));
    line
}

fn words(stage: &Stage) -> String {
    match stage {
        Stage::Queued => "Waiting for its turn.".to_owned(),
        Stage::Compiling(Compiling { left, of }) if !left.is_empty() => {
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            format!(
                "Compiling {}, once and for all: {} of {of} done.",
                render::names(&names),
                of - left.len()
            )
        }
        Stage::Loading | Stage::Compiling(_) => {
            "Obtaining credentials and loading plugins.".to_owned()
        }
    }
}
