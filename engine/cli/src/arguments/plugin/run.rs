//! Arguments of `plugin run`.

use std::path::PathBuf;

use clap::Args;

use crate::arguments::{Given, Output};

/// Run a plugin once, alone
///
/// It is a run as any other, of a runbook with this one step: what it may do is shown and confirmed, it is recorded, and
/// `resume` and `decide` go on with it. The plugin is granted what its manifest asks for, as far as the environment
/// allows it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin run http-check --env demo -i url=https://www.example-shop.com/health
  sandbook plugin run post-status --env demo --credential api=statuspage -i page=p1 -i title=Down --dry-run
  sandbook plugin run ./my-step.wasm --env demo -i pool=east --record my-step.cases.yaml")]
pub(crate) struct PluginRun {
    /// A packed plugin's file, or its name in sandbook.yaml
    pub(crate) plugin: String,
    #[command(flatten)]
    pub(crate) given: Given,
    /// Which of the environment's credentials a slot of the plugin's gets
    #[arg(long, short, value_name = "SLOT=NAME")]
    pub(crate) credential: Vec<String>,
    /// Let the plugin see the secret in a slot
    #[arg(long, value_name = "SLOT")]
    pub(crate) reveal: Vec<String>,
    /// Grant this line, as a step's allow has them, instead of what the manifest asks for
    #[arg(long, value_name = "LINE")]
    pub(crate) allow: Vec<String>,
    /// Send only requests that read; list those that could change something
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Confirm the plan beforehand; on a terminal the name of a protected environment still has to be typed
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Write what went over the wire to a file of cases for `plugin test`, secrets left out; it must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}
