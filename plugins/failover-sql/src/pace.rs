use std::time::Duration;

use sandbook_step::prelude::*;

/// How long to wait between two looks when the service doesn't say.
pub(crate) const UNSAID: Duration = Duration::from_secs(5);

/// What is kept of the attempt's time for saying how things stand.
const MARGIN: Duration = Duration::from_secs(2);

/// Waits before the next look.
///
/// # Errors
///
/// Timed out, when the attempt would be over before that look. The next attempt looks first, and goes on from what it
/// finds.
pub(crate) fn pause(context: &Context, wait: Duration, awaited: &str) -> Result<(), Failure> {
    // A service that says 0 is given a moment all the same.
    let wait = wait.max(Duration::from_millis(100));
    if context.remaining() <= wait + MARGIN {
        return Err(Failure::timed_out(format!(
            "{awaited} has not come to an end in the step's time; look again with a new attempt, or with a longer `timeout`"
        ))
        .with_code("StillUnderWay"));
    }
    progress::say(format_args!("waiting for {awaited}"));
    timer::sleep(wait);
    Ok(())
}
