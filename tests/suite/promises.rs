//! What the engine promises, whatever a plugin or a service does.

mod audit;
mod cache;
mod cancel;
mod decide;
mod decide_races;
mod disk_faults;
mod divergence;
mod dry_run;
mod full_disk;
mod grants;
mod groups;
mod hostile;
mod kill_matrix;
mod limits;
mod namespace;
mod order;
mod prefixes;
mod record;
mod repetition;
mod resume;
mod secrets;
mod sensitive;
mod signals;
mod stage;
mod team;
mod torture;
