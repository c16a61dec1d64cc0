//! The toolchains that plugins are built with, as `engine/cli/templates/toolchains.txt` pins them.

const PINNED: &str = include_str!("../../../templates/toolchains.txt");

/// Each tool's package with its version.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    PINNED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(tool, version)| (tool, version.trim()))
}

/// The version that a package is pinned to.
pub(super) fn version(package: &str) -> &'static str {
    all()
        .find_map(|(name, version)| (name == package).then_some(version))
        .expect("toolchains.txt pins every package that is named here")
}
