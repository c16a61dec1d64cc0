//! `plugin test`, `plugin run` and its recordings: real components in the real engine, against cases and against a
//! simulated cloud.

mod alone;
mod failing;
mod flagship;
mod surroundings;
