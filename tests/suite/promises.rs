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
mod resume;
mod secrets;
mod sensitive;
mod signals;
mod stage;
