//! Arguments of what concerns where plugins come from.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// Take a plugin into the project: from a path, an https URL or an OCI registry
///
/// It fetches the plugin, refuses it unless it is signed by whom it must be, shows what it asks for, and asks. Then
/// sandbook.yaml names it and sandbook.lock pins it by its digest.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin add post-status https://plugins.example.com/post-status-1.2.0.wasm
  sandbook plugin add purge oci://registry.example.com/ops/purge:1.4.0 --signed-by ops")]
pub(crate) struct PluginAdd {
    /// What runbooks are to call it
    pub(crate) name: String,
    /// Where it comes from: PATH, https://HOST/FILE.wasm, oci://HOST/REPOSITORY:TAG
    pub(crate) source: String,
    /// A key in sandbook.yaml that must have signed it; may be repeated [default: what `signed_by` there says]
    #[arg(long, value_name = "KEY")]
    pub(crate) signed_by: Vec<String>,
    /// Accept it without being asked
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// See what there is now of plugins from outside, and accept it
///
/// It shows how each differs from what was accepted before, what it asks for beyond that first, and asks.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sandbook plugin update\n  sandbook plugin update purge --yes")]
pub(crate) struct PluginUpdate {
    /// Their names in sandbook.yaml [default: all that come from outside]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Accept without being asked
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Take a plugin out of the project
///
/// It is refused while a runbook uses the plugin.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook plugin remove purge")]
pub(crate) struct PluginRemove {
    /// Its name in sandbook.yaml
    pub(crate) name: String,
    /// Also while runbooks use it
    #[arg(long)]
    pub(crate) force: bool,
}

/// Fetch the plugins that sandbook.lock pins and that are not on this disk
///
/// Nothing but the very components that were accepted is taken. A fresh clone of a project needs it once; check, plan
/// and run never use the network for plugins.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  git clone git@example.com:ops.git && cd ops && sandbook plugin fetch"
)]
pub(crate) struct PluginFetch {
    /// Their names in sandbook.yaml [default: all that come from outside]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// See whether plugins are still what was accepted, here and at their sources
///
/// It fetches them again and compares digests and signatures. Nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook plugin verify purge")]
pub(crate) struct PluginVerify {
    /// Their names in sandbook.yaml [default: all that come from outside]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Publish a packed plugin as an image of an OCI registry
///
/// The image is one that wkg and other tools for components read. FILE.minisig goes along where it lies beside the
/// file. Credentials are those of `docker login`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  sandbook plugin publish purge.wasm oci://registry.example.com/ops/purge:1.4.0")]
pub(crate) struct PluginPublish {
    /// A packed plugin
    pub(crate) file: PathBuf,
    /// Where to: oci://HOST/REPOSITORY:TAG
    pub(crate) reference: String,
    /// Also when the tag is another image's, which then loses it
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::arguments::Arguments;

    #[test]
    fn the_commands_of_the_guide_are_commands() {
        let guide = include_str!("../../../../docs/plugins/sources.md");
        let blocks = guide.split("```sh\n").skip(1);
        let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
        let mut seen = 0;
        for line in lines.filter(|line| line.starts_with("sandbook ")) {
            Arguments::try_parse_from(line.split(' '))
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            seen += 1;
        }
        assert!(seen >= 9, "{seen}");
    }
}
