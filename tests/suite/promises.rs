//! What the engine promises, whatever a plugin or a service does.

mod cache;
mod divergence;
mod dry_run;
mod full_disk;
mod grants;
mod limits;
mod order;
mod record;
mod repetition;
mod secrets;
mod signals;
mod stage;
