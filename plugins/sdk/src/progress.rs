//! Where the step is, for the live view. Kept in no record.

use std::fmt;

use crate::host;

/// Replaces what is shown beside the step by a few words.
pub fn say(message: impl fmt::Display) {
    host::report(&message.to_string(), None);
}

/// The same, with the part that is done: 0 to 1.
pub fn part(message: impl fmt::Display, done: f32) {
    host::report(&message.to_string(), Some(done));
}
