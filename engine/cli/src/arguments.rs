//! The arguments as they were given. What they mean is worked out by the commands.

mod audit;
mod decide;
mod language;
mod plugin;
mod plugin_sources;
mod record;
mod run;
mod secrets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::audit::{AuditCommand, AuditExport, AuditImport, AuditVerify, Prune};
pub(crate) use self::decide::{Cancel, Decide, Undo, Word};
pub(crate) use self::language::{Language, PluginDoctor, PluginNew};
pub(crate) use self::plugin::{
    PluginAccept, PluginCommand, PluginDiff, PluginInspect, PluginPack, PluginRun, PluginTest,
};
pub(crate) use self::plugin_sources::{
    PluginAdd, PluginFetch, PluginPublish, PluginRemove, PluginUpdate, PluginVerify,
};
pub(crate) use self::record::{Log, Note, Runs, Show};
pub(crate) use self::run::{Check, Given, Plan, Resume, Run};
pub(crate) use self::secrets::{SecretsCommand, SecretsSet};

const STATUSES: &str = "\
Exit status:
  0    succeeded; failures that were let pass are in the last line
  1    the run failed or was cancelled
  2    the request was wrong: usage, runbook, inputs, a false check, environment, secret
  3    the run waits for a person
  4    another process has the run, or another run holds its group
  5    the journal or the engine failed, or the disk is nearly full
  130  interrupted

Environment:
  SANDBOOK_PROJECT  the project's folder, where --project names none; without either, a runbook
                    that is named by its path belongs to the nearest project above it
  SANDBOOK_HOME     where runs are recorded, where --state doesn't say; comes before `state`
                    in sandbook.yaml
  NO_COLOR          no colours, when set to anything";

const FIRST_STEPS: &str = "\
Examples:
  sandbook init demo && cd demo      make a project to start from
  sandbook list                      what can be run here
  sandbook plan hello                what each step may do
  sandbook run hello                 run it
  sandbook show @last                what was done";

/// Run operations runbooks whose steps are sandboxed WebAssembly components.
///
/// A step can touch nothing but what its runbook grants it, and everything that was done is on record.
#[derive(Debug, Parser)]
#[command(
    name = "sandbook",
    bin_name = "sandbook",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = FIRST_STEPS, after_long_help = format!("{FIRST_STEPS}\n\n{STATUSES}"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where things lie.
#[derive(Debug, Args)]
pub(crate) struct Places {
    /// The project's folder [default: the nearest one upwards with a sandbook.yaml]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Places")]
    pub(crate) project: Option<PathBuf>,
    /// Where runs are recorded [default: as sandbook.yaml says, else the XDG state directory]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Places")]
    pub(crate) state: Option<PathBuf>,
}

/// How a result is printed: for people, or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Human,
    Json,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// How the result is printed
    #[arg(long, short, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) output: Format,
}

impl Output {
    pub(crate) fn is_json(self) -> bool {
        self.output == Format::Json
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the project's runbooks: name, description, last success
    List(Output),
    Run(Run),
    Resume(Resume),
    Decide(Decide),
    Cancel(Cancel),
    Undo(Undo),
    Check(Check),
    Plan(Plan),
    Runs(Runs),
    Show(Show),
    Log(Log),
    Note(Note),
    /// Check the record, write it out as evidence, take over another one
    #[command(subcommand)]
    Audit(AuditCommand),
    Prune(Prune),
    /// Make, test, run, inspect and pack plugins; have them from elsewhere
    ///
    /// Only `test` and `run` run any of a plugin's code.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Keep secrets in the project, encrypted with age
    ///
    /// They lie in `secrets.age`, which may be checked in. What opens it is an age identity in a file of its own, which
    /// may not.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    Init(Init),
    Schema(Schema),
    /// Say who you are to the engine, and where it would look and write
    ///
    /// The operator is SUDO_UID where that is set, else the real user. It is recorded with every run.
    /// Where the engine runs as another account, only names of that account's project are accepted.
    Whoami(Output),
    Completions(Completions),
}

/// Make a project to start from
///
/// It holds two runbooks, an environment for rehearsals, the plugins that come with sandbook, and a .gitignore.
/// The first runbook runs at once and needs no network.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook init ops && cd ops && sandbook run hello")]
pub(crate) struct Init {
    /// The folder to make; one that is there must be empty
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Where packed plugins are copied from [default: those that came with this executable]
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Option<PathBuf>,
}

/// Print the JSON Schema of a kind of file, for editors
///
/// An editor that has the YAML language server takes it from the file's first line:
/// `# yaml-language-server: $schema=runbook.schema.json`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  sandbook schema runbook > runbook.schema.json")]
pub(crate) struct Schema {
    /// The kind of file
    #[arg(value_enum)]
    pub(crate) kind: Kind,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// What is run
    Runbook,
    /// Variables, credentials, ceiling and network rules
    Environment,
    /// A plugin's description of itself
    Manifest,
    /// What a plugin is tested with
    Cases,
}

/// Print a shell's completion script
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sandbook completions bash > ~/.local/share/bash-completion/completions/sandbook
  sandbook completions zsh  > ~/.zfunc/_sandbook
  sandbook completions fish > ~/.config/fish/completions/sandbook.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn places_may_follow_the_command() {
        let arguments = Arguments::try_parse_from(["sandbook", "runs", "--state", "x"]).unwrap();
        assert_eq!(arguments.places.state, Some(PathBuf::from("x")));
    }

    #[test]
    fn every_command_and_option_has_a_help_text() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }
}
