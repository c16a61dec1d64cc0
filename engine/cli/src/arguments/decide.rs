//! Arguments of what people say about a run: decide, cancel, undo.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use super::Output;
use super::record::RUN_HELP;

/// Decide about a step that waits for a person
///
/// The run then goes on, here or in the process that has it. The decisions that fit depend on what is waited for:
/// approval: approve, reject; manual: done, abort; paused after a failure: retry, skip, done, abort; in doubt:
/// happened, retry, done, abort; diverged: retry, done, abort. All but approve need a reason. `sandbook show RUN`
/// shows what is waited for.
#[derive(Debug, Args)]
#[command(override_usage = "sandbook decide [OPTIONS] RUN [STEP] DECISION")]
#[command(after_help = "\
Examples:
  sandbook decide @last approve
  sandbook decide 3k9 announce happened --answer incident.json --reason 'it is on the page'
  sandbook decide 3k9 retry --reason 'the page has no such incident'
  sandbook decide 3k9 call_vendor done --outputs '{\"ticket\": \"4711\"}' --reason 'spoke to Kim'")]
pub(crate) struct Decide {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// The step, where more than one waits, and approve, reject, happened, retry, skip, done or abort
    #[arg(value_name = "DECISION", required = true, num_args = 1..=2)]
    pub(crate) said: Vec<String>,
    /// Why; it stays on record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The attempt that you looked at; the decision is refused where there was another one since
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
    /// With happened: the answer that the step goes on from
    ///
    /// What `curl -i` shows, or the body alone, which then has status 200; `-` reads the standard input. Without it, the step goes on from an
    /// empty answer with status 200.
    #[arg(long, value_name = "FILE")]
    pub(crate) answer: Option<PathBuf>,
    /// With done: what the step would have put out, a JSON object; `-` reads the standard input
    #[arg(long, value_name = "JSON")]
    pub(crate) outputs: Option<String>,
    /// With retry: ask for everything anew, also for what was answered in earlier attempts
    #[arg(long)]
    pub(crate) fresh: bool,
    /// How many attempts may run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Word {
    Approve,
    Reject,
    Happened,
    Retry,
    Skip,
    Done,
    Abort,
}

impl Word {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Word::Approve => "approve",
            Word::Reject => "reject",
            Word::Happened => "happened",
            Word::Retry => "retry",
            Word::Skip => "skip",
            Word::Done => "done",
            Word::Abort => "abort",
        }
    }

    /// All of them, for people.
    pub(crate) fn all() -> String {
        let words = Word::value_variants().iter();
        let words: Vec<&str> = words.map(|word| word.as_str()).collect();
        words.join(", ")
    }
}

/// Cancel a run
///
/// No step begins any more, a request that is under way is waited for, and then `finally` runs: here, or in the process
/// that has the run. A request in doubt still waits for a decision.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook cancel @last --reason 'the region is back'
  sandbook cancel 3k9 --rollback")]
pub(crate) struct Cancel {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Undo what was done, before `finally`: it is shown and confirmed
    #[arg(long)]
    pub(crate) rollback: bool,
    /// Why; it stays on record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Confirm the undoing beforehand
    #[arg(long, short, requires = "rollback")]
    pub(crate) yes: bool,
    /// How many attempts may run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Undo what a finished run has done
///
/// The rollbacks of the steps that changed something run in the reverse order of their ends, one after the other. They
/// are shown and confirmed first. One that fails stops the undoing and waits for a decision.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook undo @last --reason 'it was the wrong region'")]
pub(crate) struct Undo {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Why; it stays on record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Confirm it beforehand
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// How many attempts may run at once
    #[arg(long, short, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..))]
    pub(crate) jobs: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}
