//! Arguments of what helps to write plugins.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Output;

/// A language that plugins are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    #[value(name = "typescript", alias = "ts")]
    TypeScript,
    Python,
    Go,
    C,
}

impl Language {
    /// As it is written in arguments.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::TypeScript => "typescript",
            Language::Python => "python",
            Language::Go => "go",
            Language::C => "c",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::TypeScript => "TypeScript",
            Language::Python => "Python",
            Language::Go => "Go",
            Language::C => "C",
        })
    }
}

/// Make a plugin to start from
///
/// It holds a step that works, its manifest, its tests, a copy of the contract with the engine, and a script that builds
/// and packs it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin new purge-cache --lang go
  sandbook plugin new read-status --lang python --to plugins/read-status")]
pub(crate) struct PluginNew {
    /// The plugin's name: lower-case letters, digits and `-`
    #[arg(value_name = "NAME")]
    pub(crate) plugin_name: String,
    /// What it is written in
    #[arg(long, short, value_name = "LANG", value_enum)]
    pub(crate) lang: Language,
    /// The folder to make; one that is there must be empty [default: NAME in this folder]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

/// Say which tools a language needs, which of them are here, and how to get the others
///
/// They are looked for in `.venv/bin` of this folder, as a plugin's build.sh does, and in PATH. With --lang the exit
/// status is 2 when something is missing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook plugin doctor
  sandbook plugin doctor --lang python")]
pub(crate) struct PluginDoctor {
    /// The language [default: all of them]
    #[arg(long, short, value_name = "LANG", value_enum)]
    pub(crate) lang: Option<Language>,
    #[command(flatten)]
    pub(crate) output: Output,
}
