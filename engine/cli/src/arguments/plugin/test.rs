//! Arguments of `plugin test`.

use clap::Args;

use crate::arguments::Output;

/// Run a plugin against services that are written down as cases
///
/// The component runs in the real engine, with what it is told, asks for and is answered taken from a file of cases.
/// Nothing leaves the machine and no time passes. docs/plugins/testing.md says how cases are written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin test post-status.cases.yaml
  sandbook plugin test post-status --case 'opened'
  sandbook plugin test cases.yaml --plugin target/my-step.wasm --output json

Exit status: 0 all went as expected, 1 a case did not, 2 a file can't be used")]
pub(crate) struct PluginTest {
    /// Files of cases, folders with a cases.yaml, packed plugins, or names of the project's plugins; a plugin's
    /// cases lie beside it as NAME.cases.yaml [default: those of all the project's plugins, and those in this folder]
    #[arg(value_name = "CASES")]
    pub(crate) targets: Vec<String>,
    /// What is tested, whatever the files say: a packed plugin's file, or its name in sandbook.yaml
    #[arg(long, short, value_name = "PLUGIN")]
    pub(crate) plugin: Option<String>,
    /// Only cases whose name has this in it
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) case: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}
