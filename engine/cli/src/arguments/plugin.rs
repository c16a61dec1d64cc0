//! Arguments of what concerns plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    Pack(PluginPack),
    Inspect(PluginInspect),
    /// Check that a packed plugin can be loaded; none of its code is run
    Check {
        /// A packed plugin
        file: PathBuf,
    },
    /// List the plugins that sandbook.yaml names
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
