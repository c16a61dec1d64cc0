//! Waiting.

use std::time::Duration;

use crate::host;

/// Waits. The attempt's deadline ends the wait, and the attempt.
pub fn sleep(duration: Duration) {
    host::sleep(duration);
}
