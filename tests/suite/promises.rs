//! What the engine promises, whatever a plugin or a service does.

mod cache;
mod dry_run;
mod grants;
mod limits;
mod order;
mod record;
mod repetition;
mod secrets;
mod signals;
mod stage;
