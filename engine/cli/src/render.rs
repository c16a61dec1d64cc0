//! What people see of plans, runs and plugins. Everything here makes texts; nothing decides.

mod audit;
mod ceiling;
mod effects;
mod event;
mod heading;
mod held;
mod live;
mod markdown;
mod plan;
mod plan_json;
mod plugin;
mod plugin_diff;
mod question;
mod queue;
mod report;
mod run;
#[cfg(test)]
mod sample;
mod stream;
mod tried;
mod undoing;
mod words;

pub(crate) use self::audit::{audit_json, audit_report};
pub(crate) use self::ceiling::Ceiling;
pub(crate) use self::effects::effects;
pub(crate) use self::event::{Sentence, Weight, sentence};
pub(crate) use self::heading::rehearsal;
pub(crate) use self::held::Held;
pub(crate) use self::live::Live;
pub(crate) use self::markdown::markdown;
pub(crate) use self::plan::{brief, may_change_something, plan};
pub(crate) use self::plan_json::plan_json;
pub(crate) use self::plugin::{inspection, inspection_json, signed_by, signers, standing, step};
pub(crate) use self::plugin_diff::{Version, acceptance, difference, difference_json};
pub(crate) use self::question::{about, asks, questions, to_come};
pub(crate) use self::queue::{next_step, queued};
pub(crate) use self::report::{Standing, report};
pub(crate) use self::run::{run, run_json};
pub(crate) use self::stream::Stream;
pub(crate) use self::tried::{TriedCase, sum, tried};
pub(crate) use self::undoing::undoing;
pub(crate) use self::words::{count, names, status};
