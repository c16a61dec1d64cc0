//! Arguments of what concerns the record: runs, show, log, note.

use clap::{Args, value_parser};

use super::Output;

pub(super) const RUN_HELP: &str = "A run's id, a prefix that only one run has, or @last";

/// List the runs on record, the latest first
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// Only runs of this runbook
    #[arg(value_name = "RUNBOOK")]
    pub(crate) runbook: Option<String>,
    /// How many at most
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Show a run: its steps, and every effect it had
///
/// Of each request: method, URL, status, time, and the digests of the bodies.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook show @last
  sandbook show 3k9 --output json
  sandbook show 3k9 --markdown > post-mortem.md")]
pub(crate) struct Show {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Print the first draft of a post-mortem, as Markdown
    ///
    /// Who had part in it, what happened when, what was changed, decisions and notes. The causes are for people to write.
    #[arg(long, conflicts_with = "output")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Print a run's log, one event a line
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sandbook log @last\n  sandbook log @last --follow")]
pub(crate) struct Log {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// Go on with what is added, until the run is over
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Put a remark on a run's record
///
/// It can be added at any time, also after the run's end, and can't be taken back.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook note @last 'called the vendor, ticket 4711'")]
pub(crate) struct Note {
    #[arg(value_name = "RUN", help = RUN_HELP)]
    pub(crate) run: String,
    /// The remark; several words are put together
    #[arg(required = true, value_name = "TEXT")]
    pub(crate) text: Vec<String>,
}
