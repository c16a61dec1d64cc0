//! Runs that are killed, cut off and lied to, and what has to hold all the same.
//!
//! A [`Course`] is a runbook with what people do to its run. It is taken once undisturbed, and then with a
//! [`Disturbance`]: processes die at a failpoint or by `SIGKILL`, answers of the simulated cloud get lost. Whatever
//! was killed is resumed; where the run waits for a doubt, the cloud is looked at, as a person would, and what is seen
//! there is decided. At the end the invariants are looked at, which are the engine's promises.
//!
//! The tests run a few hundred of these; `cargo xtask torture` as many as one likes.
#![expect(
    clippy::unwrap_used,
    reason = "a fault of the harness itself ends it, as it does a test"
)]

mod campaign;
mod course;
mod disturbance;
mod driver;
mod invariant;
mod ledger;
mod person;
mod random;
mod stage;
mod tally;

pub use campaign::{Campaign, Sort};
pub use course::Course;
pub use disturbance::{Blow, Disturbance};
pub use driver::{End, Invocation, Report};
pub use random::Random;
pub use tally::Tally;
