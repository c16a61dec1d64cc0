//! Arguments of what concerns plugins.

mod run;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(crate) use self::run::PluginRun;
pub(crate) use self::test::PluginTest;
use super::plugin_sources::{
    PluginAdd, PluginFetch, PluginPublish, PluginRemove, PluginUpdate, PluginVerify,
};
use super::{Output, PluginDoctor, PluginNew};

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    New(PluginNew),
    Doctor(PluginDoctor),
    Pack(PluginPack),
    Inspect(PluginInspect),
    Diff(PluginDiff),
    Accept(PluginAccept),
    Test(PluginTest),
    Run(PluginRun),
    Add(PluginAdd),
    Update(PluginUpdate),
    Remove(PluginRemove),
    Fetch(PluginFetch),
    Verify(PluginVerify),
    Publish(PluginPublish),
    /// Check that a packed plugin can be loaded; none of its code is run
    #[command(after_help = "Example:\n  sandbook plugin check plugins/http-check.wasm")]
    Check {
        /// A packed plugin's file, or its name in sandbook.yaml
        plugin: String,
    },
    /// List the plugins that sandbook.yaml names: where they come from, and how they stand
    List(Output),
}

/// Put a manifest into a component, which makes it a plugin
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  sandbook plugin pack target/wasm32-wasip2/release/hello.wasm --manifest plugin.yaml --to plugins/hello.wasm")]
pub(crate) struct PluginPack {
    /// The component, as the compiler made it
    pub(crate) component: PathBuf,
    /// The plugin's description of itself: name, version, inputs, outputs, requests, slots
    #[arg(long, short, value_name = "FILE")]
    pub(crate) manifest: PathBuf,
    /// Where the plugin is written [default: NAME.wasm in this folder, by the manifest's name]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Say nothing when it went well
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// Show what a new version of a plugin wants that the old one did not
///
/// What it asks for beyond the old one comes first: requests, credentials, the plain text of secrets, interfaces.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin diff plugins/http-check.wasm http-check-2.0.0.wasm
  sandbook plugin diff http-check ./new.wasm --output json")]
pub(crate) struct PluginDiff {
    /// The old version: a packed plugin's file, or its name in sandbook.yaml
    pub(crate) old: String,
    /// The new one, likewise
    pub(crate) new: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Accept a plugin that lies outside the project by its path, as it is now
///
/// It shows what the plugin asks for, or how that changed, and writes digest and requests to sandbook.lock. Until then,
/// and when either changes, check, plan and run refuse the plugin.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook plugin accept http-check")]
pub(crate) struct PluginAccept {
    /// Its name in sandbook.yaml
    #[arg(value_name = "NAME")]
    pub(crate) plugin: String,
    /// Accept it without being asked
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Show what a plugin is, what it asks for, and what it takes and gives
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin inspect http-check
  sandbook plugin inspect plugins/http-check.wasm --step >> runbook.yaml")]
pub(crate) struct PluginInspect {
    /// A packed plugin's file, or its name in sandbook.yaml
    pub(crate) plugin: String,
    /// Print a step that uses it, in YAML, ready to paste
    #[arg(long, conflicts_with = "output")]
    pub(crate) step: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}
